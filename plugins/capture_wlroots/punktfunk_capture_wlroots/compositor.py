"""A display on sway: one of the session's own, or one on the desktop that runs."""

import shutil
from collections.abc import Mapping

from punktfunk.plugin import (
    CompositorDriver,
    Display,
    DriverFailed,
    LaunchSpec,
    Seat,
    VideoMode,
)
from punktfunk_capture_wlroots.attach import AttachedDisplay
from punktfunk_capture_wlroots.own import OwnDisplay
from punktfunk_capture_wlroots.settings import WlrootsSettings

TERMINALS: tuple[tuple[str, ...], ...] = (
    ("foot", "-o", "font=monospace:size=13"),
    ("alacritty",),
    ("kitty",),
    ("weston-terminal",),
    ("xterm", "-maximized"),
)
"""The desktop's first program when none is set: the first that is installed."""


class WlrootsCompositor(CompositorDriver):
    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._wishes = WlrootsSettings.read(self.settings)
        self._path: str | None = None
        self._display: OwnDisplay | AttachedDisplay | None = None

    def open(self, seat: Seat, mode: VideoMode) -> Display:
        self._path = seat.environment.get("PATH")
        self._display = OwnDisplay(seat, self._wishes, mode)
        return self._display.display

    def attach(self, seat: Seat, mode: VideoMode) -> Display:
        self._display = AttachedDisplay(seat, self._wishes.output, mode)
        return self._display.display

    def resize(self, mode: VideoMode) -> Display:
        return self._opened().resize(mode)

    def default_app(self) -> LaunchSpec:
        """The terminal that is set, else the first that is installed."""
        if self._wishes.terminal:
            return LaunchSpec(argv=self._wishes.terminal)
        for argv in TERMINALS:
            if shutil.which(argv[0], path=self._path) is not None:
                return LaunchSpec(argv=argv)
        return LaunchSpec()

    def check(self) -> None:
        self._opened().check()

    def close(self) -> None:
        if self._display is not None:
            self._display.close()
            self._display = None

    def _opened(self) -> OwnDisplay | AttachedDisplay:
        if self._display is None:
            raise DriverFailed("the display is not open")
        return self._display
