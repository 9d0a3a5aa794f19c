"""RGB to YUV as whole numbers, one table for every colour space and range."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from punktfunk.model.video import ColorSpace, ColorSpec, PixelFormat

Coefficients = NDArray[np.uint32]
"""Eleven numbers: three weights of Y and its offset, three of U, three of V, their offset.

Weights are in the order of a pixel's three colours, 16 bits of fraction, negative ones modulo
2**32. Y is the sum of weights and bytes shifted right by 16; U and V weigh the sum of four
pixels and are shifted by 18. The offsets round to nearest.
"""

_RED_AND_BLUE = {
    ColorSpace.REC601: (0.299, 0.114),
    ColorSpace.REC709: (0.2126, 0.0722),
    ColorSpace.REC2020: (0.2627, 0.0593),
}
_BITS = 16
_ONE = 1 << _BITS


@cache
def coefficients(color: ColorSpec, source: PixelFormat) -> Coefficients:
    """The table for a colour specification and the order of the source's colours."""
    red, blue = _RED_AND_BLUE[color.space]
    green = 1 - red - blue
    luma_range, chroma_range, black = (255, 255, 0) if color.full_range else (219, 224, 16)

    luma = [_ONE * weight * luma_range / 255 for weight in (red, green, blue)]
    cb = [-red / (1 - blue) / 2, -green / (1 - blue) / 2, 0.5]
    cr = [0.5, -green / (1 - red) / 2, -blue / (1 - red) / 2]
    chroma = [[_ONE * weight * chroma_range / 255 for weight in row] for row in (cb, cr)]

    # Greys must come out without a tint and white at the top of its range, so what rounding
    # left over goes to green, the largest weight.
    y_row = _rounded(luma, total=round(sum(luma)))
    u_row, v_row = (_rounded(row, total=0) for row in chroma)
    if source in (PixelFormat.BGRX, PixelFormat.XBGR):
        y_row, u_row, v_row = y_row[::-1], u_row[::-1], v_row[::-1]

    y_offset = (black << _BITS) + (1 << (_BITS - 1))
    uv_offset = (128 << (_BITS + 2)) + (1 << (_BITS + 1))
    numbers = [*y_row, y_offset, *u_row, *v_row, uv_offset]
    table = np.array(numbers, dtype=np.int64).astype(np.uint32)
    table.flags.writeable = False
    return table


def first_byte(source: PixelFormat) -> int:
    """Where in a pixel its colours begin."""
    return 1 if source in (PixelFormat.XBGR, PixelFormat.XRGB) else 0


def _rounded(weights: list[float], total: int) -> list[int]:
    red, _, blue = (round(weight) for weight in weights)
    return [red, total - red - blue, blue]
