"""What host and client tell each other about a stream: DESCRIBE and ANNOUNCE.

docs/protocol/gamestream.md, sections 3.5 and 3.6.
"""

import re
from enum import IntFlag
from typing import Any

import attrs

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.audio import OPUS_LAYOUTS, surround_params
from punktfunk.model.video import Codec, codec_set

MAX_ATTRIBUTES = 256
MAX_LINE_BYTES = 512

_LOW_QUALITY_HOST = "0.0.0.0"
_NUMBER = re.compile(r"[0-9]{1,20}")


class Encryption(IntFlag):
    """What is encrypted, in the bits that DESCRIBE and ANNOUNCE use."""

    NONE = 0
    CONTROL_V2 = 1
    VIDEO = 2
    AUDIO = 4
    ALL = 7


@attrs.frozen(kw_only=True)
class HostCapabilities:
    """What the host can do for this client; `serverinfo` must say the same.

    Attributes:
        codecs: What encoders were probed to do.
        reference_invalidation: The encoder can avoid frames the client lost.
        pen_touch: The input driver takes pens and fingers.
        controller_motion: The input driver takes gyroscopes and touchpads of pads.
        encryption_requested: Switched on even where the client would not bother.
    """

    codecs: frozenset[Codec] = attrs.field(converter=codec_set)
    reference_invalidation: bool = False
    pen_touch: bool = False
    controller_motion: bool = False
    encryption_supported: Encryption = Encryption.ALL
    encryption_requested: Encryption = Encryption.CONTROL_V2


def describe(capabilities: HostCapabilities) -> bytes:
    """The body of the answer to DESCRIBE. Clients search it for these very strings."""
    features = int(capabilities.pen_touch) | int(capabilities.controller_motion) << 1
    lines = [
        f"a=x-ss-general.featureFlags:{features}",
        f"a=x-ss-general.encryptionSupported:{int(capabilities.encryption_supported)}",
        f"a=x-ss-general.encryptionRequested:{int(capabilities.encryption_requested)}",
    ]
    if capabilities.reference_invalidation:
        lines.append("a=x-nv-video[0].refPicInvalidation:1")
    if Codec.HEVC in capabilities.codecs:
        lines.append("sprop-parameter-sets=AAAAAU")
    if Codec.AV1 in capabilities.codecs:
        lines.append("a=rtpmap:98 AV1/90000")
    # For each number of channels the first line is the normal layout, the second the high one.
    lines += [f"a=fmtp:97 surround-params={surround_params(it)}" for it in OPUS_LAYOUTS.values()]
    return "\r\n".join((*lines, "")).encode("ascii")


def _number(name: str, default: Any = attrs.NOTHING) -> int:
    """A field read from the attribute `name`; without a default it must be there."""
    value: int = attrs.field(default=default, metadata={"sdp": name})
    return value


@attrs.frozen(kw_only=True)
class Announce:
    """What the client asked for: numbers as it wrote them, nothing judged yet.

    Attributes:
        configured_bitrate_kbps: The person's setting, for everything. 0 means: not told,
            use `maximum_bitrate_kbps`.
        stereo_high_quality: Not an attribute: clients that want plain stereo call the
            host `0.0.0.0` in the `Host` header.
    """

    width_px: int = _number("x-nv-video[0].clientViewportWd")
    height_px: int = _number("x-nv-video[0].clientViewportHt")
    fps: int = _number("x-nv-video[0].maxFPS")
    refresh_x100: int = _number("x-nv-video[0].clientRefreshRateX100", 0)
    packet_size: int = _number("x-nv-video[0].packetSize")
    maximum_bitrate_kbps: int = _number("x-nv-vqos[0].bw.maximumBitrateKbps")
    minimum_bitrate_kbps: int = _number("x-nv-vqos[0].bw.minimumBitrateKbps", 0)
    initial_bitrate_kbps: int = _number("x-nv-video[0].initialBitrateKbps", 0)
    initial_peak_bitrate_kbps: int = _number("x-nv-video[0].initialPeakBitrateKbps", 0)
    configured_bitrate_kbps: int = _number("x-ml-video.configuredBitrateKbps", 0)
    bitstream_format: int = _number("x-nv-vqos[0].bitStreamFormat", 0)
    supports_hevc: int = _number("x-nv-clientSupportHevc", 0)
    dynamic_range_mode: int = _number("x-nv-video[0].dynamicRangeMode", 0)
    chroma_sampling_type: int = _number("x-ss-video[0].chromaSamplingType", 0)
    csc_mode: int = _number("x-nv-video[0].encoderCscMode", 0)
    slices_per_frame: int = _number("x-nv-video[0].videoEncoderSlicesPerFrame", 1)
    max_reference_frames: int = _number("x-nv-video[0].maxNumReferenceFrames", 1)
    intra_refresh: int = _number("x-ss-video[0].intraRefresh", 0)
    min_fec_packets: int = _number("x-nv-vqos[0].fec.minRequiredFecPackets", 0)
    video_traffic_type: int = _number("x-nv-vqos[0].qosTrafficType", 5)
    audio_traffic_type: int = _number("x-nv-aqos.qosTrafficType", 4)
    reliable_udp: int = _number("x-nv-general.useReliableUdp", 1)
    nv_features: int = _number("x-nv-general.featureFlags", 135)
    ml_features: int = _number("x-ml-general.featureFlags", 0)
    encryption_enabled: int = _number("x-ss-general.encryptionEnabled", 0)
    audio_channels: int = _number("x-nv-audio.surround.numChannels", 2)
    audio_channel_mask: int = _number("x-nv-audio.surround.channelMask", 3)
    audio_surround: int = _number("x-nv-audio.surround.enable", 0)
    audio_quality: int = _number("x-nv-audio.surround.AudioQuality", 0)
    audio_packet_ms: int = _number("x-nv-aqos.packetDuration", 5)
    stereo_high_quality: bool = True


_FIELDS = {
    field.metadata["sdp"]: field for field in attrs.fields(Announce) if "sdp" in field.metadata
}


def parse_announce(body: bytes, host_header: str = "") -> Announce:
    """Read the body of ANNOUNCE.

    Args:
        body: Lines ended by CRLF or LF; attribute values have a space at the end.
        host_header: The request's `Host`.

    Raises:
        ProtocolError: not such a body, an attribute missing or not a plain number, or
            more or longer lines than any client sends.
    """
    numbers: dict[str, int] = {}
    for name, value in _attributes(body):
        field = _FIELDS.get(name)
        if field is None:
            continue
        if not _NUMBER.fullmatch(value):
            raise ProtocolError(f"{name} is not a number")
        numbers[field.name] = int(value)
    for name, field in _FIELDS.items():
        if field.default is attrs.NOTHING and field.name not in numbers:
            raise ProtocolError(f"{name} is missing")
    stereo_high_quality = host_header.strip().partition(":")[0] != _LOW_QUALITY_HOST
    return Announce(**numbers, stereo_high_quality=stereo_high_quality)


def _attributes(body: bytes) -> list[tuple[str, str]]:
    lines = body.split(b"\n", 2 * MAX_ATTRIBUTES)
    if len(lines) > 2 * MAX_ATTRIBUTES:
        raise ProtocolError("too many lines in ANNOUNCE", limit=2 * MAX_ATTRIBUTES)
    found = []
    for line in lines:
        if len(line) > MAX_LINE_BYTES:
            raise ProtocolError("line too long in ANNOUNCE", limit_bytes=MAX_LINE_BYTES)
        if not line.isascii():
            raise ProtocolError("ANNOUNCE is not ASCII")
        if line.startswith(b"a="):
            name, _, value = line[2:].decode("ascii").partition(":")
            found.append((name.strip(), value.strip()))
    if len(found) > MAX_ATTRIBUTES:
        raise ProtocolError("too many attributes in ANNOUNCE", limit=MAX_ATTRIBUTES)
    return found
