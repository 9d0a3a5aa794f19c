"""The pointer's picture, as PipeWire brings it beside the picture of the screen."""

import struct

import attrs
import numpy as np
from numpy.typing import NDArray

from punktfunk.model.frames import Area, Plane
from punktfunk.model.video import PixelFormat
from punktfunk.pixels.coefficients import first_byte

MAX_SIDE_PX = 1_024

_CURSOR = struct.Struct("=IIiiiiI")  # id, flags, position, hot spot, where the bitmap is
_BITMAP = struct.Struct("=IIIiI")  # format, width, height, stride, where the pixels are
# BGRA, RGBA, ARGB, ABGR: where red, green, blue and alpha are in a pixel.
_CHANNELS = {12: (2, 1, 0, 3), 11: (0, 1, 2, 3), 13: (1, 2, 3, 0), 14: (3, 2, 1, 0)}


@attrs.define
class Cursor:
    """Where the pointer is and what it looks like, kept up by `update`."""

    visible: bool = False
    left_px: int = 0
    top_px: int = 0
    image: NDArray[np.uint8] | None = None
    """Height × width × red, green, blue, alpha; premultiplied."""

    def update(self, meta: bytes) -> bool:
        """Take what came with a buffer; True when something changed.

        What makes no sense is as if it had not come.
        """
        if len(meta) < _CURSOR.size:
            return False
        number, _, x, y, hot_x, hot_y, offset = _CURSOR.unpack_from(meta)
        before = (self.visible, self.left_px, self.top_px)
        self.visible = number != 0
        self.left_px, self.top_px = x - hot_x, y - hot_y
        image = _image(meta, offset) if number and offset else None
        if image is not None:
            self.image = image
        return image is not None or before != (self.visible, self.left_px, self.top_px)

    def place(self, left_px: int, top_px: int, image: NDArray[np.uint8] | None) -> bool:
        """Take a pointer from elsewhere, as `update` does; None: there is none."""
        before = (self.visible, self.left_px, self.top_px, self.image)
        self.visible = image is not None
        self.left_px, self.top_px, self.image = left_px, top_px, image
        return before[:3] != (self.visible, left_px, top_px) or before[3] is not image

    def area(self, width_px: int, height_px: int) -> Area | None:
        """What it covers of a picture of that size."""
        if not self.visible or self.image is None:
            return None
        height, width = self.image.shape[:2]
        left, top = max(0, self.left_px), max(0, self.top_px)
        right = min(width_px, self.left_px + width)
        bottom = min(height_px, self.top_px + height)
        return (
            Area(left, top, right - left, bottom - top) if left < right and top < bottom else None
        )

    def draw(self, plane: Plane, pixel_format: PixelFormat) -> None:
        """Blend it into a picture."""
        area = self.area(plane.shape[1] // 4, plane.shape[0])
        if area is None or self.image is None:
            return
        top, left = area.top_px - self.top_px, area.left_px - self.left_px
        image = self.image[top : top + area.height_px, left : left + area.width_px]
        blue_first = pixel_format in (PixelFormat.BGRX, PixelFormat.XBGR)
        colour = image[..., 2::-1] if blue_first else image[..., :3]
        first = first_byte(pixel_format)
        rows = plane[area.top_px : area.top_px + area.height_px]
        pixels = rows[:, 4 * area.left_px : 4 * (area.left_px + area.width_px)]
        below = pixels.reshape(area.height_px, area.width_px, 4)[..., first : first + 3]
        through = 255 - image[..., 3:].astype(np.uint16)
        blended = colour + (below * through + 127) // 255
        below[:] = np.minimum(blended, 255)


def _image(meta: bytes, offset: int) -> NDArray[np.uint8] | None:
    if offset + _BITMAP.size > len(meta):
        return None
    form, width, height, stride, pixels_offset = _BITMAP.unpack_from(meta, offset)
    channels = _CHANNELS.get(form)
    fits = 0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX and stride >= 4 * width
    begin = offset + pixels_offset
    if channels is None or not fits or begin + height * stride > len(meta):
        return None
    rows = np.frombuffer(meta, np.uint8, height * stride, begin).reshape(height, stride)
    return rows[:, : 4 * width].reshape(height, width, 4)[..., list(channels)]
