"""Pictures of an X display over MIT-SHM, when DAMAGE says that something changed."""

import time
from collections.abc import Mapping

import xcffib

from punktfunk.plugin import (
    Area,
    CaptureDriver,
    Display,
    DriverFailed,
    DriverUnavailable,
    Frame,
    PixelFormat,
    Seat,
    VideoMode,
)
from punktfunk_capture_x11.areas import clip, rows_of
from punktfunk_capture_x11.buffers import BufferRing
from punktfunk_capture_x11.connection import Connection
from punktfunk_capture_x11.cursor import CursorImage
from punktfunk_capture_x11.screen import Screen

MAX_FAILURES_IN_A_ROW = 20
"""A picture may be refused while the screen changes its size."""


class X11Capture(CaptureDriver):
    """Fetches the rows that changed, paints the pointer, and hands the memory out."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._screen: Screen | None = None
        self._ring: BufferRing | None = None
        self._interval_ns = 0
        self._due_ns = self._next_ns = 0
        self._late: tuple[Area, ...] = ()
        self._shown: tuple[CursorImage, Area] | None = None
        self._failures = 0

    def open(self, seat: Seat, display: Display, mode: VideoMode) -> None:
        try:
            self._screen = Screen(Connection(display.environment), display.output)
        except DriverFailed as error:
            raise DriverUnavailable("x11", str(error)) from error
        self._interval_ns = mode.frame_interval_ns
        self._due_ns = self._next_ns = self._failures = 0

    def read(self, timeout_s: float) -> Frame | None:
        """Return the first picture at once, then one whenever something changed.

        Frames have the screen's size at that moment, should it differ from the opened mode.
        """
        if self._screen is None:
            raise DriverFailed("the capture is not open")
        deadline_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        # A program may put the pointer elsewhere, which is told to nobody.
        look = True
        while True:
            now_ns = time.monotonic_ns()
            if now_ns < self._next_ns:
                time.sleep(max(0, min(deadline_ns, self._next_ns) - now_ns) / 1e9)
            elif self._screen.changed() or look:
                look = False
                frame = self._take(self._screen)
                if frame is not None:
                    return frame
                look = self._failures > 0
            else:
                self._screen.connection.wait((deadline_ns - now_ns) / 1e9)
            if time.monotonic_ns() >= deadline_ns:
                return None

    def close(self) -> None:
        if self._screen is not None:
            self._screen.connection.close()
        self._screen = self._ring = self._shown = None
        self._late = ()

    def _take(self, screen: Screen) -> Frame | None:
        """Take a picture; None when nothing is new on it."""
        ring, first = self._ring_for(screen)
        areas, cursor, place = screen.look()
        areas = clip((*self._late, *areas), ring.width_px, ring.height_px)
        self._late = ()
        moved = self._shown != (cursor, place)
        if not (first or areas or moved):
            return None
        ring.outdate(rows_of(areas))
        buffer = ring.take()
        try:
            self._late = screen.fetch(ring.segment, buffer, ring.width_px)
        except xcffib.Error as error:
            ring.give_back(buffer)
            self._start_again(screen, error)
            return None
        taken_ns = time.monotonic_ns()
        if self._shown is not None and moved:
            areas += (self._shown[1], place)
        self._shown, self._failures = (cursor, place), 0
        cursor.paint(buffer.plane, place)
        buffer.outdated = rows_of(clip((place,), ring.width_px, ring.height_px))
        # On average at most the mode's rate; half an interval early leaves room for jitter.
        half_ns = self._interval_ns // 2
        self._due_ns = max(self._due_ns, taken_ns - half_ns) + self._interval_ns
        self._next_ns = self._due_ns - half_ns
        return Frame(
            format=PixelFormat.BGRX,
            width_px=ring.width_px,
            height_px=ring.height_px,
            planes=(buffer.plane,),
            captured_ns=taken_ns,
            damage=None if first else clip((*areas, *self._late), ring.width_px, ring.height_px),
            release=lambda: ring.give_back(buffer),
        )

    def _ring_for(self, screen: Screen) -> tuple[BufferRing, bool]:
        """Memory of the screen's size, and whether it is new."""
        area = screen.area()
        size = (area.width_px, area.height_px)
        if self._ring is not None and (self._ring.width_px, self._ring.height_px) == size:
            return self._ring, False
        if self._ring is not None:
            screen.detach(self._ring.segment)
        self._ring = BufferRing(screen.connection, *size)
        self._shown = None
        return self._ring, True

    def _start_again(self, screen: Screen, error: xcffib.Error) -> None:
        """The screen has another size now; learn it and take a whole picture next time."""
        self._failures += 1
        if self._failures > MAX_FAILURES_IN_A_ROW:
            raise DriverFailed("the X server refuses to give its picture") from error
        if self._ring is not None:
            screen.detach(self._ring.segment)
        self._ring = None
        screen.forget_area()
        self._next_ns = time.monotonic_ns() + self._interval_ns
