"""A client's gamepads as devices, and what games do to them back out."""

from abc import abstractmethod
from collections.abc import Callable

from punktfunk.drivers.base import Driver
from punktfunk.drivers.seat import Seat
from punktfunk.model.input import Feedback, PadEvent


class GamepadDriver(Driver):
    """Opened when the session starts; pads come and go as the client says.

    A session runs without one, and goes on without one that fails. All methods are called by
    one thread; they must not block for long.
    """

    @abstractmethod
    def open(self, seat: Seat, send_feedback: Callable[[Feedback], None]) -> None:
        """Get ready. Make no pad before the client has one.

        Args:
            seat: `seat.client` says whose pads they are, for an identity that lasts.
            send_feedback: Rumble and the like, for the client. May be called from any
                thread.

        Raises:
            DriverUnavailable: it cannot run here.
        """

    @abstractmethod
    def handle(self, event: PadEvent) -> None:
        """Do what the event says. Kinds the driver does not know are ignored.

        A state of a pad that has not arrived makes one. An arrival of one that is there, as
        when the client comes back, keeps the device and says again what it shall feel.

        Raises:
            DriverFailed: the devices are gone.
        """

    @abstractmethod
    def release_all(self) -> None:
        """Let go of every button, stick and trigger. The pads stay, for a client that
        comes back.
        """
