"""What host and worker say to each other, over a SEQPACKET socket pair.

One JSON object a packet, `{"say": <name>, ...fields}`. Keys travel only here, never in
arguments or environment. File descriptors ride along with `StartStream`.
"""

import json
import socket
from typing import Any

import attrs
import cattrs
from cattrs.preconf.json import make_converter

from punktfunk.errors import ProtocolError
from punktfunk.model.session import SessionPlan, StreamEnd, StreamPlan, StreamSample
from punktfunk.model.video import VideoMode

MAX_MESSAGE_BYTES = 96 * 1024
MAX_DESCRIPTORS = 3


@attrs.frozen
class Warm:
    """Load these drivers (`kind:name`) now, so that a later `Prepare` is quick."""

    drivers: tuple[str, ...]


@attrs.frozen
class Prepare:
    """Bring the session up."""

    plan: SessionPlan


@attrs.frozen
class StartStream:
    """Serve one more client. Carries its video, control and audio sockets, in that order."""

    stream: StreamPlan


@attrs.frozen
class StopStream:
    stream_id: int
    reason: StreamEnd


@attrs.frozen
class RequestKeyframe:
    """For every stream."""


@attrs.frozen
class Quit:
    """End the streams and the session, take everything down, and exit."""

    reason: StreamEnd


@attrs.frozen
class Ready:
    """The worker is up and warm."""


@attrs.frozen
class Prepared:
    mode: VideoMode


@attrs.frozen
class StreamStarted:
    stream_id: int
    encoder: str


@attrs.frozen
class StreamEnded:
    stream_id: int
    reason: StreamEnd
    detail: str = ""


@attrs.frozen
class Connected:
    """The client's control connection and its picture's address are known."""

    stream_id: int


@attrs.frozen(kw_only=True)
class Failed:
    """What was asked for did not work, or what ran gave up.

    Attributes:
        stream_id: The stream that did not start. 0: the session is over.
        driver: The driver that cannot run here. Empty: something ran and failed.
        available: Drivers that could run instead.
    """

    stream_id: int = 0
    driver: str = ""
    reason: str
    hint: str = ""
    available: tuple[str, ...] = ()


@attrs.frozen
class AppEnded:
    """The app came and went, and the worker takes the session down.

    Attributes:
        last_line: Of what the app printed.
    """

    last_line: str = ""


@attrs.frozen
class DisplayLost:
    """The session holds on to its last picture until the display is back."""

    reason: str


@attrs.frozen
class DisplayBack:
    """The display is there again, with input, and captures have new pictures of it."""

    after_ms: int


@attrs.frozen
class Alive:
    """About once a second; silence means the worker hangs."""

    samples: tuple[StreamSample, ...] = ()


ToWorker = Warm | Prepare | StartStream | StopStream | RequestKeyframe | Quit
ToHost = (
    Ready
    | Prepared
    | StreamStarted
    | StreamEnded
    | Connected
    | DisplayLost
    | DisplayBack
    | Failed
    | AppEnded
    | Alive
)
Message = ToWorker | ToHost

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        *(Warm, Prepare, StartStream, StopStream, RequestKeyframe, Quit),
        *(Ready, Prepared, StreamStarted, StreamEnded, Connected, DisplayLost, DisplayBack),
        *(Failed, AppEnded, Alive),
    )
}


def _make_converter() -> cattrs.Converter:
    converter: cattrs.Converter = make_converter()
    converter.register_unstructure_hook(bytes, bytes.hex)
    converter.register_structure_hook(bytes, lambda text, _: bytes.fromhex(text))
    # Plugin settings are whatever TOML gave; both sides are ours, so nothing is checked.
    converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)
    return converter


_converter = _make_converter()


def encode(message: Message) -> bytes:
    """Pack a message.

    Raises:
        ProtocolError: it is longer than the other side will read.
    """
    body = {"say": type(message).__name__, **_converter.unstructure(message)}
    data = json.dumps(body, separators=(",", ":")).encode()
    if len(data) > MAX_MESSAGE_BYTES:
        raise ProtocolError("message between host and worker is too long", bytes=len(data))
    return data


def decode(data: bytes) -> Message:
    """Unpack a message.

    Raises:
        ProtocolError: it is not one of ours.
    """
    try:
        body = json.loads(data)
        kind = _KINDS[body.pop("say")]
        message: Message = _converter.structure(body, kind)
    except (ValueError, KeyError, TypeError, AttributeError, cattrs.BaseValidationError):
        # Not chained: the text of the cause could quote a key.
        raise ProtocolError("not a message between host and worker") from None
    return message


def send(link: socket.socket, message: Message, descriptors: tuple[int, ...] = ()) -> None:
    """Send one message; blocks while the other side's buffer is full.

    Raises:
        OSError: the other side is gone.
    """
    socket.send_fds(link, [encode(message)], list(descriptors))


def receive(link: socket.socket) -> tuple[Message, list[int]] | None:
    """Take one message and the descriptors that came with it; None at the end of file."""
    data, descriptors, _, _ = socket.recv_fds(link, MAX_MESSAGE_BYTES + 1, MAX_DESCRIPTORS)
    return (decode(data), descriptors) if data else None
