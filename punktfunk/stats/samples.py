"""What a capture is made of: values, and the figures of a stream's window in them."""

import math
from collections.abc import Callable
from typing import Any

import attrs
from attrs.validators import and_, instance_of, max_len

from punktfunk.model.clients import Fingerprint
from punktfunk.model.session import StageTiming, StreamSample
from punktfunk.model.video import VideoMode

GAMESTREAM = "gamestream"
MAX_INT32 = 2**31 - 1
MAX_STAGES = 16
_LABEL_CHARS = 8


def _whole(most: int) -> Callable[[object, Any, Any], None]:
    def check(_instance: object, field: Any, value: Any) -> None:
        if type(value) is not int or not 0 <= value <= most:
            raise ValueError(f"{field.name} must be a whole number from 0 to {most}")

    return check


def _rate(_instance: object, field: Any, value: Any) -> None:
    if type(value) not in (int, float) or not 0 <= value < math.inf:
        raise ValueError(f"{field.name} must be a number that is not negative")


_int32 = _whole(MAX_INT32)
_int64 = _whole(2**63 - 1)
_text = and_(instance_of(str), max_len(64))


@attrs.frozen(kw_only=True)
class StatsSample:
    """One stream's last window, about a second.

    Attributes:
        t_ms: Since the capture began, on a clock that nobody sets.
        fps, repeat_fps: New pictures a second, and those sent again.
        mbps: The picture with its parity, Mbit a second, without sound and IP headers.
        bitrate_kbps: What the encoder may spend of the bitrate that the client asked for.
        frames_dropped: Captured, but never sent.
        packets_dropped: Packets of the picture that did not reach the client. Known from what
            it reports, which not every client does; else 0.
        send_dropped: Packets that the kernel did not take.
        fec_recovered: Of `packets_dropped`, those that the client rebuilt from parity.
        client: See `StreamLabel`; empty in recordings of earlier versions.
    """

    t_ms: int = attrs.field(validator=_int64)
    session_id: int = attrs.field(validator=_int32)
    stages: tuple[StageTiming, ...] = attrs.field(validator=max_len(MAX_STAGES))
    fps: float = attrs.field(validator=_rate)
    repeat_fps: float = attrs.field(validator=_rate)
    mbps: float = attrs.field(validator=_rate)
    bitrate_kbps: int = attrs.field(validator=_int32)
    frames_dropped: int = attrs.field(validator=_int32)
    packets_dropped: int = attrs.field(validator=_int32)
    send_dropped: int = attrs.field(validator=_int32)
    fec_recovered: int = attrs.field(validator=_int32)
    client: str = attrs.field(default="", validator=_text)


@attrs.frozen(kw_only=True)
class StreamLabel:
    """Which stream a sample is of.

    Attributes:
        codec: `h264`, `hevc` or `av1`.
        client: See `label_of`. Enough to tell devices apart, and nobody's name in a recording
            that is passed on.
    """

    session_id: int
    mode: VideoMode
    codec: str
    client: str
    kind: str = GAMESTREAM


@attrs.frozen(kw_only=True)
class CaptureMeta:
    """A capture's summary.

    Attributes:
        id: Of the recording, its file's stem.
        kind, width, height, fps, codec, client: Of the stream that was sampled last; 0 and
            empty when there was none.
    """

    id: str = attrs.field(validator=_text)
    started_unix_ms: int = attrs.field(validator=_int64)
    duration_ms: int = attrs.field(validator=_int64)
    kind: str = attrs.field(validator=_text)
    width: int = attrs.field(validator=_int32)
    height: int = attrs.field(validator=_int32)
    fps: int = attrs.field(validator=_int32)
    codec: str = attrs.field(validator=_text)
    client: str = attrs.field(validator=_text)
    sample_count: int = attrs.field(validator=_int32)


@attrs.frozen(kw_only=True)
class StatsStatus:
    """Whether a capture runs. When none does, nothing of it is left: 0 and empty."""

    armed: bool = False
    sample_count: int = 0
    started_unix_ms: int = 0
    kind: str = ""


@attrs.frozen
class Capture:
    """A whole capture.

    Attributes:
        samples: Oldest first, each as the JSON that `recording_file` makes of it.
    """

    meta: CaptureMeta
    samples: tuple[bytes, ...] = attrs.field(repr=False)


def sample_of(stream: StreamSample, session_id: int, t_ms: int, client: str = "") -> StatsSample:
    """Say what a worker reported in a capture's terms."""
    return StatsSample(
        t_ms=t_ms,
        session_id=_bounded(session_id),
        stages=stream.stages[:MAX_STAGES],
        fps=per_second(stream.frames_new, stream),
        repeat_fps=per_second(stream.frames_repeated, stream),
        mbps=per_second(stream.bytes_sent * 8 / 1_000_000, stream),
        bitrate_kbps=_bounded(stream.bitrate_kbps),
        frames_dropped=_bounded(stream.frames_dropped),
        packets_dropped=_bounded(stream.client_packets_missing),
        send_dropped=_bounded(stream.packets_dropped),
        fec_recovered=_bounded(stream.client_packets_recovered),
        client=client,
    )


def label_of(fingerprint: Fingerprint) -> str:
    """Shorten a client's fingerprint to its first digits."""
    return fingerprint[:_LABEL_CHARS]


def per_second(amount: float, stream: StreamSample) -> float:
    """Divide by the window's length."""
    return round(amount * 1_000 / max(1, stream.window_ms), 3)


def _bounded(count: int) -> int:
    return max(0, min(count, MAX_INT32))
