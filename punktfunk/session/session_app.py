"""The program a session is for: started, watched, and started again on a new display."""

import logging
import time
from collections.abc import Callable, Mapping

from punktfunk.model.apps import LaunchSpec
from punktfunk.session.app_watch import APP_MARK, LOOK_EVERY_S, AppWatch, has_ended
from punktfunk.session.seat import SeatProgram, SessionSeat

log = logging.getLogger(__name__)

_DIES_WITHIN_S = 10.0
"""A program that ends so soon after its display has ended because of that."""
_SURE_AFTER_S = 0.3
_LOOK_AFTER_LOSS_S = 0.2


class SessionApp:
    """Used by one thread at a time.

    Args:
        surroundings: Environment beside that of the display.
        ends_session: The session is only for it: see `over`.
        on_end: Called from another thread when it is worth asking `over`.
    """

    def __init__(
        self,
        seat: SessionSeat,
        launch: LaunchSpec,
        surroundings: Mapping[str, str],
        *,
        ends_session: bool,
        on_end: Callable[[], None],
    ) -> None:
        self._seat = seat
        self._launch = launch
        self._surroundings = surroundings
        self._ends_session = ends_session
        self._on_end = on_end
        self._display: Mapping[str, str] = {}
        self._program: SeatProgram | None = None
        self._watch: AppWatch | None = None
        self._again_until_s = 0.0
        self._over_since_s: float | None = None

    @property
    def ended(self) -> bool:
        """It came and went; why is not known yet."""
        return self._watch is not None and self._watch.ended

    def start(self, display: Mapping[str, str]) -> None:
        """Start it on a display.

        Raises:
            DriverFailed: it cannot be started.
        """
        self._unwatch()
        self._again_until_s = 0.0
        self._display = display
        environment = {
            **display,
            **self._surroundings,
            **self._launch.environment,
            APP_MARK: self._seat.name,
        }
        self._program = self._seat.start_app(
            self._launch.argv, environment=environment, folder=self._launch.folder
        )
        if self._ends_session:
            self._watch_it(LOOK_EVERY_S)

    def over(self, now_s: float) -> bool:
        """True when it has ended by itself, and the session was only for it.

        Ask only while its display is well: it may take a moment until that is known, so the
        end has to be seen twice. What ended with its display is started again.
        """
        if not self.ended:
            return False
        if now_s < self._again_until_s:
            log.info("the app ended with its display and is started again")
            self.start(self._display)
            return False
        if not self._ends_session:
            self._unwatch()
            return False
        if self._over_since_s is None:
            self._over_since_s = now_s
        return now_s - self._over_since_s >= _SURE_AFTER_S

    def display_lost(self) -> None:
        """Its end says nothing for now."""
        self._unwatch()

    def display_back(self, display: Mapping[str, str]) -> None:
        """Start it again, now or as soon as it is gone. One that lives on is left alone."""
        if self._is_gone():
            self.start(display)
            return
        self._display = display
        self._again_until_s = time.monotonic() + _DIES_WITHIN_S
        self._watch_it(_LOOK_AFTER_LOSS_S)

    def close(self) -> None:
        self._unwatch()

    def _is_gone(self) -> bool:
        return self._program is None or has_ended(self._program, self._seat.name)

    def _watch_it(self, look_every_s: float) -> None:
        assert self._program is not None
        self._watch = AppWatch(
            self._program,
            self._seat.name,
            self._launch.process_sign,
            self._on_end,
            look_every_s=look_every_s,
        )

    def _unwatch(self) -> None:
        self._over_since_s = None
        if self._watch is not None:
            self._watch.close()
            self._watch = None
