"""Input events into a display, feedback back out."""

from abc import abstractmethod
from collections.abc import Callable

from punktfunk.drivers.base import Driver
from punktfunk.drivers.compositor import Display
from punktfunk.drivers.seat import Seat
from punktfunk.model.input import Feedback, InputEvent


class InputDriver(Driver):
    """Opened when the session starts, so that devices exist before the first key.

    All methods are called by one thread; they must not block for long.
    """

    @abstractmethod
    def open(self, seat: Seat, display: Display, send_feedback: Callable[[Feedback], None]) -> None:
        """Create the session's devices on a display.

        Args:
            send_feedback: Rumble and the like, for the client. May be called from any
                thread.

        Raises:
            DriverUnavailable: it cannot run here.
        """

    @abstractmethod
    def handle(self, event: InputEvent) -> None:
        """Do what the event says. Kinds the driver does not know are ignored.

        Raises:
            DriverFailed: the devices are gone.
        """

    @abstractmethod
    def release_all(self) -> None:
        """Release every key and button that is down, lift every finger."""
