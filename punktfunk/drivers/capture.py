"""Pictures of a display."""

from abc import abstractmethod

from punktfunk.drivers.base import Driver
from punktfunk.drivers.compositor import Display
from punktfunk.drivers.seat import Seat
from punktfunk.model.frames import DmaBufFormat, Frame
from punktfunk.model.video import VideoMode


class CaptureDriver(Driver):
    """Opened when a stream starts, closed when it ends. Used by one thread."""

    def take_dmabufs(self, formats: tuple[DmaBufFormat, ...]) -> None:
        """Hear which GPU memory the encoder reads as it is, best first. Called before `open`.

        Frames of these kinds may then be handed out unread; without this call, or with
        nothing in it, every frame is in CPU memory. Default: always in CPU memory.
        """

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

        The frame is borrowed; at most two are out at a time, with GPU memory three.

        Raises:
            DriverFailed: no picture will ever come again.
        """
