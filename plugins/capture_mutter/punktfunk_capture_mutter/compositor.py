"""A desktop on Mutter: one of the session's own, or a screen in the running GNOME session."""

import logging
import shutil
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import attrs

from punktfunk.plugin import (
    Bus,
    BusError,
    CompositorDriver,
    Display,
    DisplayWithdrawn,
    DriverFailed,
    DriverUnavailable,
    LaunchSpec,
    PipeWireServer,
    Seat,
    SeatProcess,
    VideoMode,
    Witness,
    x11_display_of,
)
from punktfunk_capture_mutter.layout import Layout, LayoutService, write_settings
from punktfunk_capture_mutter.mutter import is_up
from punktfunk_capture_mutter.own import command_line, environment, program_of, start_bus
from punktfunk_capture_mutter.probe import own_availability
from punktfunk_capture_mutter.screen import ExistingScreen, OwnScreen, Screen
from punktfunk_capture_mutter.session import X_COOKIES, connect, pictures_of, variables, x_variables
from punktfunk_capture_mutter.settings import DRIVER, MutterSettings
from punktfunk_capture_mutter.shell import leave_overview

log = logging.getLogger(__name__)

START_S = 30.0
_POLL_S = 0.02
_SOCKET = "wayland-mutter"

TERMINALS: tuple[tuple[str, ...], ...] = (
    ("kgx",),
    ("gnome-terminal", "--wait"),
    ("alacritty",),
    ("kitty",),
    ("foot", "-o", "font=monospace:size=13"),
    ("xterm", "-fa", "monospace", "-fs", "13"),
)
"""The desktop's first program when none is set: the first that is installed."""


class MutterCompositor(CompositorDriver):
    """Starts a desktop on the seat, or has the user's own show another screen."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._wishes = MutterSettings.read(self.settings)
        self._seat: Seat | None = None
        self._processes: dict[str, SeatProcess] = {}
        self._pipewire: PipeWireServer | None = None
        self._screen: Screen | None = None
        self._witness: Witness | None = None
        self._display: Display | None = None
        self._files: list[Path] = []

    def open(self, seat: Seat, mode: VideoMode) -> Display:
        self._seat = seat
        try:
            self._display = self._open_own(seat, mode)
        except BaseException:
            self.close()
            raise
        return self._display

    def attach(self, seat: Seat, mode: VideoMode) -> Display:
        """Add a screen, or show the one that is set; nothing is left to undo.

        Mutter takes a screen that it made for us away when our connection ends.
        """
        self._seat = seat
        reach = partial(connect, seat.host_environment)
        pictures = pictures_of(seat.host_environment)
        if self._wishes.output:
            self._screen = ExistingScreen(reach, pictures, self._wishes.output)
        else:
            self._screen = OwnScreen(reach, pictures, mode)
        self._witness = Witness(pictures / "pipewire-0")
        self._display = _shown(self._screen, variables(seat.host_environment))
        return self._display

    def resize(self, mode: VideoMode) -> Display:
        """Change a screen of our own; one that was there before keeps its size."""
        if self._display is None:
            raise DriverFailed("the display is not open")
        if isinstance(self._screen, OwnScreen):
            self._screen.resize(mode)
            self._display = attrs.evolve(self._display, mode=mode)
        return self._display

    def default_app(self) -> LaunchSpec:
        """The terminal that is set, else the first that is installed."""
        if self._wishes.terminal:
            return LaunchSpec(argv=self._wishes.terminal)
        path = self._seat.environment.get("PATH") if self._seat is not None else None
        for argv in TERMINALS:
            if shutil.which(argv[0], path=path) is not None:
                return LaunchSpec(argv=argv)
        return LaunchSpec()

    def check(self) -> None:
        if self._screen is None:
            raise DriverFailed("the display is not open")
        self._check_processes()
        try:
            self._screen.cast.check()
        except DriverFailed as error:
            witness = self._witness
            if self._screen.cast.stopped and witness is not None and not witness.has_ended:
                raise DisplayWithdrawn("the user at the host ended the sharing") from error
            raise

    def close(self) -> None:
        if self._screen is not None:
            self._screen.close()
        if self._witness is not None:
            self._witness.close()
        for process in reversed(self._processes.values()):
            process.stop()
        if self._pipewire is not None:
            self._pipewire.stop()
        if self._seat is not None and self._files:
            self._files += self._seat.runtime_dir.glob(X_COOKIES)
        for path in self._files:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        self._screen = self._witness = self._pipewire = self._display = None
        self._processes, self._files = {}, []

    def _open_own(self, seat: Seat, mode: VideoMode) -> Display:
        path = seat.environment.get("PATH")
        layout = Layout.read(self._wishes.keyboard_layout)
        availability = own_availability(self._wishes.program, path, START_S)
        program = program_of(self._wishes.program, path)
        if not availability.available or program is None:
            raise DriverUnavailable(DRIVER, availability.reason, hint=availability.hint)
        self._pipewire = PipeWireServer(seat)
        self._pipewire.start()
        runtime, folder = seat.runtime_dir, seat.runtime_dir / "mutter"
        self._files = [folder, runtime / _SOCKET, runtime / f"{_SOCKET}.lock"]
        for leftover in self._files[1:]:
            leftover.unlink(missing_ok=True)
        write_settings(folder / "config", layout)
        self._processes["mutter-bus"], address = start_bus(seat, folder)
        bus = self._wait_for_bus(address)
        layouts = LayoutService(address, layout)
        try:
            private = {**self._pipewire.environment, **environment(folder, runtime, address)}
            argv = command_line(program, _SOCKET, self._wishes, path)
            desktop = seat.spawn("mutter", argv, environment=private)
            self._processes["mutter"] = desktop
            self._wait_until_up(bus)
        finally:
            layouts.close()
            bus.close()
        self._screen = OwnScreen(partial(Bus, address), self._pipewire.runtime, mode)
        leave_overview(address)
        found = {
            "XDG_RUNTIME_DIR": str(runtime),
            "WAYLAND_DISPLAY": _SOCKET,
            "XDG_SESSION_TYPE": "wayland",
            "XDG_CURRENT_DESKTOP": "GNOME",
        }
        if (x_display := x11_display_of(desktop.pid)) is not None:
            found |= x_variables(runtime, x_display)
        return _shown(self._screen, found)

    def _wait_for_bus(self, address: str) -> Bus:
        deadline = time.monotonic() + START_S
        while True:
            self._check_processes()
            try:
                return Bus(address)
            except BusError as error:
                if time.monotonic() > deadline:
                    raise DriverFailed(f"dbus-daemon does not become ready: {error}") from error
            time.sleep(_POLL_S)

    def _wait_until_up(self, bus: Bus) -> None:
        deadline = time.monotonic() + START_S
        while not is_up(bus):
            self._check_processes()
            if time.monotonic() > deadline:
                raise DriverFailed("Mutter does not become ready")
            time.sleep(_POLL_S)

    def _check_processes(self) -> None:
        """Raise `DriverFailed` when a part of our own has ended."""
        if self._seat is None:
            raise DriverFailed("the display is not open")
        for name, process in self._processes.items():
            status = process.exit_status()
            if status is not None:
                log_tail = self._seat.log_tail(name)
                raise DriverFailed(f"{name} ended with status {status}: {log_tail}", status=status)
        if self._pipewire is not None:
            self._pipewire.check()


def _shown(screen: Screen, session: Mapping[str, str]) -> Display:
    return Display(
        compositor=DRIVER,
        mode=screen.mode,
        output=screen.output,
        environment={**session, **screen.environment},
    )
