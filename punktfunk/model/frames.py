"""A captured picture, borrowed from whoever took it."""

from collections.abc import Callable

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


@attrs.define(kw_only=True, eq=False)
class Frame:
    """A picture in CPU memory.

    Borrowed: read it before you call `release`, or copy. Whoever was handed the frame
    releases it, exactly once; the owner may then overwrite the memory.

    Attributes:
        planes: One 2-D array of bytes a plane, rows × row bytes. Rows may be strided
            (padding at the end of a row), bytes within a row are contiguous. `BGRX` and
            `RGBX` planes are height × (4 * width).
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
    captured_ns: int
    fresh: bool = True
    damage: tuple[Area, ...] | None = None
    release: Callable[[], None] = _nothing
