"""The pointer of gamescope's X server, which most gamescopes leave out of their pictures."""

import math
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from punktfunk.plugin import DriverUnavailable
from punktfunk_capture_gamescope.settings import DRIVER

SHOWN_S = 3.0
"""Gamescope itself hides a pointer that rests for so long: games for gamepads leave one behind."""

_XFIXES_VERSION = (5, 0)
_SHAPE_CHANGES = 1
_RGBA = [2, 1, 0, 3]


class XPointer:
    """Where it is and what it looks like. Used by one thread.

    Args:
        display: Of the X server, such as `:1`.

    Raises:
        DriverUnavailable: it does not let us in, or cannot say.
    """

    def __init__(self, display: str) -> None:
        try:
            import xcffib
            import xcffib.xfixes
        except (ImportError, OSError) as error:
            raise DriverUnavailable(DRIVER, f"xcffib does not load: {error}") from error
        self._gone: tuple[type[Exception], ...] = (xcffib.XcffibException, xcffib.Error)
        self._x: Any = None
        self._image: NDArray[np.uint8] | None = None
        self._hot = (0, 0)
        self._at: tuple[int, int] | None = None
        self._moved_s = -math.inf
        try:
            # By its socket file: the library would try the network, too.
            self._x = xcffib.connect(f"unix{display}")
            self._root = self._x.setup.roots[0].root
            self._xfixes = self._x(xcffib.xfixes.key)
            self._xfixes.QueryVersion(*_XFIXES_VERSION).reply()
            self._xfixes.SelectCursorInput(self._root, _SHAPE_CHANGES)
        except self._gone as error:
            self.close()
            raise DriverUnavailable(DRIVER, f"{display} does not show its pointer") from error

    def look(self, width_px: int, height_px: int) -> tuple[int, int, NDArray[np.uint8] | None]:
        """Its corner on a picture of that size, and its image.

        None while it rests, and once the server is gone. A shape may be of a program that is
        gone: some servers show such a one to nobody.
        """
        try:
            while self._x.poll_for_event() is not None:
                self._image = None
            if self._image is None:
                self._read_shape()
            core = self._x.core
            place, size = core.QueryPointer(self._root), core.GetGeometry(self._root)
            at, screen = place.reply(), size.reply()
        except self._gone:
            return 0, 0, None
        now_s, place_px = time.monotonic(), (at.root_x, at.root_y)
        if self._at not in (None, place_px):
            self._moved_s = now_s
        self._at = place_px
        left = at.root_x * width_px // screen.width - self._hot[0]
        top = at.root_y * height_px // screen.height - self._hot[1]
        return left, top, self._image if now_s - self._moved_s < SHOWN_S else None

    def close(self) -> None:
        if self._x is not None:
            self._x.disconnect()
        self._x = None

    def _read_shape(self) -> None:
        shape = self._xfixes.GetCursorImage().reply()
        pixels = np.array(shape.cursor_image, np.uint32).view(np.uint8)
        self._image = pixels.reshape(shape.height, shape.width, 4)[..., _RGBA]
        self._hot = shape.xhot, shape.yhot
