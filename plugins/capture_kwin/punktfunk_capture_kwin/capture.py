"""Pictures from KWin: its screencast protocol says which node, PipeWire brings them."""

import logging
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from punktfunk.plugin import (
    CaptureDriver,
    Display,
    DmaBufFormat,
    DriverFailed,
    DriverUnavailable,
    Frame,
    PipeWireVideo,
    PixelFormat,
    Seat,
    VideoMode,
)
from punktfunk_capture_kwin.canvas import Canvas
from punktfunk_capture_kwin.protocols import POINTER_EMBEDDED, Screencast
from punktfunk_capture_kwin.screencast import Cast
from punktfunk_capture_kwin.settings import DRIVER, PICTURES
from punktfunk_capture_kwin.wayland import Connection
from punktfunk_capture_kwin.windows import Window, Windows

log = logging.getLogger(__name__)

LAST_WITHOUT_VIRTUAL_PICTURES = 3
"""KWin 5.27 has this version of the protocol: the stream of a virtual output stays silent."""

_HEADLESS = re.compile(r"Virtual-\d+")
"""How a headless KWin calls its screens; those it makes beside real ones carry our name."""
_LOOK_UP_S = 0.05


class KwinCapture(CaptureDriver):
    """Shows the output; the front window where this KWin cannot stream a virtual output."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._connection: Connection | None = None
        self._screencast: Any = None
        self._mode: VideoMode
        self._runtime: Path
        self._desktop: Canvas
        self._cast: Cast | None = None
        self._video: PipeWireVideo | None = None
        self._dmabufs: tuple[DmaBufFormat, ...] = ()
        self._windows: Windows | None = None
        self._window: Window | None = None
        self._size_px = (0, 0)
        self._shown_ns = 0
        self._lost = False
        self._retry_at = 0.0

    def take_dmabufs(self, formats: tuple[DmaBufFormat, ...]) -> None:
        self._dmabufs = formats

    def open(self, seat: Seat, display: Display, mode: VideoMode) -> None:
        try:
            self._open(display, mode)
        except DriverFailed as error:
            self.close()
            raise DriverUnavailable(DRIVER, str(error)) from error
        except BaseException:
            self.close()
            raise

    def read(self, timeout_s: float) -> Frame | None:
        """Wait for a change. Frames have the display's size, should the mode be another."""
        if self._connection is None:
            raise DriverFailed("the capture is not open")
        deadline = time.monotonic() + timeout_s
        while True:
            self._connection.wait(0)
            left_s = max(0.0, deadline - time.monotonic())
            frame = self._next(self._connection, min(left_s, _LOOK_UP_S))
            if frame is not None:
                # A new stream's first picture may be older than the last of the one before.
                self._shown_ns = max(self._shown_ns + 1, frame.captured_ns)
                # KWin's word on what changed has not been seen right on every kind of screen.
                return attrs.evolve(frame, captured_ns=self._shown_ns, damage=None)
            if time.monotonic() >= deadline:
                return None

    def close(self) -> None:
        self._end_cast()
        if self._connection is not None:
            self._connection.close()
        self._connection = self._screencast = self._windows = self._window = None
        self._lost = False

    def _open(self, display: Display, mode: VideoMode) -> None:
        self._mode, self._shown_ns = mode, 0
        self._desktop = Canvas(display.mode)
        folder = display.environment.get(PICTURES)
        self._runtime = Path(folder or display.environment.get("XDG_RUNTIME_DIR", ""))
        self._connection = Connection(display.environment)
        self._screencast = self._connection.bind(Screencast, Screencast.version)
        old = self._connection.version(Screencast) <= LAST_WITHOUT_VIRTUAL_PICTURES
        if old and _HEADLESS.fullmatch(display.output):
            log.info("this KWin cannot stream a virtual output: the front window is shown")
            self._windows = Windows(self._connection)
        else:
            output = self._connection.bind_output(display.output)
            stream = self._screencast.stream_output(output, POINTER_EMBEDDED)
            self._begin_cast(self._connection, stream)

    def _next(self, connection: Connection, timeout_s: float) -> Frame | None:
        if self._windows is None:
            assert self._cast is not None
            assert self._video is not None
            self._cast.check()
            return self._video.read(timeout_s)
        return self._next_of_window(connection, self._windows, timeout_s)

    def _next_of_window(
        self, connection: Connection, windows: Windows, timeout_s: float
    ) -> Frame | None:
        front = windows.front
        if front is not None and front is self._window and front.size_px != self._size_px:
            # A stream that changed its size stays silent in KWin 5.27: ask for a new one.
            self._desktop.clear()
            self._lost = True
        if (front is not self._window or self._lost) and time.monotonic() >= self._retry_at:
            self._end_cast()
            self._lost = False
            self._window = front
            if front is None:
                return self._black()
            self._size_px = front.size_px
            self._follow(connection, front)
        if self._video is None:
            if not self._shown_ns:
                return self._black()
            connection.wait(timeout_s)
            return None
        try:
            frame = self._video.read(timeout_s)
        except DriverFailed:
            connection.roundtrip()  # was it KWin, then this says so
            self._lose_window()
            return None
        if frame is None:
            return None
        assert self._window is not None
        return self._desktop.paste(frame, self._window.left_px, self._window.top_px)

    def _follow(self, connection: Connection, window: Window) -> None:
        """A window is told of a moment before it can be streamed, and gone at any time."""
        try:
            stream = self._screencast.stream_window(window.uuid, POINTER_EMBEDDED)
            self._begin_cast(connection, stream)
        except DriverUnavailable as error:
            log.debug("a window cannot be shown: %s", error.reason)
            self._lose_window()

    def _black(self) -> Frame:
        self._desktop.clear()
        return self._desktop.frame(PixelFormat.BGRX, time.monotonic_ns())

    def _lose_window(self) -> None:
        self._end_cast()
        self._lost = True
        self._retry_at = time.monotonic() + _LOOK_UP_S

    def _begin_cast(self, connection: Connection, stream: Any) -> None:
        self._cast = Cast(connection, stream)
        dmabufs = self._dmabufs if self._windows is None else ()  # windows are pasted
        self._video = PipeWireVideo(self._runtime, self._cast.node, self._mode, dmabufs=dmabufs)

    def _end_cast(self) -> None:
        if self._video is not None:
            self._video.close()
        if self._cast is not None:
            self._cast.close()
        self._video = self._cast = None
