"""What `/launch` and `/resume` ask for (docs/protocol/gamestream.md, section 2.6)."""

import re

import attrs

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.query import Query
from punktfunk.model.audio import LAYOUTS, ChannelLayout
from punktfunk.model.video import VideoMode

_KEY_BYTES = 16
_MODE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})x([0-9]{1,4})")
_STEREO = 0x3 << 16 | 2


@attrs.frozen(kw_only=True)
class LaunchRequest:
    """A client wants an app, or wants its app back.

    Attributes:
        app_id: Moonlight's number of the app. 0 in a resume that does not say.
        mode: A first wish; ANNOUNCE binds. None in a resume that does not say.
        ri_key: AES-128 key of the session's streams. Never logged.
        ri_key_id: As u32; big-endian it is the first 4 bytes of an IV.
        layout: Speakers of the client.
        play_audio_on_host: Keep the sound on the host, too.
        optimise_display: The person allows the host to change its display mode.
        gamepad_mask: Pads attached at the start, bit 0 is the first.
        keep_gamepads: Leave pads plugged in after a disconnect.
        core_version: None is an old client; 0 knows control encryption v2 and video
            encryption; 1 and above also encrypted RTSP.
    """

    app_id: int
    mode: VideoMode | None
    ri_key: bytes = attrs.field(repr=False)
    ri_key_id: int
    layout: ChannelLayout
    play_audio_on_host: bool
    optimise_display: bool
    hdr: bool
    gamepad_mask: int
    keep_gamepads: bool
    core_version: int | None

    @property
    def encrypted_rtsp(self) -> bool:
        return (self.core_version or 0) >= 1

    def session_url(self, local_address: str, rtsp_port: int) -> str:
        """The `sessionUrl0`: where this client shall speak RTSP."""
        scheme = "rtspenc" if self.encrypted_rtsp else "rtsp"
        address, _, _scope = local_address.partition("%")  # a scope means nothing elsewhere
        if ":" in address:
            address = f"[{address}]"
        return f"{scheme}://{address}:{rtsp_port}"


def read_launch(query: Query) -> LaunchRequest:
    """Raises ProtocolError, with the name of the parameter, for whatever is malformed."""
    if not query.text("mode"):
        raise ProtocolError("mode is missing")
    return _read(query, app_id=query.number("appid", 1, 0x7FFF_FFFF))


def read_resume(query: Query) -> LaunchRequest:
    """Like `read_launch`; older clients leave out the app and the mode."""
    return _read(query, app_id=query.number("appid", 0, 0x7FFF_FFFF, default=0))


def _read(query: Query, *, app_id: int) -> LaunchRequest:
    ri_key = query.hex("rikey")
    if len(ri_key) != _KEY_BYTES:
        raise ProtocolError("rikey is not 16 bytes long")
    pads = "gcmap" if "gcmap" in query else "remoteControllersBitmap"
    return LaunchRequest(
        app_id=app_id,
        mode=_mode(query.text("mode")),
        ri_key=ri_key,
        ri_key_id=query.number("rikeyid", -(1 << 31), (1 << 32) - 1) & 0xFFFF_FFFF,
        layout=_layout(query.number("surroundAudioInfo", 0, 0xFFFF_FFFF, default=_STEREO)),
        play_audio_on_host=query.flag("localAudioPlayMode"),
        optimise_display=query.flag("sops"),
        hdr=query.flag("hdrMode"),
        gamepad_mask=query.number(pads, 0, 0xFFFF, default=0),
        keep_gamepads=query.flag("gcpersist"),
        core_version=query.number("corever", 0, 0xFFFF) if query.text("corever") else None,
    )


def _mode(text: str) -> VideoMode | None:
    if not text:
        return None
    found = _MODE.fullmatch(text)
    if found is None:
        raise ProtocolError("mode is not WIDTHxHEIGHTxFPS")
    width_px, height_px, fps = (int(number) for number in found.groups())
    try:
        return VideoMode(width_px=width_px, height_px=height_px, refresh_mhz=fps * 1_000)
    except ValueError as error:
        raise ProtocolError("mode is out of bounds", mode=text) from error


def _layout(info: int) -> ChannelLayout:
    channels, mask = info & 0xFFFF, info >> 16
    layout = LAYOUTS.get(channels)
    if layout is None or mask.bit_count() != channels:
        raise ProtocolError("surroundAudioInfo names no known layout", info=info)
    return layout
