"""A captured picture, borrowed from whoever took it."""

from collections.abc import Callable, Iterable
from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

from punktfunk.model.video import PixelFormat

Plane = NDArray[np.uint8]


def _nothing() -> None:
    pass


@attrs.frozen
class Area:
    """A rectangle of a picture, counted from its top left corner."""

    left_px: int
    top_px: int
    width_px: int
    height_px: int


FOURCC = {
    PixelFormat.BGRX: 0x3432_5258,
    PixelFormat.RGBX: 0x3432_4258,
    PixelFormat.XBGR: 0x3432_5852,
    PixelFormat.XRGB: 0x3432_5842,
    PixelFormat.NV12: 0x3231_564E,
}
"""What DRM calls our formats: XRGB8888, XBGR8888, RGBX8888, BGRX8888, NV12."""


@attrs.frozen
class DmaBufPlane:
    """Attributes:
    fd: Several planes may have the same.
    offset: Where in it the plane begins, in bytes.
    stride: From one row to the next, in bytes.
    """

    fd: int
    offset: int
    stride: int


@attrs.frozen(kw_only=True)
class DmaBuf:
    """A picture in memory that a GPU shares with others.

    The descriptors are the capture's: it keeps them open until the frame is released, also
    after it was closed itself, and closes them. Who needs one for longer duplicates it.

    Attributes:
        fourcc: DRM's name of the format.
        modifier: DRM's number of the layout within a plane.
        planes: As many as format and layout have.
        LINEAR: The modifier of rows that lie one behind the other, as in CPU memory.
        IMPLICIT: The modifier that says nothing: the GPU's driver knows the layout by itself.
    """

    LINEAR: ClassVar[int] = 0
    IMPLICIT: ClassVar[int] = 0x00FF_FFFF_FFFF_FFFF

    fourcc: int
    modifier: int
    planes: tuple[DmaBufPlane, ...]


def _modifiers(values: Iterable[int]) -> tuple[int, ...]:
    return tuple(values)


@attrs.frozen
class DmaBufFormat:
    """GPU memory that an encoder can read.

    Attributes:
        modifiers: DRM's numbers of the layouts within a plane, best first.
    """

    format: PixelFormat
    modifiers: tuple[int, ...] = attrs.field(default=(DmaBuf.LINEAR,), converter=_modifiers)


@attrs.define(kw_only=True, eq=False)
class Frame:
    """A picture, in CPU memory unless it has a `dmabuf`.

    Borrowed: read it before you call `release`, or copy. Whoever was handed the frame
    releases it, exactly once; the owner may then overwrite the memory.

    Attributes:
        planes: One 2-D array of bytes a plane, rows × row bytes. Rows may be strided
            (padding at the end of a row), bytes within a row are contiguous. A packed
            format's plane is height × (4 * width). None on a GPU.
        dmabuf: Where on a GPU the picture is. Only those get such a frame who said that
            they take it: see `EncodeDriver.dmabufs`.
        captured_ns: CLOCK_MONOTONIC when the picture was taken.
        fresh: False when the picture is the same as the one before.
        damage: Where the picture may differ from the one that the capture gave out before;
            everywhere else it must not. None when that is not known: it may differ anywhere.
            Only these areas are converted, so saying it saves most of that work.
    """

    format: PixelFormat
    width_px: int
    height_px: int
    planes: tuple[Plane, ...]
    dmabuf: DmaBuf | None = None
    captured_ns: int
    fresh: bool = True
    damage: tuple[Area, ...] | None = None
    release: Callable[[], None] = _nothing
