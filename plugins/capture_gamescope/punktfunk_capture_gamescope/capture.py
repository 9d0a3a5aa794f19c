"""Pictures from gamescope's PipeWire node."""

import time
from collections.abc import Mapping
from pathlib import Path

import attrs
import numpy as np

from punktfunk.plugin import (
    CaptureDriver,
    Display,
    DriverFailed,
    DriverUnavailable,
    Frame,
    PipeWireVideo,
    PixelFormat,
    Seat,
    VideoMode,
)
from punktfunk_capture_gamescope.settings import DRIVER, NODE, PICTURES

PATIENCE_S = 0.5
"""gamescope sends nothing while no window is open, nor to a second stream of a still window."""


class GamescopeCapture(CaptureDriver):
    """Black until gamescope has something to show. The pointer is not in its pictures."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._video: PipeWireVideo | None = None
        self._mode: VideoMode
        self._opened = 0.0
        self._shown_ns = 0

    def open(self, seat: Seat, display: Display, mode: VideoMode) -> None:
        environment = display.environment
        try:
            runtime, node = Path(environment[PICTURES]), int(environment[NODE])
        except (KeyError, ValueError) as error:
            raise DriverUnavailable(DRIVER, "this display is not one of gamescope's") from error
        self._mode, self._opened, self._shown_ns = mode, time.monotonic(), 0
        self._video = PipeWireVideo(runtime, node, mode, formats=(PixelFormat.BGRX,))

    def read(self, timeout_s: float) -> Frame | None:
        """Wait for a change. Frames have the size of gamescope's picture."""
        if self._video is None:
            raise DriverFailed("the capture is not open")
        if not self._shown_ns:
            left_s = max(0.0, self._opened + PATIENCE_S - time.monotonic())
            frame = self._video.read(min(timeout_s, left_s))
            if frame is None and left_s <= timeout_s:
                frame = _black(self._mode)
        else:
            frame = self._video.read(timeout_s)
        if frame is None:
            return None
        # What was waiting may be older than the black before it.
        self._shown_ns = max(self._shown_ns + 1, frame.captured_ns)
        return attrs.evolve(frame, captured_ns=self._shown_ns)

    def close(self) -> None:
        if self._video is not None:
            self._video.close()
        self._video = None


def _black(mode: VideoMode) -> Frame:
    return Frame(
        format=PixelFormat.BGRX,
        width_px=mode.width_px,
        height_px=mode.height_px,
        planes=(np.zeros((mode.height_px, 4 * mode.width_px), np.uint8),),
        captured_ns=time.monotonic_ns(),
    )
