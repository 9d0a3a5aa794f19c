"""A session's display, and what hangs on it: input and captures. Comes back when it dies."""

import logging
import time
from collections.abc import Callable, Mapping

from punktfunk.drivers.capture import CaptureDriver
from punktfunk.drivers.compositor import CompositorDriver, Display
from punktfunk.drivers.input import InputDriver
from punktfunk.drivers.seat import Seat
from punktfunk.errors import DisplayWithdrawn, DriverFailed
from punktfunk.model.apps import LaunchSpec
from punktfunk.model.frames import DmaBufFormat
from punktfunk.model.input import Feedback, InputEvent
from punktfunk.model.offers import Kind
from punktfunk.model.session import SessionPlan
from punktfunk.model.video import VideoMode
from punktfunk.session.contacts import Contacts
from punktfunk.session.drivers import load
from punktfunk.session.lasting import LastingCapture
from punktfunk.session.recovery import ATTACHED, OWN, Recovery, Work

log = logging.getLogger(__name__)

_RESIZE_PATIENCE_S = 6.0
_POLL_S = 0.02


class Screen:
    """Used by one thread. While it is lost, input is dropped and captures have no new picture.

    Args:
        wake: Called from any thread when `tend` has something to do.

    Attributes:
        on_lost: Told the reason, once an outage.
        on_back: Told how long the outage was, in seconds.
        on_gone, on_new: Told by the recovery's thread, which touches all that is on the
            display meanwhile: it is about to be taken down; there is another one, and this
            is how programs reach it.
    """

    def __init__(self, plan: SessionPlan, seat: Seat, wake: Callable[[], None]) -> None:
        self.on_lost: Callable[[str], None] = lambda reason: None
        self.on_back: Callable[[float], None] = lambda after_s: None
        self.on_gone: Callable[[], None] = lambda: None
        self.on_new: Callable[[Mapping[str, str]], None] = lambda environment: None
        self.display: Display
        self._plan = plan
        self._seat = seat
        self._compositor = load(CompositorDriver, Kind.COMPOSITOR, plan.compositor)
        self._input = load(InputDriver, Kind.INPUT, plan.input)
        self._contacts = Contacts(touch=plan.touch, pen=plan.pen)
        self._mode = plan.mode
        self._send_feedback: Callable[[Feedback], None]
        self._captures: list[LastingCapture] = []
        self._shown = False
        self._is_new = False
        self._deaf = False
        self._recovery = Recovery(
            self._examine,
            ATTACHED if plan.attach else OWN,
            wake=wake,
            on_lost=self._tell_lost,
            on_back=self._tell_back,
        )

    @property
    def well(self) -> bool:
        """Nothing is known to be lost."""
        return not self._recovery.busy

    def show(self) -> Display:
        """Bring the display up.

        Raises:
            DriverUnavailable, DriverFailed: `close` must still be called.
        """
        show = self._compositor.attach if self._plan.attach else self._compositor.open
        self.display = show(self._seat, self._mode)
        self._shown = True
        return self.display

    def open_input(self, send_feedback: Callable[[Feedback], None]) -> None:
        """Raises `DriverUnavailable`, as the driver does."""
        self._send_feedback = send_feedback
        self._input.open(self._seat, self.display, send_feedback)

    def open_capture(
        self, mode: VideoMode, dmabufs: tuple[DmaBufFormat, ...] = ()
    ) -> LastingCapture:
        """Take pictures of the display, and of the one that takes its place.

        Args:
            dmabufs: GPU memory that may be handed out as it is.

        Raises:
            DriverUnavailable: it cannot run here.
        """
        capture = LastingCapture(
            lambda: load(CaptureDriver, Kind.CAPTURE, self._plan.capture), self._recovery.report
        )
        capture.take_dmabufs(dmabufs)
        try:
            capture.open(self._seat, self.display, mode)
        except BaseException:
            capture.close()
            raise
        self._captures = [*(it for it in self._captures if not it.closed), capture]
        return capture

    def default_app(self) -> LaunchSpec:
        """As of the compositor."""
        return self._compositor.default_app()

    def handle(self, event: InputEvent) -> None:
        """Do what the event says, if there is something to do it to."""
        if self._deaf:
            return
        try:
            for each in self._contacts.as_taken(event):
                self._input.handle(each)
        except Exception as error:
            self._deaf = True
            self._recovery.report(error)

    def release_all(self) -> None:
        """Release every key and button; a display that is lost has none."""
        self._contacts.forget()
        if not self._deaf:
            self._input.release_all()

    def resize(self, mode: VideoMode) -> None:
        """Give the display another mode.

        Raises:
            DriverFailed: there is no display at the moment, and none comes soon.
        """
        self.check()
        deadline_s = time.monotonic() + _RESIZE_PATIENCE_S
        while not self.well:
            self._recovery.poll(time.monotonic())
            if time.monotonic() > deadline_s:
                raise DriverFailed("the display is lost, and not back yet")
            time.sleep(_POLL_S)
        if mode != self.display.mode:
            self.display = self._compositor.resize(mode)
        self._mode = mode

    def check(self) -> None:
        """Look whether the display is there; about once a second."""
        if self.well:
            try:
                self._compositor.check()
            except Exception as error:
                self._recovery.report(error)

    def tend(self) -> None:
        """Bring back what is lost, as far as it goes at the moment.

        Raises:
            DriverFailed: it is lost for good.
        """
        self._recovery.poll(time.monotonic())

    def rest(self, timeout_s: float) -> bool:
        """Bring nothing back any more; False while an attempt is still not over."""
        return self._recovery.close(timeout_s)

    def close(self) -> None:
        """Take it down, after `rest`."""
        _quietly(self._input.close)
        _quietly(self._compositor.close)

    # -- when it dies

    def _examine(self) -> Work:
        gone = self._is_gone()
        captures = [it for it in self._captures if not it.closed and (gone or it.lost or it.held)]
        for capture in captures:
            capture.hold()
        self._deaf = self._deaf or gone
        return lambda: self._bring_back(gone, captures)

    def _is_gone(self) -> bool:
        try:
            self._compositor.check()
        except DisplayWithdrawn:
            raise
        except Exception:
            return True
        return not self._shown

    def _bring_back(self, gone: bool, captures: list[LastingCapture]) -> None:
        """In the recovery's thread, while the other one keeps its hands off."""
        for capture in captures:
            capture.let_go()
        if gone:
            self.on_gone()
            self._shown = False
            self.close()
            self._compositor = load(CompositorDriver, Kind.COMPOSITOR, self._plan.compositor)
            self.show()
            self._is_new = True
        if self._deaf:
            _quietly(self._input.close)
            self._input = load(InputDriver, Kind.INPUT, self._plan.input)
            self._contacts.forget()
            self._input.open(self._seat, self.display, self._send_feedback)
        for capture in captures:
            self._reopen(capture)
        if self._is_new:
            self.on_new(self.display.environment)
            self._is_new = False

    def _reopen(self, capture: LastingCapture) -> None:
        try:
            capture.reopen(self._seat, self.display)
        except Exception:
            # The screen it looked at may be gone while the desktop is well.
            self._shown = not self._plan.attach
            raise

    def _tell_lost(self, reason: str) -> None:
        log.warning("the display is lost and will be brought back: %s", reason)
        self.on_lost(reason)

    def _tell_back(self, after_s: float) -> None:
        log.info("the display is back after %.1f seconds", after_s)
        self._deaf = False
        self.on_back(after_s)


def _quietly(part: Callable[[], None]) -> None:
    try:
        part()
    except Exception:
        log.exception("a part of the display did not close")
