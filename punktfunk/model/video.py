"""Pictures: modes, codecs, colours, and what an encoder is asked for and gives back."""

from collections.abc import Iterable
from enum import StrEnum

import attrs
from attrs.validators import ge, le

MAX_SIDE_PX = 16_384


class Codec(StrEnum):
    H264 = "h264"
    HEVC = "hevc"
    AV1 = "av1"


def codec_set(codecs: Iterable[Codec]) -> frozenset[Codec]:
    """For fields that hold codecs: `converter=codec_set`."""
    return frozenset(codecs)


class PixelFormat(StrEnum):
    """Layout of a picture in memory, bytes in address order.

    `BGRX` is one plane of 4 bytes a pixel (Wayland's XRGB8888 and ARGB8888), and so are
    the other three; what is at the place of the X, such as opacity, is not looked at.
    `I420` is three planes (Y, U, V), `NV12` two (Y, UV interleaved); chroma is halved
    both ways.
    """

    BGRX = "bgrx"
    RGBX = "rgbx"
    XBGR = "xbgr"
    XRGB = "xrgb"
    I420 = "i420"
    NV12 = "nv12"


PACKED = (PixelFormat.BGRX, PixelFormat.RGBX, PixelFormat.XBGR, PixelFormat.XRGB)
"""One plane of 4 bytes a pixel: what pictures can be converted from."""


class ColorSpace(StrEnum):
    REC601 = "rec601"
    REC709 = "rec709"
    REC2020 = "rec2020"


@attrs.frozen(kw_only=True)
class ColorSpec:
    space: ColorSpace = ColorSpace.REC709
    full_range: bool = False


@attrs.frozen(kw_only=True)
class VideoMode:
    """What a display shows. Rates are millihertz, so that 59.94 Hz can be said."""

    width_px: int = attrs.field(validator=[ge(16), le(MAX_SIDE_PX)])
    height_px: int = attrs.field(validator=[ge(16), le(MAX_SIDE_PX)])
    refresh_mhz: int = attrs.field(validator=[ge(1_000), le(1_000_000)])

    @property
    def frame_interval_ns(self) -> int:
        return 1_000_000_000_000 // self.refresh_mhz

    @property
    def refresh_hz(self) -> float:
        return self.refresh_mhz / 1_000

    def __str__(self) -> str:
        return f"{self.width_px}x{self.height_px}@{self.refresh_hz:g}"


@attrs.frozen(kw_only=True)
class EncodeParams:
    """What the client negotiated for the picture's bitstream.

    Attributes:
        bitrate_kbps: For the encoder alone; parity and audio are already taken off.
        slices_per_frame: At least 1. A wish: an encoder may give fewer.
        max_reference_frames: 0 leaves it to the encoder.
    """

    codec: Codec
    mode: VideoMode
    bitrate_kbps: int = attrs.field(validator=[ge(100), le(1_000_000)])
    color: ColorSpec = attrs.field(factory=ColorSpec)
    slices_per_frame: int = attrs.field(default=1, validator=[ge(1), le(32)])
    max_reference_frames: int = attrs.field(default=0, validator=[ge(0), le(16)])


@attrs.frozen(kw_only=True)
class EncodedFrame:
    """One access unit: Annex B for H.264 and HEVC, a temporal unit for AV1.

    Attributes:
        keyframe: True only for an IDR (a client can start here).
        captured_ns: CLOCK_MONOTONIC of the picture it shows.
        after_invalidation: The encoder avoided every reference that was invalidated.
    """

    data: bytes | memoryview
    keyframe: bool
    captured_ns: int
    after_invalidation: bool = False
