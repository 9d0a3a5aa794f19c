"""The screen that a client sees: one made for it, or one that was there.

Mutter lets nobody but the connection that asked for a screen take and steer it, so the
drivers of a session share it. They live in one process; a display's environment says which.
"""

import itertools
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from punktfunk.plugin import (
    Bus,
    BusError,
    DriverFailed,
    DriverUnavailable,
    PipeWireVideo,
    PointerArea,
    VideoMode,
)
from punktfunk_capture_mutter.mutter import Cast, screens
from punktfunk_capture_mutter.settings import DRIVER, SCREEN

ANSWER_S = 10.0
_POLL_S = 0.02
_KEY_WITHOUT_MEANING = 240

Reach = Callable[[], Bus]

_numbers = itertools.count(1)
_open: "dict[str, Screen]" = {}


def screen_of(environment: Mapping[str, str]) -> "Screen":
    """The screen of the display that has this environment.

    Raises:
        DriverUnavailable: it is not open, or was opened by another process.
    """
    try:
        return _open[environment[SCREEN]]
    except KeyError:
        raise DriverUnavailable(DRIVER, "this is no open display of Mutter's") from None


class Screen:
    """Attributes:
    cast: Keeps it there.
    hand: The right to steer it; another one after a change of its size.
    output: Mutter's name of it.
    mode: Its size and rate.
    """

    def __init__(
        self, reach: Reach, cast: Cast, pictures: Path, output: str, mode: VideoMode
    ) -> None:
        self.cast = self.hand = cast
        self.output, self.mode = output, mode
        self._reach, self._pictures = reach, pictures
        self._number = str(next(_numbers))
        _open[self._number] = self

    @property
    def environment(self) -> dict[str, str]:
        return {SCREEN: self._number}

    def cast_again(self) -> Cast:
        """A stream of its pictures for one consumer: the pointer's shape is told but once.

        Raises:
            DriverUnavailable: Mutter says no.
        """
        try:
            return Cast(self._reach(), self.output)
        except BusError as error:
            raise DriverUnavailable(DRIVER, f"Mutter does not answer: {error}") from error

    def video(self, cast: Cast, mode: VideoMode) -> PipeWireVideo:
        """The pictures of a stream, with the pointer.

        Raises:
            DriverUnavailable: PipeWire does not answer.
        """
        return PipeWireVideo(self._pictures, cast.node, mode, cursor=True)

    def _make_devices(self) -> None:
        """Mutter makes a device when it is first used, and programs miss what made it.

        The seat keeps its keyboard and pointer while the hand changes.
        """
        for cast in {self.cast, self.hand}:
            for pressed in (True, False):
                cast.send("NotifyKeyboardKeycode", "ub", _KEY_WITHOUT_MEANING, pressed)
            cast.send("NotifyPointerMotionRelative", "dd", 0.0, 0.0)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where a place on the picture (0..1) is, in pixels."""
        return PointerArea(0, 0, *_size(self.mode)).point(x, y)

    def close(self) -> None:
        _open.pop(self._number, None)
        self.cast.close()


class OwnScreen(Screen):
    """Mutter makes it at the size and rate that a consumer of its pictures asks for.

    So one asks, and goes: the screen stays, and programs can open on it.

    Args:
        reach: Connects to Mutter's bus.
        pictures: Folder of the PipeWire that Mutter uses.

    Raises:
        DriverUnavailable, DriverFailed: Mutter makes none.
    """

    def __init__(self, reach: Reach, pictures: Path, mode: VideoMode) -> None:
        super().__init__(reach, Cast(reach()), pictures, "", mode)
        try:
            self.output = self._ask_for(mode, known=set(self.cast.screens()))
            self._take_hand()
        except BaseException:
            self.close()
            raise

    def resize(self, mode: VideoMode) -> None:
        """Windows on it stay.

        Raises:
            DriverFailed: Mutter does not do it.
        """
        self._ask_for(mode, known=set(self.cast.screens()) - {self.output})
        self.mode = mode
        self._take_hand()

    def close(self) -> None:
        if self.hand is not self.cast:
            self.hand.close()
        super().close()

    def _take_hand(self) -> None:
        """Places are told on a stream of a screen that is there; a change of it ends those."""
        if self.hand is not self.cast:
            self.hand.close()
        self.hand = self.cast_again()
        self._make_devices()

    def _ask_for(self, mode: VideoMode, known: set[str]) -> str:
        deadline = time.monotonic() + ANSWER_S
        video = PipeWireVideo(
            self._pictures, self.cast.node, mode, exact_size=True, exact_rate=True
        )
        try:
            while time.monotonic() < deadline:
                frame = video.read(_POLL_S)
                if frame is not None:
                    frame.release()
                for name, screen in self.cast.screens().items():
                    if name not in known and _size(screen) == _size(mode):
                        return name
        finally:
            video.close()
        raise DriverFailed(f"Mutter makes no screen of {mode.width_px}×{mode.height_px}")


class ExistingScreen(Screen):
    """Nothing about it is changed.

    Raises:
        DriverUnavailable: it is not there, or Mutter does not show it.
    """

    def __init__(self, reach: Reach, pictures: Path, output: str) -> None:
        bus = reach()
        try:
            there = screens(bus)
        except BusError as error:
            bus.close()
            raise DriverUnavailable(DRIVER, f"Mutter does not answer: {error}") from error
        if output not in there:
            bus.close()
            raise DriverUnavailable(
                DRIVER,
                f"the GNOME session has no screen {output!r}",
                hint=f"set output to one of: {', '.join(there)}",
            )
        super().__init__(reach, Cast(bus, output), pictures, output, there[output])
        self._make_devices()


def _size(mode: VideoMode) -> tuple[int, int]:
    return mode.width_px, mode.height_px
