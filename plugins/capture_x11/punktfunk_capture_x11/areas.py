"""Rectangles of a picture, as the X server tells what changed. No I/O."""

import struct
from collections.abc import Iterable

from punktfunk.plugin import Area

MOST_AREAS = 16
"""Beyond, one rectangle around all of them is less work than many small ones."""

_HEADER_BYTES = 32
_RECTANGLE = struct.Struct("=hhHH")

Rows = tuple[int, int]
"""First row, and the one after the last; the same when there is none."""

NO_ROWS: Rows = (0, 0)


def read_region(answer: memoryview) -> tuple[Area, ...]:
    """Rectangles of the answer to an XFIXES FetchRegion."""
    count = (len(answer) - _HEADER_BYTES) // _RECTANGLE.size
    if count > MOST_AREAS:
        return (Area(*_RECTANGLE.unpack_from(answer, 8)),)
    return tuple(
        Area(*_RECTANGLE.unpack_from(answer, _HEADER_BYTES + index * _RECTANGLE.size))
        for index in range(count)
    )


def clip(areas: Iterable[Area], width: int, height: int) -> tuple[Area, ...]:
    """The parts that lie inside a picture."""
    inside = []
    for area in areas:
        left, top = max(0, area.left_px), max(0, area.top_px)
        right = min(width, area.left_px + area.width_px)
        bottom = min(height, area.top_px + area.height_px)
        if left < right and top < bottom:
            inside.append(Area(left, top, right - left, bottom - top))
    return tuple(inside)


def rows_of(areas: Iterable[Area]) -> Rows:
    """The rows from the top of the highest to the bottom of the lowest."""
    rows = NO_ROWS
    for area in areas:
        rows = join(rows, (area.top_px, area.top_px + area.height_px))
    return rows


def join(one: Rows, other: Rows) -> Rows:
    """The rows of both, and those in between."""
    if one[0] == one[1]:
        return other
    if other[0] == other[1]:
        return one
    return min(one[0], other[0]), max(one[1], other[1])
