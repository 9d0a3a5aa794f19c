"""What we ask of a producer of pictures, and what it answered."""

from collections.abc import Collection, Mapping

import attrs

from punktfunk.errors import DriverFailed
from punktfunk.model.frames import DmaBuf, DmaBufFormat
from punktfunk.model.video import PACKED, PixelFormat, VideoMode
from punktfunk.pipewire import pods

MAX_SIDE_PX = 16_384
MEM_PTR, MEM_FD, DMA_BUF = 1, 2, 3
HEADER, CROP, DAMAGE, CURSOR = 1, 2, 3, 5
PARAM_FORMAT = 4

_ENUM_FORMAT, _BUFFERS, _META = 3, 5, 6
_FORMAT_OBJECT, _BUFFERS_OBJECT, _META_OBJECT = 0x4_0003, 0x4_0004, 0x4_0005
_MEDIA_TYPE, _MEDIA_SUBTYPE = 1, 2
_VIDEO, _RAW = 2, 1
_PIXELS, _MODIFIER, _SIZE, _RATE, _MAX_RATE = range(0x2_0001, 0x2_0006)
_COUNT, _DATA_TYPES = 1, 6
_META_TYPE, _META_SIZE = 1, 2

# BGRx, BGRA, RGBx, RGBA, xBGR, ABGR, xRGB, ARGB, NV12.
_FORMATS = {
    8: PixelFormat.BGRX,
    12: PixelFormat.BGRX,
    7: PixelFormat.RGBX,
    11: PixelFormat.RGBX,
    10: PixelFormat.XBGR,
    14: PixelFormat.XBGR,
    9: PixelFormat.XRGB,
    13: PixelFormat.XRGB,
    23: PixelFormat.NV12,
}
_AREA_BYTES, _MOST_AREAS = 16, 16
_CURSOR_BYTES = 28 + 20
_MOST_CURSOR_BYTES = _CURSOR_BYTES + 1_024 * 1_024 * 4


@attrs.frozen
class PictureFormat:
    """What was agreed on.

    Attributes:
        modifier: Of GPU memory; None when nobody spoke of any.
    """

    format: PixelFormat
    width_px: int
    height_px: int
    modifier: int | None = None

    @classmethod
    def read(cls, properties: Mapping[int, pods.Value]) -> "PictureFormat":
        """Raise `DriverFailed` when it is none that we offered."""
        pixels, size = properties.get(_PIXELS), properties.get(_SIZE)
        if not isinstance(pixels, int) or pixels not in _FORMATS or not isinstance(size, tuple):
            raise DriverFailed("the producer of the picture chose a format that was not offered")
        width, height = size
        if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX):
            raise DriverFailed(f"the producer's picture has an impossible size: {width}×{height}")
        modifier = properties.get(_MODIFIER)
        if isinstance(modifier, tuple):
            raise DriverFailed("the producer of the picture chose a format that was not offered")
        return cls(_FORMATS[pixels], width, height, modifier)

    def is_one_of(self, dmabufs: Collection[DmaBufFormat]) -> bool:
        """It is GPU memory of one of these kinds."""
        return any(it.format is self.format and self.modifier in it.modifiers for it in dmabufs)

    @property
    def row_bytes(self) -> int:
        """Of a row of the first plane, without padding."""
        if self.format is PixelFormat.NV12:
            return self.width_px + self.width_px % 2
        return 4 * self.width_px

    @property
    def chroma_rows(self) -> int:
        """Rows of a second plane; 0 where there is none."""
        return (self.height_px + 1) // 2 if self.format is PixelFormat.NV12 else 0


def offers(
    mode: VideoMode,
    formats: Collection[PixelFormat] = PACKED,
    dmabufs: Collection[DmaBufFormat] = (),
    *,
    exact_sizes: Collection[bool] = (False,),
    exact_rate: bool = False,
) -> list[bytes]:
    """What we take, best first: GPU memory as it is, CPU memory, GPU memory that can be read.

    Args:
        dmabufs: GPU memory that somebody takes as it is.
        exact_sizes: Whether the mode's size is the only one; of several all come in turn.
    """
    kinds: list[tuple[tuple[PixelFormat, ...], tuple[int, ...]]] = [
        ((it.format,), it.modifiers) for it in dmabufs if it.format in formats
    ]
    kinds.append((tuple(formats), ()))
    if readable := tuple(it for it in formats if it in PACKED):
        kinds.append((readable, (DmaBuf.LINEAR,)))
    return [
        offer(mode, pixels, modifiers, exact_size=exact_size, exact_rate=exact_rate)
        for exact_size in exact_sizes
        for pixels, modifiers in kinds
    ]


def offer(
    mode: VideoMode,
    formats: Collection[PixelFormat] = PACKED,
    modifiers: Collection[int] = (),
    *,
    exact_size: bool,
    exact_rate: bool = False,
) -> bytes:
    """Formats in one kind of memory. The rate may vary: a still picture need not be sent again.

    Args:
        modifiers: Of GPU memory, best first; none for CPU memory.
    """
    pixels = [number for number, name in _FORMATS.items() if name in formats]
    size = pods.rectangle(mode.width_px, mode.height_px)
    if not exact_size:
        least, most = pods.rectangle(1, 1), pods.rectangle(MAX_SIDE_PX, MAX_SIDE_PX)
        size = pods.between(size, least, most)
    any_rate = pods.fraction(0, 1), pods.fraction(1_000, 1)
    own_rate = pods.fraction(mode.refresh_mhz, 1_000)
    most_rate = own_rate if exact_rate else pods.between(own_rate, *any_rate)
    layouts = [(_MODIFIER, pods.one_of(*map(pods.long, modifiers)))] if modifiers else []
    return pods.build(
        _FORMAT_OBJECT,
        _ENUM_FORMAT,
        (
            (_MEDIA_TYPE, pods.identifier(_VIDEO)),
            (_MEDIA_SUBTYPE, pods.identifier(_RAW)),
            (_PIXELS, pods.one_of(*map(pods.identifier, pixels))),
            *layouts,
            (_SIZE, size),
            (_RATE, pods.between(any_rate[0], *any_rate)),
            (_MAX_RATE, most_rate),
        ),
        {_MODIFIER: pods.MANDATORY | pods.DONT_FIXATE},
    )


def answer(*, cursor: bool, dmabuf: bool = False) -> list[bytes]:
    """What buffers must be like, and what should come along with each.

    Args:
        dmabuf: They may be a GPU's; without our word for it nobody may send those.
    """
    count = pods.between(pods.integer(8), pods.integer(2), pods.integer(16))
    kinds = pods.choice(
        pods.CHOICE_FLAGS, pods.integer(1 << MEM_FD | 1 << MEM_PTR | dmabuf << DMA_BUF)
    )
    asked = [
        pods.build(_BUFFERS_OBJECT, _BUFFERS, ((_COUNT, count), (_DATA_TYPES, kinds))),
        _meta(HEADER, pods.integer(32)),
        _meta(CROP, pods.integer(_AREA_BYTES)),
        _meta(
            DAMAGE,
            pods.between(
                pods.integer(_MOST_AREAS * _AREA_BYTES),
                pods.integer(_AREA_BYTES),
                pods.integer(_MOST_AREAS * _AREA_BYTES),
            ),
        ),
    ]
    if cursor:
        size = pods.between(
            pods.integer(_CURSOR_BYTES + 256 * 256 * 4),
            pods.integer(_CURSOR_BYTES + 4),
            pods.integer(_MOST_CURSOR_BYTES),
        )
        asked.append(_meta(CURSOR, size))
    return asked


def _meta(kind: int, size: bytes) -> bytes:
    properties = ((_META_TYPE, pods.identifier(kind)), (_META_SIZE, size))
    return pods.build(_META_OBJECT, _META, properties)
