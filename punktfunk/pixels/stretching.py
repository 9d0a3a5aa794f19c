"""Pictures of another size than the stream's: a monitor that keeps its own."""

from collections.abc import Iterable
from types import ModuleType

import attrs
import numpy as np
from numpy.typing import NDArray

from punktfunk.model.frames import Area
from punktfunk.pixels import plain
from punktfunk.pixels.flat import flattened

_WHOLE = 256


@attrs.frozen(eq=False)
class Steps:
    """Along one side, which two source pixels each target pixel is made of.

    Attributes:
        at: The first one's index; the second one is next to it.
        weight: The second one's share, in 256ths.
    """

    at: NDArray[np.int64]
    weight: NDArray[np.uint32]

    @classmethod
    def between(cls, has_px: int, wanted_px: int) -> "Steps":
        place = np.clip((np.arange(wanted_px) + 0.5) * has_px / wanted_px - 0.5, 0, has_px - 1)
        at = np.minimum(place.astype(np.int64), has_px - 2)
        return cls(at, np.rint((place - at) * _WHOLE).astype(np.uint32))

    def made_of(self, first: int, after: int) -> tuple[int, int]:
        """The target pixels that a stretch of source pixels has a share in."""
        begin = np.searchsorted(self.at, first - 1, "left")
        return int(begin), int(np.searchsorted(self.at, after - 1, "right"))


class Stretching:
    """From one size to another, between neighbouring pixels. Proportions are not kept: a
    pointer's position, which clients send as a share of both sides, stays right.

    Attributes:
        pixels: The stretched picture, as far as it was drawn.

    Raises:
        ValueError: the source has less than two pixels on a side.
    """

    def __init__(self, has_px: tuple[int, int], wanted_px: tuple[int, int]) -> None:
        if min(has_px) < 2:
            raise ValueError(f"a picture of {has_px[0]}x{has_px[1]} is too small")
        self.has_px = has_px
        width, height = wanted_px
        self.pixels = np.zeros((height, width), np.uint32)
        self._columns, self._rows = (
            Steps.between(has, wanted) for has, wanted in zip(has_px, wanted_px, strict=True)
        )
        self._line = np.zeros(has_px[0] + 2 * width, np.uint32)

    def reached_by(self, area: Area) -> Area:
        """What of the target changes when this of the source does."""
        left, right = self._columns.made_of(area.left_px, area.left_px + area.width_px)
        top, bottom = self._rows.made_of(area.top_px, area.top_px + area.height_px)
        return Area(left, top, right - left, bottom - top)

    def draw(
        self, source: NDArray[np.uint32], areas: Iterable[Area], compiled: ModuleType | None
    ) -> None:
        """Draw these areas of the target from a source of rows × columns."""
        rows, columns = self._rows, self._columns
        for area in areas:
            bounds = (area.left_px, area.left_px + area.width_px)
            height = (area.top_px, area.top_px + area.height_px)
            if compiled is not None:
                tables = (rows.at, rows.weight, columns.at, columns.weight)
                compiled.stretch(
                    *flattened(source), self.pixels, *bounds, *height, *tables, self._line
                )
            else:
                x, y = slice(*bounds), slice(*height)
                self.pixels[y, x] = plain.stretch(
                    source, rows.at[y], rows.weight[y], columns.at[x], columns.weight[x]
                )
