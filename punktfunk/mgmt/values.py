"""What the management API talks about, as values. `as_json` knows the names outside."""

import attrs

from punktfunk import __version__
from punktfunk.journal import Entry, State
from punktfunk.model.clients import Fingerprint
from punktfunk.model.offers import Availability
from punktfunk.model.plugins import API_VERSION
from punktfunk.model.session import StageTiming, StreamSample
from punktfunk.model.stream import StreamRequest
from punktfunk.model.video import Codec, VideoMode
from punktfunk.stats import SessionTotals


@attrs.frozen(kw_only=True)
class Health:
    """The only thing told without a token."""

    status: str = "ok"
    version: str = __version__
    abi_version: int = API_VERSION


@attrs.frozen(kw_only=True)
class PortMap:
    """Every port of the host; video, control and audio are those of the first session."""

    mgmt: int
    http: int
    https: int
    rtsp: int
    video: int
    control: int
    audio: int


@attrs.frozen(kw_only=True)
class HostInfo:
    """Attributes:
    local_ip: The address on the local network, as far as we can tell.
    addresses: Where clients can reach it, most likely first.
    codecs: Probed to work, most compatible first.
    app_version, gfe_version: What Moonlight is told.
    """

    hostname: str
    unique_id: str
    local_ip: str
    app_version: str
    gfe_version: str
    codecs: tuple[Codec, ...]
    ports: PortMap
    addresses: tuple[str, ...] = ()
    version: str = __version__
    abi_version: int = API_VERSION


@attrs.frozen(kw_only=True)
class LogLine:
    """Attributes:
    time: ISO 8601, UTC.
    level: `debug`, `info`, `warning`, `error` or `critical`.
    trace: Lines that tell where an error was; empty for most.
    """

    time: str
    level: str
    logger: str
    message: str
    trace: str = ""


@attrs.frozen(kw_only=True)
class Leftover:
    """Something a session did to this machine and has not taken back yet.

    Attributes:
        seat: Of the session.
        kind: What it is, see `punktfunk.model.plugins.Effect`.
        running: The session still runs, so that this is as it should be.
        state: Whether it is tried again.
        reason: Why the last try failed or it is left alone; empty before the first try.
    """

    id: str
    seat: str
    kind: str
    running: bool
    state: State
    reason: str

    @classmethod
    def of(cls, entry: Entry, *, running: bool) -> "Leftover":
        return cls(
            id=entry.id,
            seat=entry.journal,
            kind=entry.effect.kind,
            running=running,
            state=entry.state,
            reason=entry.reason,
        )


@attrs.frozen(kw_only=True)
class MemberView:
    """A client of a session as the host shows it to the API.

    Attributes:
        guest: The session is another client's.
        watches: Its input is left out.
        stream_id: Of its stream; None while it is away.
        stream: What it negotiated.
        streaming: Picture and sound are going out to it.
        connected_unix: Since when; None while they do not.
        sample: What its stream did in the last second; None when there is none.
        totals: What its streams have done in all.
    """

    client: Fingerprint
    client_name: str
    guest: bool = False
    watches: bool = False
    stream_id: int | None = None
    stream: StreamRequest | None = None
    streaming: bool = False
    connected_unix: int | None = None
    sample: StreamSample | None = None
    totals: SessionTotals = attrs.field(factory=SessionTotals)


@attrs.frozen(kw_only=True)
class SessionView:
    """A session as the host shows it to the API.

    Attributes:
        app_id: In the library.
        started_unix: When display and app were up.
        mode: Of its display.
        members: Its owner first, then the guests.
        second_client: What a device gets that starts this app, see `StreamSettings`.
    """

    id: int
    app: str
    mode: VideoMode
    members: tuple[MemberView, ...]
    second_client: str = "own"
    app_id: str = ""
    started_unix: int = 0

    @property
    def shown(self) -> MemberView:
        """For readers that know only one: who streams, the owner before the others."""
        return next((it for it in self.members if it.streaming), self.members[0])


@attrs.frozen(kw_only=True)
class SessionInfo:
    width_px: int
    height_px: int
    fps: int


@attrs.frozen(kw_only=True)
class StreamInfo:
    """Attributes:
    packet_size_bytes: Picture data in one packet.
    min_fec_packets: The client's least parity a block.
    """

    width_px: int
    height_px: int
    fps: int
    bitrate_kbps: int
    packet_size_bytes: int
    min_fec_packets: int
    codec: Codec
    video_encrypted: bool
    audio_encrypted: bool


@attrs.frozen(kw_only=True)
class StreamFigures:
    """What a stream did in the last second; see `StatsSample`.

    Attributes:
        latency_p50_us, latency_p99_us: From capture to the last packet, without the encoder
            and without intended pauses.
        stages: What each step of a picture took.
    """

    fps: float
    repeat_fps: float
    mbps: float
    bitrate_kbps: int
    frames_dropped: int
    packets_dropped: int
    send_dropped: int
    fec_recovered: int
    latency_p50_us: int
    latency_p99_us: int
    stages: tuple[StageTiming, ...] = ()


@attrs.frozen(kw_only=True)
class ClientStatus:
    """A client of a session.

    Attributes:
        role: `owner`, `guest`, or `spectator` for a guest that may only watch.
        encoding: Clients of a session with the same number share one encoder; None without
            figures.
        connected_unix: When picture and sound began to go out; None while they do not.
    """

    client: Fingerprint
    client_name: str
    role: str
    stream_id: int | None
    streaming: bool
    connected_unix: int | None
    stream: StreamInfo | None
    encoding: int | None
    stats: StreamFigures | None


@attrs.frozen(kw_only=True)
class SessionStatus:
    """Attributes:
    client: Whose session it is.
    stream, stats: Of the owner, or of a guest while the owner is away.
    """

    id: int
    app: str
    client: Fingerprint
    client_name: str
    width_px: int
    height_px: int
    fps: int
    streaming: bool
    stream: StreamInfo | None
    stats: StreamFigures | None
    second_client: str
    clients: tuple[ClientStatus, ...]
    app_id: str
    started_unix: int


@attrs.frozen(kw_only=True)
class RuntimeStatus:
    """Attributes:
    session: The oldest that streams, else the oldest: for readers that know only one.
    stream: Of that session.
    """

    video_streaming: bool
    audio_streaming: bool
    pin_pending: bool
    paired_clients: int
    session: SessionInfo | None
    stream: StreamInfo | None
    sessions: tuple[SessionStatus, ...]


@attrs.frozen(kw_only=True)
class AvailableCompositor:
    """Available when one of its two ways is.

    Attributes:
        default: An app without a wish gets it right now.
        reason: Why it is not available; empty when it is.
        hint: What a person can do about that.
        own: Displays of the session's own; None where it makes none.
        attach: The desktop that already runs; None where it cannot show that.
    """

    id: str
    label: str
    available: bool
    default: bool
    reason: str = ""
    hint: str = ""
    own: Availability | None = None
    attach: Availability | None = None


@attrs.frozen(kw_only=True)
class SubmitPin:
    """Attributes:
    id: For which of the waiting devices; may be left out when only one waits.
    """

    pin: str = attrs.field(repr=False)
    id: int | None = None


@attrs.frozen(kw_only=True)
class UpdateClient:
    """Attributes:
    name: What a person calls it.
    """

    name: str
