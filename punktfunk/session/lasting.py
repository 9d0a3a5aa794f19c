"""A capture that outlives the display it looks at."""

import logging
import threading
from collections.abc import Callable

import attrs

from punktfunk.drivers.capture import CaptureDriver
from punktfunk.drivers.compositor import Display
from punktfunk.drivers.seat import Seat
from punktfunk.errors import DriverFailed
from punktfunk.model.frames import DmaBufFormat, Frame
from punktfunk.model.video import VideoMode

log = logging.getLogger(__name__)

_LET_GO_S = 2.0


class LastingCapture(CaptureDriver):
    """Has no new picture for a while where a capture of its own would fail.

    `read` is the picture thread's; `hold`, `let_go` and `reopen` are the recovery's.

    Args:
        make: Load the driver; called again for every display.
        on_lost: Told from the picture thread what the driver said when it gave up.

    Attributes:
        on_new_display: Called from the picture thread before it gets the first picture of
            another display.
    """

    def __init__(
        self, make: Callable[[], CaptureDriver], on_lost: Callable[[Exception], None]
    ) -> None:
        super().__init__()
        self.on_new_display: Callable[[], None] = lambda: None
        self.closed = False
        self._make_driver = make
        self._dmabufs: tuple[DmaBufFormat, ...] = ()
        self._on_lost = on_lost
        self._mode: VideoMode
        self._state = threading.Condition()
        self._driver: CaptureDriver | None = None
        self._held = False
        self._lost = False
        self._reader: int | None = None
        self._lent = 0
        self._is_new = False

    @property
    def lost(self) -> bool:
        """The driver gave up; it is reported."""
        return self._lost

    @property
    def held(self) -> bool:
        """It waits for `reopen`."""
        return self._held

    def take_dmabufs(self, formats: tuple[DmaBufFormat, ...]) -> None:
        self._dmabufs = formats

    def open(self, seat: Seat, display: Display, mode: VideoMode) -> None:
        self._mode = mode
        self._driver = self._make()
        self._driver.open(seat, display, mode)

    def read(self, timeout_s: float) -> Frame | None:
        """As every capture, but never raises."""
        driver = self._turn()
        if driver is None:
            with self._state:
                self._state.wait_for(lambda: self._driver is not None, timeout_s)
            return None
        try:
            frame = driver.read(timeout_s)
        except Exception as error:
            self._give_up(error)
            return None
        if frame is None:
            return None
        if self._is_new:
            self._is_new = False
            self.on_new_display()
        return self._lend(frame)

    def close(self) -> None:
        """The picture thread has ended."""
        with self._state:
            self.closed = True
            self._close_driver()

    def hold(self) -> None:
        """Any thread: from now on nothing is read, and a failure is no news."""
        with self._state:
            self._held = True

    def let_go(self) -> None:
        """Wait until the driver is closed, by the thread that uses it.

        Raises:
            DriverFailed: that thread does not come back from the driver.
        """
        with self._state:
            if self._reader is None:
                self._close_driver()
            if not self._state.wait_for(lambda: self._driver is None, _LET_GO_S):
                raise DriverFailed("the capture hangs")

    def reopen(self, seat: Seat, display: Display) -> None:
        """Look at another display, or anew at the same.

        Raises:
            DriverUnavailable, DriverFailed: as `open`.
        """
        driver = self._make()
        try:
            driver.open(seat, display, self._mode)
        except BaseException:
            driver.close()
            raise
        with self._state:
            if self.closed:
                driver.close()
                return
            self._driver = driver
            self._held = self._lost = False
            self._is_new = True
            self._state.notify_all()

    def _make(self) -> CaptureDriver:
        driver = self._make_driver()
        driver.take_dmabufs(self._dmabufs)
        return driver

    def _turn(self) -> CaptureDriver | None:
        """The driver to read from. Closes one that is not wanted, when all is given back."""
        with self._state:
            self._reader = threading.get_ident()
            if (self._held or self._lost) and self._lent == 0:
                self._close_driver()
            return None if self._held or self._lost else self._driver

    def _give_up(self, error: Exception) -> None:
        with self._state:
            self._lost = True
            if not self._held:
                self._on_lost(error)

    def _close_driver(self) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            try:
                driver.close()
            except Exception:
                log.warning("a capture did not close", exc_info=True)
        self._state.notify_all()

    def _lend(self, frame: Frame) -> Frame:
        """Count the frames that are out: they lie in the driver's memory. A GPU's outlive it."""
        if frame.dmabuf is not None:
            return frame
        give_back = frame.release
        self._lent += 1

        def release() -> None:
            self._lent -= 1
            give_back()

        return attrs.evolve(frame, release=release)
