"""The pointer's picture, which X keeps out of the screen's, painted into one."""

import attrs
import numpy as np
from numpy.typing import NDArray

from punktfunk.plugin import Area, Plane
from punktfunk_capture_x11.areas import clip

_PIXELS_AT = 32
_BYTES_PER_PIXEL = 4


@attrs.frozen(eq=False)
class CursorImage:
    """What a pointer looks like: blue, green, red, alpha, the colours times their alpha."""

    hot_x: int
    hot_y: int
    pixels: NDArray[np.uint8]

    @classmethod
    def read(cls, answer: memoryview) -> "CursorImage":
        """Read the answer to an XFIXES GetCursorImage."""
        _, _, width, height, hot_x, hot_y = np.frombuffer(answer[8:20], np.uint16).tolist()
        size = width * height * _BYTES_PER_PIXEL
        flat = np.frombuffer(answer[_PIXELS_AT : _PIXELS_AT + size], np.uint8)
        return cls(hot_x, hot_y, flat.reshape(height, width, _BYTES_PER_PIXEL))

    @classmethod
    def invisible(cls) -> "CursorImage":
        """A pointer without any pixels."""
        return cls(0, 0, np.zeros((0, 0, _BYTES_PER_PIXEL), np.uint8))

    def area_at(self, x: int, y: int) -> Area:
        """Where it is when the pointer points there; may lie outside of the picture."""
        height, width, _ = self.pixels.shape
        return Area(x - self.hot_x, y - self.hot_y, width, height)

    def paint(self, plane: Plane, area: Area) -> None:
        """Paint it into a BGRX picture, as far as its area lies inside."""
        height, row_bytes = plane.shape
        for part in clip((area,), row_bytes // _BYTES_PER_PIXEL, height):
            rows = slice(part.top_px, part.top_px + part.height_px)
            columns = slice(part.left_px, part.left_px + part.width_px)
            from_top, from_left = part.top_px - area.top_px, part.left_px - area.left_px
            cursor = self.pixels[
                from_top : from_top + part.height_px, from_left : from_left + part.width_px
            ]
            below = plane.reshape(height, -1, _BYTES_PER_PIXEL)[rows, columns, :3]
            seen_through = 255 - cursor[:, :, 3:].astype(np.uint16)
            below[:] = np.minimum(255, cursor[:, :, :3] + (below * seen_through + 127) // 255)
