"""Pictures of a display."""

from abc import abstractmethod

from punktfunk.drivers.base import Driver
from punktfunk.drivers.compositor import Display
from punktfunk.drivers.seat import Seat
from punktfunk.model.frames import Frame
from punktfunk.model.video import VideoMode


class CaptureDriver(Driver):
    """Opened when a stream starts, closed when it ends. Used by one thread."""

    @abstractmethod
    def open(self, seat: Seat, display: Display, mode: VideoMode) -> None:
        """Get ready to take pictures of a display of this mode, at most at its rate.

        Pictures of another size, because the display has another one now, are stretched by
        the core.

        Raises:
            DriverUnavailable: it cannot run here.
        """

    @abstractmethod
    def read(self, timeout_s: float) -> Frame | None:
        """Wait for the next new picture, or None when nothing changed in time.

        The frame is borrowed; at most two are out at a time.

        Raises:
            DriverFailed: no picture will ever come again.
        """
