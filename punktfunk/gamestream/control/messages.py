"""Control messages without their envelope.

The client's are read by one table of types and sizes; the host's are written by
`encode_message`. See docs/protocol/gamestream.md, sections 6.3 and 6.4.
"""

import struct
from collections.abc import Callable
from enum import IntEnum

import attrs
from attrs.validators import and_, ge, le

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.input import decode_input
from punktfunk.model.feedback import (
    AdaptiveTriggers,
    Feedback,
    HdrMode,
    MotionRequest,
    RgbLed,
    Rumble,
    TriggerRumble,
)
from punktfunk.model.input import InputEvent
from punktfunk.wire.reader import Reader


@attrs.frozen
class RequestIdr:
    """The next frame shall be an IDR. The first one of a stream means "start"."""


@attrs.frozen
class StartB:
    """The client is ready for frames."""


@attrs.frozen
class InvalidateReferences:
    """Frames `first` to `last` were lost: reference nothing that used them."""

    first: int
    last: int


@attrs.frozen
class LtrAck:
    """The client holds this long-term reference frame."""

    frame_index: int


@attrs.frozen
class Ping:
    """The client lives; every 100 ms, no answer."""


@attrs.frozen(kw_only=True)
class FrameFecStatus:
    """How a frame fared that needed recovery or was lost. Counts are packets."""

    frame_index: int
    highest_sequence: int
    next_contiguous_sequence: int
    missing_before_highest: int
    total_data: int
    total_parity: int
    received_data: int
    received_parity: int
    fec_percent: int
    block_index: int
    block_count: int


@attrs.frozen
class Input:
    event: InputEvent


ControlMessage = RequestIdr | StartB | InvalidateReferences | LtrAck | Ping | FrameFecStatus | Input


class TerminationCode(IntEnum):
    """Why a stream ends. Any other 32-bit number is shown to the player as it is."""

    GRACEFUL = 0x8003_0023
    PROTECTED_CONTENT = 0x800E_9302
    FRAME_CONVERSION = 0x800E_9403


@attrs.frozen
class Termination:
    """Tells the client that the stream is over. Send it before any ENet disconnect."""

    code: int = attrs.field(
        default=int(TerminationCode.GRACEFUL), validator=and_(ge(0), le(0xFFFF_FFFF))
    )


HostMessage = Feedback | Termination


class UnknownMessage(ProtocolError):
    """A type we have no use for: not an offence, clients differ."""


def decode_message(plaintext: bytes) -> ControlMessage:
    """Read one message of the client.

    Raises:
        UnknownMessage: well formed, but nothing we know.
        ProtocolError: wrong sizes or meaningless values, input packets included.
    """
    reader = Reader(plaintext)
    kind, length = reader.u16_le(), reader.u16_le()
    if length != reader.left:
        raise ProtocolError("control message lies about its length", kind=kind, announced=length)
    known = _CLIENT_MESSAGES.get(kind)
    if known is None:
        raise UnknownMessage("unknown control message", kind=kind)
    size, decode = known
    if size is not None and size != length:
        raise ProtocolError("control message has the wrong size", kind=kind, size=length)
    return decode(reader)


def encode_message(message: HostMessage) -> bytes:
    """Write one message of the host, type and length included."""
    kind, payload = _payload(message)
    return struct.pack("<HH", kind, len(payload)) + payload


def _invalidate(reader: Reader) -> InvalidateReferences:
    first = reader.u32_le()
    reader.skip(4)
    last = reader.u32_le()
    if first > last:
        raise ProtocolError("frame range runs backwards", first=first, last=last)
    return InvalidateReferences(first, last)


def _fec_status(reader: Reader) -> FrameFecStatus:
    return FrameFecStatus(
        frame_index=reader.u32_be(),
        highest_sequence=reader.u16_be(),
        next_contiguous_sequence=reader.u16_be(),
        missing_before_highest=reader.u16_be(),
        total_data=reader.u16_be(),
        total_parity=reader.u16_be(),
        received_data=reader.u16_be(),
        received_parity=reader.u16_be(),
        fec_percent=reader.u8(),
        block_index=reader.u8(),
        block_count=reader.u8(),
    )


# Type: bytes of payload (None: the input table says), reader.
_CLIENT_MESSAGES: dict[int, tuple[int | None, Callable[[Reader], ControlMessage]]] = {
    0x0200: (8, lambda _: Ping()),
    0x0206: (None, lambda reader: Input(decode_input(reader.rest()))),
    0x0301: (24, _invalidate),
    0x0302: (2, lambda _: RequestIdr()),
    0x0307: (1, lambda _: StartB()),
    0x0350: (8, lambda reader: LtrAck(reader.u32_le())),
    0x5502: (21, _fec_status),
}


def _payload(message: HostMessage) -> tuple[int, bytes]:
    match message:
        case Termination(code=code):
            return 0x0109, struct.pack(">I", code)
        case Rumble(pad=pad, low_frequency=low, high_frequency=high):
            return 0x010B, struct.pack("<IHHH", 0, pad, low, high)
        case TriggerRumble(pad=pad, left=left, right=right):
            return 0x5500, struct.pack("<HHH", pad, left, right)
        case MotionRequest(pad=pad, kind=sensor, rate_hz=rate_hz):
            return 0x5501, struct.pack("<HHB", pad, rate_hz, sensor.value)
        case RgbLed(pad=pad, red=red, green=green, blue=blue):
            return 0x5502, struct.pack("<HBBB", pad, red, green, blue)
        case AdaptiveTriggers():
            return 0x5503, _adaptive_triggers(message)
        case HdrMode():
            return 0x010E, _hdr_mode(message)


def _adaptive_triggers(message: AdaptiveTriggers) -> bytes:
    left, right = message.left, message.right
    return struct.pack(
        "<HBBB10s10s",
        message.pad,
        (0x04 if right else 0) | (0x08 if left else 0),
        left.type if left else 0,
        right.type if right else 0,
        left.parameters if left else b"",
        right.parameters if right else b"",
    )


def _hdr_mode(message: HdrMode) -> bytes:
    data = message.metadata
    if data is None:
        return bytes(27)
    return struct.pack(
        "<B13H",
        1,
        *data.red,
        *data.green,
        *data.blue,
        *data.white,
        data.max_luminance_nits,
        data.min_luminance_10000ths_nit,
        data.max_content_light_nits,
        data.max_frame_average_light_nits,
        data.max_full_frame_luminance_nits,
    )
