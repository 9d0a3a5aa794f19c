"""The pictures of a session's display, for everything that encodes them."""

import threading
from collections.abc import Callable

import attrs
import numpy as np

from punktfunk.errors import DriverFailed
from punktfunk.model.frames import DmaBufFormat, Frame, Plane
from punktfunk.model.video import VideoMode
from punktfunk.pixels.dmabuf import readable_planes
from punktfunk.session.lasting import LastingCapture
from punktfunk.session.stage import Stage

_COPIES = 3


class Camera:
    """The capture of the stage's display. Opened and closed while nobody reads.

    Args:
        on_new_display: Called by who reads, before the first picture of another display.

    Attributes:
        mode: Of the pictures; None while it is closed.
    """

    def __init__(self, stage: Stage, on_new_display: Callable[[], None]) -> None:
        self.mode: VideoMode | None = None
        self._on_new_display = on_new_display
        self._stage = stage
        self._capture: LastingCapture | None = None

    def open(self, mode: VideoMode, dmabufs: tuple[DmaBufFormat, ...]) -> None:
        """Get ready to take pictures of this size.

        Args:
            dmabufs: What its first reader takes as it is.

        Raises:
            DriverUnavailable, DriverFailed: it cannot be.
        """
        self._capture = self._stage.open_capture(mode, dmabufs)
        self._capture.on_new_display = self._on_new_display
        self.mode = mode

    def read(self, timeout_s: float) -> Frame | None:
        """As `CaptureDriver.read`."""
        assert self._capture is not None
        return self._capture.read(timeout_s)

    def close(self) -> None:
        capture, self._capture, self.mode = self._capture, None, None
        if capture is not None:
            capture.close()


class Tap:
    """Copies of the pictures, for an encoder that works beside the first one.

    The picture thread offers, another one reads: only the newest waits. Both do without
    the other: who reads too late misses pictures, and holds none that the capture lent.
    """

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._waiting: Frame | None = None
        self._spare: list[tuple[Plane, ...]] = []
        self._lent = 0
        self._failure: DriverFailed | None = None

    def offer(self, frame: Frame) -> None:
        """Copy a borrowed frame, unless the reader still has all there is room for.

        A GPU's is read by the CPU; one that cannot be is the reader's failure.
        """
        with self._arrived:
            if self._waiting is not None:
                self._waiting.release()
                self._waiting = None
            if self._lent >= _COPIES:
                return
            self._lent += 1
            planes = self._spare.pop() if self._spare else ()
        try:
            with readable_planes(frame) as theirs:
                if [plane.shape for plane in planes] != [plane.shape for plane in theirs]:
                    planes = tuple(np.empty_like(plane) for plane in theirs)
                for to, plane in zip(planes, theirs, strict=True):
                    np.copyto(to, plane)
        except DriverFailed as error:
            self._failure = error
        release = self._release(planes)
        # What changed since the reader's last picture is not known here.
        copy = attrs.evolve(frame, planes=planes, dmabuf=None, damage=None, release=release)
        with self._arrived:
            self._waiting = copy
            self._arrived.notify()

    def read(self, timeout_s: float) -> Frame | None:
        """The newest picture, or None when there is none in time.

        Raises:
            DriverFailed: pictures come that cannot be copied.
        """
        if self._failure is not None:
            raise self._failure
        with self._arrived:
            if self._waiting is None:
                self._arrived.wait(max(0.0, timeout_s))
            frame, self._waiting = self._waiting, None
        return frame

    def _release(self, planes: tuple[Plane, ...]) -> Callable[[], None]:
        def release() -> None:
            with self._arrived:
                self._spare.append(planes)
                self._lent -= 1

        return release
