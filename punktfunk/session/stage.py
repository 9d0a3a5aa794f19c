"""What a session owns for as long as it lasts: seat, display, app, sink, input devices."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from punktfunk.drivers.audio import AudioDriver
from punktfunk.drivers.compositor import Display
from punktfunk.journal import Journal
from punktfunk.model.apps import LaunchSpec
from punktfunk.model.audio import LAYOUTS
from punktfunk.model.frames import DmaBufFormat
from punktfunk.model.input import Feedback, InputEvent, PadEvent
from punktfunk.model.offers import Kind
from punktfunk.model.session import SessionPlan
from punktfunk.model.video import VideoMode
from punktfunk.session.bus import SessionBus
from punktfunk.session.drivers import load
from punktfunk.session.gamepads import StageGamepads
from punktfunk.session.inhibitor import Inhibitor
from punktfunk.session.lasting import LastingCapture
from punktfunk.session.memory import Memory
from punktfunk.session.prep import prepare
from punktfunk.session.screen import Screen
from punktfunk.session.seat import SessionSeat
from punktfunk.session.session_app import SessionApp

log = logging.getLogger(__name__)

_REST_S = 1.5


class Stage:
    """A session's world. `set` builds it in order, `strike` takes it down in reverse.

    A display that dies in between is brought back, and its app with it: see `tend`.

    Args:
        wake: Called from any thread when `tend` has something to do.
    """

    def __init__(self, plan: SessionPlan, wake: Callable[[], None]) -> None:
        self.plan = plan
        self._journal = Journal(Path(plan.journal))
        self.seat = SessionSeat(
            plan.seat,
            client=plan.client,
            root=Path(plan.runtime_root),
            journal=self._journal,
            memory=Memory(Path(plan.memory)),
            host_environment=plan.host_environment,
        )
        self.screen = Screen(plan, self.seat, wake)
        self.audio = load(AudioDriver, Kind.AUDIO, plan.audio)
        self.gamepads = StageGamepads(plan.gamepad)
        self.app_ended = False
        self._wake = wake
        self._app: SessionApp | None = None
        self._inhibitor: Inhibitor | None = None

    @property
    def display(self) -> Display:
        """As it is at the moment."""
        return self.screen.display

    def set(self, send_feedback: Callable[[Feedback], None]) -> None:
        """Bring everything up.

        Raises:
            DriverUnavailable, DriverFailed: `strike` must still be called.
        """
        self._journal.hold()
        prepare(self.plan, self._journal)
        self.seat.enter()
        launch, default = self.plan.launch, self.plan.start_default_app
        bus = SessionBus(self.seat) if launch.argv or default else None
        listen = self.audio.attach if self.plan.attach else self.audio.prepare
        self.screen.show()
        sound = listen(self.seat, LAYOUTS[self.plan.channels])
        if self.plan.sound_on_host and not self.audio.play_here():
            log.info("the host has no speakers that could play the session's sound, too")
        self.screen.open_input(send_feedback)
        self.gamepads.open(self.seat, send_feedback)
        if default and not launch.argv:
            launch = self.screen.default_app()
        if launch.argv:
            self._start_app(launch, {**sound, **(bus.environment() if bus else {})})
        if self.plan.keep_awake:
            self._inhibitor = Inhibitor(
                self.plan.keep_awake, self.plan.host_environment, desktop=self.plan.attach
            )

    def open_capture(
        self, mode: VideoMode, dmabufs: tuple[DmaBufFormat, ...] = ()
    ) -> LastingCapture:
        """As of the screen."""
        return self.screen.open_capture(mode, dmabufs)

    def resize(self, mode: VideoMode) -> None:
        """Give the display the mode that the client's stream has."""
        self.screen.resize(mode)

    def handle(self, event: InputEvent) -> None:
        """Give the event to whom it is for. Nobody gets it while its device is lost."""
        if isinstance(event, PadEvent):
            self.gamepads.handle(event)
        else:
            self.screen.handle(event)

    def release_all(self) -> None:
        """Let go of every key, button and finger."""
        self.gamepads.release_all()
        self.screen.release_all()

    def check(self) -> None:
        """Look whether the display is there; about once a second."""
        self.screen.check()

    def tend(self, now_s: float) -> None:
        """Do what is due for display and app; then look at `app_ended`.

        Raises:
            DriverFailed: the display is lost for good, or the app does not start again.
        """
        self.screen.tend()
        if self._app is None or not self.screen.well or not self._app.ended:
            return
        self.screen.check()  # it may have died with its display
        if self.screen.well:
            self.app_ended = self._app.over(now_s)

    def strike(self) -> None:
        """Take everything down. One part that fails does not keep the others."""
        parts = [self.gamepads.close, self.audio.close, self.screen.close, self.seat.leave]
        if self._app is not None:
            parts.insert(0, self._app.close)
        if self._inhibitor is not None:
            parts.insert(0, self._inhibitor.close)
        if not self.screen.rest(_REST_S):
            # Without its programs, a display that is still coming up gives up.
            _quietly(self.seat.leave)
            if not self.screen.rest(_REST_S):
                log.error("the display hangs and is left to the journal")
                parts.remove(self.screen.close)
        for part in (*parts, self._journal.release):
            _quietly(part)

    def _start_app(self, launch: LaunchSpec, surroundings: Mapping[str, str]) -> None:
        self._app = SessionApp(
            self.seat,
            launch,
            surroundings,
            ends_session=self.plan.ends_with_app,
            on_end=self._wake,
        )
        self._app.start(self.display.environment)
        if not self.plan.attach:
            self.screen.on_gone = self._app.display_lost
            self.screen.on_new = self._app.display_back


def _quietly(part: Callable[[], None]) -> None:
    try:
        part()
    except Exception:
        log.exception("a part of the session did not close")
