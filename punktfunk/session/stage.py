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
from punktfunk.session.bus import SessionBus
from punktfunk.session.drivers import load
from punktfunk.session.seat import SessionSeat

log = logging.getLogger(__name__)


class Stage:
    """A session's world. `set` builds it in order, `strike` takes it down in reverse."""

    def __init__(self, plan: SessionPlan) -> None:
        self.plan = plan
        self.seat = SessionSeat(
            plan.seat,
            root=Path(plan.runtime_root),
            journal=Journal(Path(plan.journal)),
            host_environment=plan.host_environment,
        )
        self.compositor = load(CompositorDriver, Kind.COMPOSITOR, plan.compositor)
        self.audio = load(AudioDriver, Kind.AUDIO, plan.audio)
        self.input = load(InputDriver, Kind.INPUT, plan.input)
        self.display: Display

    def set(self, send_feedback: Callable[[Feedback], None]) -> None:
        """Bring everything up.

        Raises:
            DriverUnavailable, DriverFailed: `strike` must still be called.
        """
        self.seat.enter()
        launch, default = self.plan.launch, self.plan.start_default_app
        bus = SessionBus(self.seat) if launch.argv or default else None
        self.display = self.compositor.open(self.seat, self.plan.mode)
        sound = self.audio.prepare(self.seat, LAYOUTS[self.plan.channels])
        self.input.open(self.seat, self.display, send_feedback)
        if default and not launch.argv:
            launch = self.compositor.default_app()
        if launch.argv:
            environment = {
                **self.display.environment,
                **sound,
                **(bus.environment() if bus else {}),
                **launch.environment,
            }
            self.seat.spawn("app", launch.argv, environment=environment)

    def resize(self, mode: VideoMode) -> None:
        """Give the display the mode that the client's stream has."""
        if mode != self.display.mode:
            self.display = self.compositor.resize(mode)

    def check(self) -> None:
        """Raise `DriverFailed` when the display is gone."""
        self.compositor.check()

    def strike(self) -> None:
        """Take everything down. One part that fails does not keep the others."""
        for part in (self.input.close, self.audio.close, self.compositor.close, self.seat.leave):
            try:
                part()
            except Exception:
                log.exception("a part of the session did not close")
