"""Pictures from gamescope's PipeWire node."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

import attrs
import numpy as np

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
from punktfunk_capture_gamescope.pointer import XPointer
from punktfunk_capture_gamescope.settings import DRIVER, NODE, PICTURES, POINTER

log = logging.getLogger(__name__)

PATIENCE_S = 0.5
"""gamescope sends nothing while no window is open, nor to a second stream of a still window."""


class GamescopeCapture(CaptureDriver):
    """Black until gamescope has something to show.

    Where gamescope leaves the pointer out, that of its X server is drawn into pictures in
    memory. Those in GPU memory are handed out unread, and have none.
    """

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._video: PipeWireVideo | None = None
        self._pointer: XPointer | None = None
        self._dmabufs: tuple[DmaBufFormat, ...] = ()
        self._mode: VideoMode
        self._size_px = (0, 0)
        self._opened = 0.0
        self._shown_ns = 0

    def take_dmabufs(self, formats: tuple[DmaBufFormat, ...]) -> None:
        self._dmabufs = formats

    def open(self, seat: Seat, display: Display, mode: VideoMode) -> None:
        environment = display.environment
        try:
            runtime, node = Path(environment[PICTURES]), int(environment[NODE])
        except (KeyError, ValueError) as error:
            raise DriverUnavailable(DRIVER, "this display is not one of gamescope's") from error
        self._mode, self._opened, self._shown_ns = mode, time.monotonic(), 0
        self._size_px = (display.mode.width_px, display.mode.height_px)
        self._pointer = None if self._dmabufs else _pointer(environment)
        self._video = PipeWireVideo(
            runtime,
            node,
            mode,
            formats=(PixelFormat.BGRX,),
            dmabufs=self._dmabufs,
            cursor=self._pointer is not None,
        )

    def read(self, timeout_s: float) -> Frame | None:
        """Wait for a change. Frames have the size of gamescope's picture."""
        if self._video is None:
            raise DriverFailed("the capture is not open")
        if not self._shown_ns:
            left_s = max(0.0, self._opened + PATIENCE_S - time.monotonic())
            frame = self._next(self._video, min(timeout_s, left_s))
            if frame is None and left_s <= timeout_s:
                frame = _black(self._mode)
        else:
            frame = self._next(self._video, timeout_s)
        if frame is None:
            return None
        # What was waiting may be older than the black before it.
        self._shown_ns = max(self._shown_ns + 1, frame.captured_ns)
        return attrs.evolve(frame, captured_ns=self._shown_ns)

    def close(self) -> None:
        if self._video is not None:
            self._video.close()
        if self._pointer is not None:
            self._pointer.close()
        self._video = self._pointer = None

    def _next(self, video: PipeWireVideo, timeout_s: float) -> Frame | None:
        """As of the video; the pointer moves on still pictures, too."""
        if self._pointer is None:
            return video.read(timeout_s)
        deadline = time.monotonic() + timeout_s
        while True:
            video.point(*self._pointer.look(*self._size_px))
            left_s = deadline - time.monotonic()
            frame = video.read(max(0.0, min(left_s, self._mode.frame_interval_ns / 1e9)))
            if frame is not None:
                self._size_px = (frame.width_px, frame.height_px)
                return frame
            if time.monotonic() >= deadline:
                return None


def _pointer(environment: Mapping[str, str]) -> XPointer | None:
    if POINTER not in environment:
        return None
    try:
        return XPointer(environment[POINTER])
    except DriverUnavailable as error:
        log.info("the pointer will not be seen: %s", error.reason)
        return None


def _black(mode: VideoMode) -> Frame:
    return Frame(
        format=PixelFormat.BGRX,
        width_px=mode.width_px,
        height_px=mode.height_px,
        planes=(np.zeros((mode.height_px, 4 * mode.width_px), np.uint8),),
        captured_ns=time.monotonic_ns(),
    )
