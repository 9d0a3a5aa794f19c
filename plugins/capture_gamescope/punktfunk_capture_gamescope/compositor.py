"""A display on gamescope: one of the session's own, or the one that runs."""

import logging
import shutil
from collections.abc import Mapping

import attrs

from punktfunk.plugin import (
    CompositorDriver,
    Display,
    DriverFailed,
    DriverUnavailable,
    LaunchSpec,
    Seat,
    VideoMode,
)
from punktfunk_capture_gamescope.own import OwnGamescope
from punktfunk_capture_gamescope.probe import INSTALL_HINT, render_nodes, start_availability
from punktfunk_capture_gamescope.program import find
from punktfunk_capture_gamescope.running import RunningGamescope, running_gamescope
from punktfunk_capture_gamescope.settings import DRIVER, NODE, PICTURES, POINTER, GamescopeSettings

log = logging.getLogger(__name__)

HELP_S = 10.0
BIG_PICTURE = ("steam", "-gamepadui")


class GamescopeCompositor(CompositorDriver):
    """Starts gamescope on the seat, or looks at one that is there and changes nothing."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._wishes = GamescopeSettings.read(self.settings)
        self._seat: Seat | None = None
        self._own: OwnGamescope | None = None
        self._running: RunningGamescope | None = None
        self._display: Display | None = None

    def open(self, seat: Seat, mode: VideoMode) -> Display:
        path = seat.environment.get("PATH")
        found = start_availability(self._wishes, path, render_nodes(), HELP_S)
        gamescope = find(self._wishes.gamescope, path, HELP_S) if found.available else None
        if gamescope is None:
            raise DriverUnavailable(DRIVER, found.reason, hint=found.hint or INSTALL_HINT)
        self._seat, self._own = seat, OwnGamescope(seat)
        try:
            self._own.start(gamescope, mode, self._wishes)
        except BaseException:
            self.close()
            raise
        self._display = Display(
            compositor=DRIVER,
            mode=mode,
            output=self._own.name,
            environment={
                **self._own.environment(self._wishes),
                PICTURES: str(self._own.pictures),
                NODE: str(self._own.node.number),
                **({} if gamescope.draws_pointer else {POINTER: self._own.x_display}),
            },
        )
        return self._display

    def attach(self, seat: Seat, mode: VideoMode) -> Display:
        """Look at the gamescope that runs; its size stays what it is."""
        found = running_gamescope(seat.host_environment, self._wishes.display)
        width_px, height_px = found.node.size_px or (mode.width_px, mode.height_px)
        environment = {
            "XDG_RUNTIME_DIR": str(found.runtime),
            "GAMESCOPE_WAYLAND_DISPLAY": found.name,
            PICTURES: str(found.runtime),
            NODE: str(found.node.number),
        }
        if found.x_display is not None:
            environment["DISPLAY"] = found.x_display
            if not found.draws_pointer:
                environment[POINTER] = found.x_display
        self._seat, self._running = seat, found
        self._display = Display(
            compositor=DRIVER,
            mode=attrs.evolve(mode, width_px=width_px, height_px=height_px),
            output=found.name,
            environment=environment,
        )
        return self._display

    def resize(self, mode: VideoMode) -> Display:
        """Gamescope has its size for good: the capture stretches what it shows."""
        if self._display is None:
            raise DriverFailed("the display is not open")
        log.warning("gamescope keeps its size; its picture is stretched")
        return self._display

    def default_app(self) -> LaunchSpec:
        """Steam's Big Picture in Steam mode.

        Raises:
            DriverUnavailable: there is no other desktop.
        """
        if not self._wishes.steam:
            raise DriverUnavailable(
                DRIVER,
                "gamescope shows games and has no desktop",
                hint="start a game, set `steam = true` in [plugin.gamescope], or set "
                "`command` in [desktop]",
            )
        path = self._seat.environment.get("PATH") if self._seat is not None else None
        if shutil.which(BIG_PICTURE[0], path=path) is None:
            raise DriverUnavailable(DRIVER, "Steam is not installed", hint="install Steam")
        return LaunchSpec(argv=BIG_PICTURE)

    def check(self) -> None:
        if self._running is not None:
            if not self._running.is_alive():
                raise DriverFailed(f"{self._running.name} ended")
        elif self._own is not None:
            self._own.check()
        else:
            raise DriverFailed("the display is not open")

    def close(self) -> None:
        if self._own is not None:
            self._own.stop()
        self._own = self._running = self._display = None
