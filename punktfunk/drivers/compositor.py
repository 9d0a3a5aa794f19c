"""A display of the client's own."""

from abc import abstractmethod
from collections.abc import Mapping

import attrs

from punktfunk.drivers.base import Driver
from punktfunk.drivers.seat import Seat
from punktfunk.errors import DriverUnavailable
from punktfunk.model.apps import LaunchSpec
from punktfunk.model.video import VideoMode


@attrs.frozen(kw_only=True)
class Display:
    """A running display.

    Attributes:
        compositor: Name of the driver that made it.
        output: The compositor's own name of the output, such as `HEADLESS-1`.
        environment: What a program needs to appear on it (`WAYLAND_DISPLAY`, …). Capture
            and input drivers connect through the same variables.
    """

    compositor: str
    mode: VideoMode
    output: str = ""
    environment: Mapping[str, str] = attrs.field(factory=dict)


class CompositorDriver(Driver):
    """Makes one display for one session, or shows one that is there. Used by one thread."""

    @abstractmethod
    def open(self, seat: Seat, mode: VideoMode) -> Display:
        """Bring up a display of exactly this mode and wait until it can be drawn on.

        Raises:
            DriverUnavailable: it cannot run here; reason and hint for a person.
            DriverFailed: it started and failed.
        """

    def attach(self, seat: Seat, mode: VideoMode) -> Display:
        """Show the desktop that already runs, on an output of the client's own if possible.

        Only for drivers that offer it, see `Offer.attaches`. The mode of the result is that
        of the output. What is changed of the user's goes to the journal first, and is as it
        was after `close`.

        Raises:
            DriverUnavailable, DriverFailed: as for `open`.
        """
        raise DriverUnavailable(type(self).__name__, "it shows only displays of its own")

    @abstractmethod
    def resize(self, mode: VideoMode) -> Display:
        """Change the mode while programs run on it."""

    def default_app(self) -> LaunchSpec:
        """What to start when the session is the desktop itself. Default: nothing."""
        return LaunchSpec()

    def check(self) -> None:
        """Raise `DriverFailed` when the display is gone. Called about once a second."""
