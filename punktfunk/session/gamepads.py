"""The session's gamepads. What fails here costs the pads, never the session."""

import logging
from collections.abc import Callable

from punktfunk.drivers.gamepad import GamepadDriver
from punktfunk.drivers.seat import Seat
from punktfunk.errors import PunktfunkError
from punktfunk.model.input import Feedback, PadEvent
from punktfunk.model.offers import Kind
from punktfunk.model.session import DriverRef
from punktfunk.session.drivers import load

log = logging.getLogger(__name__)


class StageGamepads:
    """Used by the main thread; nothing here raises.

    Args:
        ref: The driver; None for a session without pads.
    """

    def __init__(self, ref: DriverRef | None) -> None:
        self._ref = ref
        self._driver: GamepadDriver | None = None

    def open(self, seat: Seat, send_feedback: Callable[[Feedback], None]) -> None:
        """Get ready for pads.

        Args:
            send_feedback: Called from any thread, and no more once the pads are gone.
        """
        if self._ref is None:
            return

        def send(feedback: Feedback) -> None:
            if driver is self._driver:
                send_feedback(feedback)

        driver = None
        try:
            driver = self._driver = load(GamepadDriver, Kind.GAMEPAD, self._ref)
            driver.open(seat, send)
        except Exception as error:
            self._give_up(error)

    def handle(self, event: PadEvent) -> None:
        if self._driver is None:
            return
        try:
            self._driver.handle(event)
        except Exception as error:
            self._give_up(error)

    def release_all(self) -> None:
        """Let go of every button. The pads stay, for a client that comes back."""
        if self._driver is None:
            return
        try:
            self._driver.release_all()
        except Exception as error:
            self._give_up(error)

    def close(self) -> None:
        """Safe to call twice."""
        driver, self._driver = self._driver, None
        if driver is None:
            return
        try:
            driver.close()
        except Exception:
            log.exception("the gamepads did not close")

    def _give_up(self, error: Exception) -> None:
        about = {"driver": self._ref.name if self._ref else ""}
        unforeseen = None if isinstance(error, PunktfunkError) else error
        log.warning("no gamepads from now on: %s", error, extra=about, exc_info=unforeseen)
        self.close()
