"""What the host tells a session's worker to do, and what the worker says back.

A session lasts from launch to quit; it holds the display, the app and the devices. A
stream is one client connection inside it.
"""

from collections.abc import Mapping
from enum import StrEnum

import attrs
from attrs.validators import in_, max_len, min_len

from punktfunk.model.apps import LaunchSpec, PrepCommand
from punktfunk.model.stream import StreamRequest
from punktfunk.model.video import VideoMode


@attrs.frozen(kw_only=True)
class DriverRef:
    """A driver by its entry-point name, with its plugin's settings."""

    name: str
    settings: Mapping[str, object] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class SessionPlan:
    """Everything a worker needs to bring a session up. Names and values only.

    Attributes:
        seat: Unique name; marks the session's processes and folders.
        client: Fingerprint of the device that it was started for.
        channels: Of the session's sink: 2, 6 or 8.
        attach: Show the desktop that already runs instead of one of the session's own.
        sound_on_host: The host's own speakers play the session's sound, too.
        start_default_app: Start what the compositor calls its default app, because
            `launch` is the desktop itself.
        ends_with_app: The session is over when the app has ended.
        prep: Commands to run before anything else, and to take back after everything else.
        keep_awake: Why the machine must neither sleep nor blank its screen meanwhile, for a
            person; empty lets it.
        memory: Folder of what drivers remember from one session to the next.
        encoders: By preference; the second is tried once when the first will not open.
        touch, pen: The input driver takes fingers, and pens, as such; else they are the pointer.
        gamepad: None where a client's pads go nowhere.
    """

    session_id: int
    seat: str
    client: str = ""
    app_title: str
    launch: LaunchSpec
    attach: bool = False
    sound_on_host: bool = False
    start_default_app: bool = False
    ends_with_app: bool = False
    prep: tuple[PrepCommand, ...] = ()
    mode: VideoMode
    channels: int = attrs.field(default=2, validator=in_((2, 6, 8)))
    compositor: DriverRef
    capture: DriverRef
    encoders: tuple[DriverRef, ...] = attrs.field(validator=min_len(1))
    audio: DriverRef
    audio_encoder: DriverRef
    input: DriverRef
    touch: bool = False
    pen: bool = False
    gamepad: DriverRef | None = None
    runtime_root: str
    journal: str
    memory: str
    host_environment: Mapping[str, str] = attrs.field(factory=dict)
    keep_awake: str = ""


@attrs.frozen(kw_only=True)
class StreamPlan:
    """One client connection: what was negotiated, and the secrets that guard it.

    Attributes:
        key: The client's 16-byte key for this stream, never used for another one.
        key_id: Unsigned; starts the audio nonces.
        ping_payload: 16 bytes that the client's UDP pings carry.
        connect_data: What its ENet connection brings along.
        client_ip: The address that spoke over TLS; media goes nowhere else until an
            authenticated message comes from another one.
        local_ip: The address of ours that the client speaks to: it expects the answers from
            there. None where there is only one.
        place: Of the client in the session. One place has one stream: a new one ends the old.
        guest: The session is another client's: the display keeps the mode that one chose.
        watches: The client sees and hears, and its input is left out.
    """

    stream_id: int
    request: StreamRequest
    key: bytes = attrs.field(repr=False, validator=[min_len(16), max_len(16)])
    key_id: int
    ping_payload: bytes = attrs.field(repr=False, validator=[min_len(16), max_len(16)])
    connect_data: int = attrs.field(repr=False)
    client_ip: str
    local_ip: str | None = None
    place: int = 0
    guest: bool = False
    watches: bool = False


class StreamEnd(StrEnum):
    """Why a stream ended."""

    CLIENT_LEFT = "client_left"
    CLIENT_VANISHED = "client_vanished"
    NEVER_CONNECTED = "never_connected"
    STOPPED = "stopped"
    REPLACED = "replaced"
    TAKEN_OVER = "taken_over"
    MODE_CHANGED = "mode_changed"
    UNPAIRED = "unpaired"
    HOSTILE = "hostile"
    FAILED = "failed"
    APP_ENDED = "app_ended"


@attrs.frozen(kw_only=True)
class StageTiming:
    """One stage's durations over the last window, microseconds."""

    name: str
    p50_us: int
    p99_us: int


@attrs.frozen(kw_only=True)
class StreamSample:
    """What a stream did in the last window, about a second.

    Attributes:
        frames_new: Pictures that differed from the one before.
        frames_repeated: Pictures sent again because nothing had changed.
        frames_dropped: Captured pictures that were never sent.
        client_packets_missing: Packets of the picture that the client says it did not get.
        client_packets_recovered: Of those, the ones it rebuilt from parity.
        latency_p50_us: From capture to the last packet handed to the kernel, without the
            encoder and without intended pacing pauses.
        encoding: Which of the session's encoders made its pictures. Streams with the same
            number share one.
    """

    stream_id: int
    window_ms: int
    encoding: int = 0
    stages: tuple[StageTiming, ...] = ()
    frames_new: int = 0
    frames_repeated: int = 0
    frames_dropped: int = 0
    keyframes: int = 0
    bytes_sent: int = 0
    packets_sent: int = 0
    packets_dropped: int = 0
    send_errors: int = 0
    audio_packets: int = 0
    bitrate_kbps: int = 0
    client_frames_lost: int = 0
    client_packets_missing: int = 0
    client_packets_recovered: int = 0
    latency_p50_us: int = 0
    latency_p99_us: int = 0
    rejected_messages: int = 0
