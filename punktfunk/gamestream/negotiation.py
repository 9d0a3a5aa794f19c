"""What becomes of a client's wishes: a stream within our limits, or a refusal with a reason.

docs/protocol/gamestream.md, sections 3.6 and 12.
"""

import attrs
from attrs.validators import ge, le

from punktfunk.errors import Refused
from punktfunk.gamestream.sdp import Announce, Encryption
from punktfunk.model.audio import LAYOUTS, ChannelLayout, OpusParams
from punktfunk.model.stream import StreamRequest
from punktfunk.model.video import MAX_SIDE_PX, Codec, ColorSpace, ColorSpec, VideoMode, codec_set

MIN_SIDE_PX = 64
MAX_FPS = 1_000
MIN_PACKET_SIZE = 256
MIN_BITRATE_KBPS = 100

MAX_MIN_FEC_PACKETS = 2
"""All that clients ask for. More could not be said for a block of one packet: its percentage
is one byte."""

_CODECS = {0: Codec.H264, 1: Codec.HEVC, 2: Codec.AV1}
_COLOR_SPACES = {0: ColorSpace.REC601, 1: ColorSpace.REC709, 2: ColorSpace.REC2020}
_CHANNEL_MASKS = {2: 0x3, 6: 0x3F, 8: 0x63F}
_ENCRYPTED_CONTROL = 13
_AUDIO_ENCRYPTION_FEATURE = 0x20
_SENDS_FEC_STATUS, _KNOWS_PING_PAYLOAD = 0x01, 0x02
_DSCP_VIDEO, _DSCP_AUDIO = 40, 48
_DATAGRAM_OVERHEAD_BYTES = 16
_PACKET_HEADER_BYTES = 16


@attrs.frozen(kw_only=True)
class StreamLimits:
    """What the host is willing to do for this client.

    Attributes:
        fec_percent: Parity packets per 100 data packets.
        max_packet_size: Largest datagram the path takes, less 16 bytes.
        encryption_required: Without these the client is refused with 403. Ask for
            `CONTROL_V2` of a client that once used it.
    """

    codecs: frozenset[Codec] = attrs.field(converter=codec_set)
    max_width_px: int = attrs.field(default=7_680, validator=[ge(MIN_SIDE_PX), le(MAX_SIDE_PX)])
    max_height_px: int = attrs.field(default=4_320, validator=[ge(MIN_SIDE_PX), le(MAX_SIDE_PX)])
    max_fps: int = attrs.field(default=240, validator=[ge(1), le(MAX_FPS)])
    max_bitrate_kbps: int = attrs.field(
        default=500_000, validator=[ge(MIN_BITRATE_KBPS), le(1_000_000)]
    )
    max_packet_size: int = attrs.field(default=1_424, validator=[ge(MIN_PACKET_SIZE), le(65_504)])
    fec_percent: int = attrs.field(default=20, validator=[ge(0), le(255)])
    surround: bool = True
    encryption_required: Encryption = Encryption.NONE


def negotiate(announce: Announce, limits: StreamLimits) -> StreamRequest:
    """Agree on a stream.

    Rates above a limit are lowered. What the client has already built its decoder and
    buffers for (size, codec, packets, channels) is taken as asked or refused.

    Raises:
        Refused: says why; its field `status` is 400, or 403 where encryption is missing.
    """
    encryption = _encryption(announce, limits)
    mode = _mode(announce, limits)
    audio = _audio(announce, limits)
    packet_size = _packet_size(announce, limits)
    min_fec_packets = min(announce.min_fec_packets, MAX_MIN_FEC_PACKETS)
    asked_kbps = announce.configured_bitrate_kbps or announce.maximum_bitrate_kbps
    bitrate_kbps = max(MIN_BITRATE_KBPS, min(asked_kbps, limits.max_bitrate_kbps))
    encoder_kbps = min(
        _budget_left_for_picture(bitrate_kbps, limits.fec_percent, audio),
        _rate_that_fits_with_parity(
            bitrate_kbps, limits.fec_percent, min_fec_packets, packet_size, mode
        ),
    )
    return StreamRequest(
        mode=mode,
        codec=_codec(announce, limits),
        color=_color(announce),
        slices_per_frame=max(1, min(announce.slices_per_frame, 32)),
        max_reference_frames=min(announce.max_reference_frames, 16),
        packet_size=packet_size,
        bitrate_kbps=bitrate_kbps,
        encoder_bitrate_kbps=max(MIN_BITRATE_KBPS, encoder_kbps),
        min_fec_packets=min_fec_packets,
        fec_percent=limits.fec_percent,
        audio=audio,
        encrypt_video=Encryption.VIDEO in encryption,
        encrypt_audio=Encryption.AUDIO in encryption,
        control_v2=Encryption.CONTROL_V2 in encryption,
        dscp_video=_DSCP_VIDEO if announce.video_traffic_type else 0,
        dscp_audio=_DSCP_AUDIO if announce.audio_traffic_type else 0,
        client_sends_fec_status=bool(announce.ml_features & _SENDS_FEC_STATUS),
        client_knows_ping_payload=bool(announce.ml_features & _KNOWS_PING_PAYLOAD),
    )


def _encryption(announce: Announce, limits: StreamLimits) -> Encryption:
    if announce.reliable_udp != _ENCRYPTED_CONTROL:
        raise _refused("this client is too old: it does not encrypt its control stream", 403)
    enabled = Encryption(announce.encryption_enabled & Encryption.ALL)
    # Clients set the older flag, too, whatever the host offered.
    if announce.nv_features & _AUDIO_ENCRYPTION_FEATURE:
        enabled |= Encryption.AUDIO
    missing = limits.encryption_required & ~enabled
    if missing:
        names = ", ".join(str(flag.name).lower() for flag in Encryption(missing))
        raise _refused(f"this host asks for encryption that is off: {names}", 403)
    return enabled


def _mode(announce: Announce, limits: StreamLimits) -> VideoMode:
    width_px, height_px = announce.width_px & ~1, announce.height_px & ~1
    if width_px < MIN_SIDE_PX or height_px < MIN_SIDE_PX:
        raise _refused(f"a picture of {announce.width_px}x{announce.height_px} is too small")
    if width_px > limits.max_width_px or height_px > limits.max_height_px:
        raise _refused(
            f"a picture of {announce.width_px}x{announce.height_px} is too large: this host "
            f"streams up to {limits.max_width_px}x{limits.max_height_px}"
        )
    if not 1 <= announce.fps <= MAX_FPS:
        raise _refused(f"{announce.fps} pictures a second make no sense")
    # Android sends the rate of its display, which may have nothing to do with the stream.
    refresh_mhz = announce.fps * 1_000
    if abs(announce.refresh_x100 - announce.fps * 100) <= announce.fps:
        refresh_mhz = announce.refresh_x100 * 10
    refresh_mhz = max(1_000, min(refresh_mhz, limits.max_fps * 1_000))
    return VideoMode(width_px=width_px, height_px=height_px, refresh_mhz=refresh_mhz)


def _audio(announce: Announce, limits: StreamLimits) -> OpusParams:
    if announce.audio_packet_ms not in (5, 10):
        raise _refused(f"sound packets of {announce.audio_packet_ms} ms are not possible")
    layout = _layout(announce)
    surround = layout.channels > 2
    if surround and not limits.surround:
        raise _refused("this host has no surround sound")
    high_quality = announce.audio_quality == 1 if surround else announce.stereo_high_quality
    return OpusParams(layout=layout, high_quality=high_quality, packet_ms=announce.audio_packet_ms)


def _layout(announce: Announce) -> ChannelLayout:
    channels = announce.audio_channels
    layout = LAYOUTS.get(channels)
    if layout is None or announce.audio_channel_mask != _CHANNEL_MASKS[channels]:
        raise _refused(
            f"{channels} sound channels with mask {announce.audio_channel_mask} are not possible"
        )
    return layout


def _packet_size(announce: Announce, limits: StreamLimits) -> int:
    size = announce.packet_size
    # A smaller value of our own would not do: the client restores lost packets in its own size.
    if size % 16 or not MIN_PACKET_SIZE <= size <= limits.max_packet_size:
        raise _refused(
            f"a packet size of {size} is not possible: take a multiple of 16 "
            f"from {MIN_PACKET_SIZE} to {limits.max_packet_size}"
        )
    return size


def _codec(announce: Announce, limits: StreamLimits) -> Codec:
    codec = _CODECS.get(announce.bitstream_format)
    if codec is None or codec not in limits.codecs:
        name = codec.value if codec else f"format {announce.bitstream_format}"
        raise _refused(f"this host does not offer {name}")
    if announce.dynamic_range_mode:
        raise _refused("this host does not offer 10 bits a colour (HDR)")
    if announce.chroma_sampling_type:
        raise _refused("this host does not offer full colour resolution (4:4:4)")
    return codec


def _color(announce: Announce) -> ColorSpec:
    space = _COLOR_SPACES.get(announce.csc_mode >> 1)
    if space is None:
        raise _refused(f"colour mode {announce.csc_mode} is not known")
    return ColorSpec(space=space, full_range=bool(announce.csc_mode & 1))


def _budget_left_for_picture(bitrate_kbps: int, fec_percent: int, audio: OpusParams) -> int:
    """The rule other hosts use, so that a person's setting means the same here."""
    left = bitrate_kbps
    if fec_percent <= 80:
        left = left * (100 - fec_percent) // 100
    audio_kbps = audio.layout.channels * (256 if audio.high_quality else 96)
    left -= min(audio_kbps, left // 5)
    return left - min(500, left // 10)


def _rate_that_fits_with_parity(
    bitrate_kbps: int, fec_percent: int, min_fec_packets: int, packet_size: int, mode: VideoMode
) -> int:
    """The most a picture may hold such that it and its parity keep to the rate on the wire.

    Matters for small pictures: one packet with the two parity packets clients ask for
    costs three times its size, which no percentage tells.
    """
    datagram_bits = (packet_size + _DATAGRAM_OVERHEAD_BYTES) * 8
    packets_per_frame = bitrate_kbps * 1_000_000 // (mode.refresh_mhz * datagram_bits)
    data = max(1, packets_per_frame * 100 // (100 + fec_percent))
    if fec_percent:
        data = max(1, min(data, packets_per_frame - min_fec_packets))
    payload_bits = (packet_size - _PACKET_HEADER_BYTES) * 8
    return data * payload_bits * mode.refresh_mhz // 1_000_000


def _refused(reason: str, status: int = 400) -> Refused:
    return Refused(reason, status=status)
