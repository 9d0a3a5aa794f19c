"""A moving picture without a display: colour bars, the mode, and cells for programs.

Costs little: the background is painted once into each of three buffers, a frame redraws
the cells and moves one bar.
"""

import time
from itertools import cycle

import attrs
import numpy as np
from numpy.typing import NDArray

from punktfunk.builtin.card_cells import CELL_COLUMNS, CELL_ROWS, cell_px, cells
from punktfunk.builtin.font import text_mask
from punktfunk.drivers.capture import CaptureDriver
from punktfunk.drivers.compositor import Display
from punktfunk.drivers.seat import Seat
from punktfunk.errors import DriverFailed, DriverUnavailable
from punktfunk.model.frames import Area, Frame, Plane
from punktfunk.model.video import PixelFormat, VideoMode

Pixels = NDArray[np.uint32]

_BUFFERS = 3
_NS_PER_S = 1_000_000_000
_BLACK, _WHITE = np.uint32(0xFF000000), np.uint32(0xFFFFFFFF)
_BARS = (0xFFBFBFBF, 0xFFBFBF00, 0xFF00BFBF, 0xFF00BF00, 0xFFBF00BF, 0xFFBF0000, 0xFF0000BF)
_CROSSING_FRAMES = 120  # the bar crosses the picture in so many frames


@attrs.define
class _Buffer:
    plane: Plane
    pixels: Pixels
    bar_at: int = 0


class TestCardCapture(CaptureDriver):
    """Frames at the mode's exact rate, whoever reads late gets the latest and no burst."""

    __test__ = False  # pytest: the name is about the card

    _mode: VideoMode | None = None

    def open(self, seat: Seat, display: Display, mode: VideoMode) -> None:
        try:
            self._cell = cell_px(mode.width_px, mode.height_px)
        except ValueError as error:
            raise DriverUnavailable("testcard", str(error)) from error
        self._background = _background(mode, self._cell)
        self._buffers = cycle([_new_buffer(self._background) for _ in range(_BUFFERS)])
        self._bar = _bar_of(mode)
        self._cells_area = Area(0, 0, CELL_COLUMNS * self._cell, CELL_ROWS * self._cell)
        self._shown_bar: Area | None = None
        self._counter = 0
        self._started_ns = time.monotonic_ns()
        self._tick = 0
        self._mode = mode

    def read(self, timeout_s: float) -> Frame | None:
        if self._mode is None:
            raise DriverFailed("the test card is not open")
        now_ns = time.monotonic_ns()
        self._tick = max(self._tick, self._tick_at(now_ns, self._mode))
        wait_s = (self._due_ns(self._mode) - now_ns) / _NS_PER_S
        if wait_s > timeout_s:
            time.sleep(max(0.0, timeout_s))
            return None
        if wait_s > 0:
            time.sleep(wait_s)
        self._tick += 1
        return self._draw(self._mode)

    def close(self) -> None:
        self._mode = None
        self._buffers = cycle(())

    def _due_ns(self, mode: VideoMode) -> int:
        return self._started_ns + self._tick * 1_000 * _NS_PER_S // mode.refresh_mhz

    def _tick_at(self, now_ns: int, mode: VideoMode) -> int:
        return (now_ns - self._started_ns) * mode.refresh_mhz // (1_000 * _NS_PER_S)

    def _draw(self, mode: VideoMode) -> Frame:
        buffer = next(self._buffers)
        pixels, (rows, width) = buffer.pixels, self._bar
        covered = (rows, slice(buffer.bar_at, buffer.bar_at + width))
        pixels[covered] = self._background[covered]
        way = mode.width_px - width
        buffer.bar_at = self._counter % _CROSSING_FRAMES * way // (_CROSSING_FRAMES - 1)
        pixels[rows, buffer.bar_at : buffer.bar_at + width] = _WHITE

        captured_ns = time.monotonic_ns()
        side = self._cell
        area = pixels[: CELL_ROWS * side, : CELL_COLUMNS * side]
        colors = np.where(cells(self._counter, captured_ns), _WHITE, _BLACK)
        area[:] = np.repeat(np.repeat(colors, side, axis=0), side, axis=1)
        self._counter += 1

        bar = Area(buffer.bar_at, rows.start, width, rows.stop - rows.start)
        damage = (self._cells_area, self._shown_bar, bar) if self._shown_bar else None
        self._shown_bar = bar
        return Frame(
            format=PixelFormat.BGRX,
            width_px=mode.width_px,
            height_px=mode.height_px,
            planes=(buffer.plane,),
            captured_ns=captured_ns,
            damage=damage,
        )


def _background(mode: VideoMode, cell: int) -> Pixels:
    width, height = mode.width_px, mode.height_px
    columns = np.arange(width) * len(_BARS) // width
    pixels = np.empty((height, width), dtype=np.uint32)
    pixels[:] = np.array(_BARS, dtype=np.uint32)[columns]
    ramp = np.arange(width, dtype=np.uint32) * 255 // max(1, width - 1)
    pixels[height * 3 // 4 :] = _BLACK | ramp << 16 | ramp << 8 | ramp
    _write(pixels, "PUNKTFUNK", height * 5 // 16)
    _write(pixels, str(mode), height * 7 // 16)
    pixels[: (CELL_ROWS + 1) * cell, : (CELL_COLUMNS + 1) * cell] = _BLACK
    return pixels


def _write(pixels: Pixels, text: str, top: int) -> None:
    height, width = pixels.shape
    ink = text_mask(text, max(1, min(height // 90, width // (8 * len(text)))))
    rows, columns = ink.shape
    left = (width - columns) // 2
    if top + rows <= height and left >= 0:
        area = pixels[top : top + rows, left : left + columns]
        area[ink] = _BLACK


def _bar_of(mode: VideoMode) -> tuple[slice, int]:
    """Rows and width of the moving bar."""
    height = mode.height_px
    return slice(height * 5 // 8, height * 11 // 16), max(1, mode.width_px // 16)


def _new_buffer(background: Pixels) -> _Buffer:
    pixels = background.copy()
    return _Buffer(plane=pixels.view(np.uint8), pixels=pixels)
