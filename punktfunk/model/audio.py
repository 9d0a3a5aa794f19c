"""Sound: channel layouts and what an audio encoder is asked for."""

from enum import StrEnum

import attrs
from attrs.validators import ge, in_, le

SAMPLE_RATE_HZ = 48_000


class Speaker(StrEnum):
    """Speaker positions, named as PulseAudio and PipeWire name them."""

    FRONT_LEFT = "front-left"
    FRONT_RIGHT = "front-right"
    FRONT_CENTER = "front-center"
    LFE = "lfe"
    REAR_LEFT = "rear-left"
    REAR_RIGHT = "rear-right"
    SIDE_LEFT = "side-left"
    SIDE_RIGHT = "side-right"


_ORDER = tuple(Speaker)


@attrs.frozen
class ChannelLayout:
    """Which speakers, in the order in which samples are interleaved.

    The order is the same everywhere in punktfunk: FL FR FC LFE BL BR SL SR.
    """

    speakers: tuple[Speaker, ...]

    @property
    def channels(self) -> int:
        return len(self.speakers)


STEREO = ChannelLayout(_ORDER[:2])
SURROUND_51 = ChannelLayout(_ORDER[:6])
SURROUND_71 = ChannelLayout(_ORDER)
LAYOUTS = {layout.channels: layout for layout in (STEREO, SURROUND_51, SURROUND_71)}


@attrs.frozen(kw_only=True)
class OpusParams:
    """What the client negotiated for sound.

    Attributes:
        high_quality: One Opus stream per channel and a generous rate (5.1 and 7.1),
            512 kbit/s for stereo.
        packet_ms: Length of a packet, 5 or 10.
    """

    layout: ChannelLayout = STEREO
    high_quality: bool = False
    packet_ms: int = attrs.field(default=5, validator=[in_((5, 10)), ge(5), le(10)])

    @property
    def frames_per_packet(self) -> int:
        return SAMPLE_RATE_HZ * self.packet_ms // 1_000
