"""What a session owns for as long as it lasts: seat, display, app, sink, input devices."""

import logging
from collections.abc import Callable
from pathlib import Path

from punktfunk.drivers.audio import AudioDriver
from punktfunk.drivers.compositor import CompositorDriver, Display
from punktfunk.drivers.input import InputDriver
from punktfunk.journal import Journal
from punktfunk.model.audio import LAYOUTS
from punktfunk.model.input import Feedback
from punktfunk.model.offers import Kind
from punktfunk.model.session import SessionPlan
from punktfunk.model.video import VideoMode
from punktfunk.session.app_watch import APP_MARK, AppWatch
from punktfunk.session.bus import SessionBus
from punktfunk.session.drivers import load
from punktfunk.session.prep import prepare
from punktfunk.session.seat import SessionSeat

log = logging.getLogger(__name__)


class Stage:
    """A session's world. `set` builds it in order, `strike` takes it down in reverse."""

    def __init__(self, plan: SessionPlan) -> None:
        self.plan = plan
        self._journal = Journal(Path(plan.journal))
        self.seat = SessionSeat(
            plan.seat,
            root=Path(plan.runtime_root),
            journal=self._journal,
            host_environment=plan.host_environment,
        )
        self.compositor = load(CompositorDriver, Kind.COMPOSITOR, plan.compositor)
        self.audio = load(AudioDriver, Kind.AUDIO, plan.audio)
        self.input = load(InputDriver, Kind.INPUT, plan.input)
        self.display: Display
        self._app: AppWatch | None = None

    @property
    def app_ended(self) -> bool:
        """The app came and went, and the session was only for it."""
        return self._app is not None and self._app.ended

    def set(
        self, send_feedback: Callable[[Feedback], None], on_app_end: Callable[[], None]
    ) -> None:
        """Bring everything up.

        Args:
            on_app_end: Called from another thread, see `app_ended`.

        Raises:
            DriverUnavailable, DriverFailed: `strike` must still be called.
        """
        prepare(self.plan, self._journal)
        self.seat.enter()
        launch, default = self.plan.launch, self.plan.start_default_app
        bus = SessionBus(self.seat) if launch.argv or default else None
        attach = self.plan.attach
        show = self.compositor.attach if attach else self.compositor.open
        listen = self.audio.attach if attach else self.audio.prepare
        self.display = show(self.seat, self.plan.mode)
        sound = listen(self.seat, LAYOUTS[self.plan.channels])
        self.input.open(self.seat, self.display, send_feedback)
        if default and not launch.argv:
            launch = self.compositor.default_app()
        if launch.argv:
            environment = {
                **self.display.environment,
                **sound,
                **(bus.environment() if bus else {}),
                **launch.environment,
                APP_MARK: self.seat.name,
            }
            program = self.seat.spawn(
                "app", launch.argv, environment=environment, folder=launch.folder
            )
            if self.plan.ends_with_app:
                sign = launch.process_sign
                self._app = AppWatch(program, self.seat.name, sign, on_app_end)

    def resize(self, mode: VideoMode) -> None:
        """Give the display the mode that the client's stream has."""
        if mode != self.display.mode:
            self.display = self.compositor.resize(mode)

    def check(self) -> None:
        """Raise `DriverFailed` when the display is gone."""
        self.compositor.check()

    def strike(self) -> None:
        """Take everything down. One part that fails does not keep the others."""
        parts = [self.input.close, self.audio.close, self.compositor.close, self.seat.leave]
        if self._app is not None:
            parts.insert(0, self._app.close)
        for part in parts:
            try:
                part()
            except Exception:
                log.exception("a part of the session did not close")
