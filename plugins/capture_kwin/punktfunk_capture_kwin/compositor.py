"""A display on KWin: one of the session's own, or one in the running Plasma session."""

import logging
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from punktfunk.plugin import (
    CompositorDriver,
    Display,
    DriverFailed,
    DriverUnavailable,
    LaunchSpec,
    PipeWireServer,
    Seat,
    SeatProcess,
    VideoMode,
    remove_x11_display,
    x11_display_of,
)
from punktfunk_capture_kwin.attach import AttachedDisplay
from punktfunk_capture_kwin.own import (
    command_line,
    copy_without_capability,
    runs_as_it_is,
    write_config,
)
from punktfunk_capture_kwin.probe import own_availability, render_nodes
from punktfunk_capture_kwin.protocols import FakeInput, Screencast
from punktfunk_capture_kwin.settings import DRIVER, PICTURES, KwinSettings
from punktfunk_capture_kwin.wayland import Connection, socket_path

log = logging.getLogger(__name__)

START_S = 20.0
X_START_S = 10.0
_POLL_S = 0.02
_SOCKET = "wayland-kwin"

TERMINALS: tuple[tuple[str, ...], ...] = (
    ("konsole",),
    ("alacritty",),
    ("kitty",),
    ("xterm", "-fa", "monospace", "-fs", "13"),
    ("foot", "-o", "font=monospace:size=13"),
)
"""The desktop's first program when none is set: the first that is installed.

foot comes last: up to 1.13 it crashes on screens that are no millimetre large, such as ours.
"""


class KwinCompositor(CompositorDriver):
    """Starts KWin on the seat, or holds on to a screen of the user's own KWin."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._wishes = KwinSettings.read(self.settings)
        self._seat: Seat | None = None
        self._kwin: SeatProcess | None = None
        self._pipewire: PipeWireServer | None = None
        self._attached: AttachedDisplay | None = None
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
        self._attached = AttachedDisplay(seat, self._wishes.output, mode)
        self._display = self._attached.display
        return self._display

    def resize(self, mode: VideoMode) -> Display:
        """Make a new screen in a Plasma session.

        A headless KWin has its size for good: then the display stays, and the capture
        stretches what it shows.
        """
        if self._display is None:
            raise DriverFailed("the display is not open")
        if self._attached is not None:
            self._display = self._attached.resize(mode)
        else:
            log.warning("a headless KWin keeps its size; its picture is stretched")
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
        if self._attached is not None:
            self._attached.check()
            return
        if self._kwin is None or self._seat is None or self._pipewire is None:
            raise DriverFailed("the display is not open")
        status = self._kwin.exit_status()
        if status is not None:
            raise DriverFailed(
                f"KWin ended with status {status}: {self._seat.log_tail('kwin')}", status=status
            )
        self._pipewire.check()

    def close(self) -> None:
        if self._attached is not None:
            self._attached.close()
        if self._kwin is not None:
            self._kwin.stop()
            environment = self._display.environment if self._display is not None else {}
            if "DISPLAY" in environment:
                remove_x11_display(environment["DISPLAY"], self._kwin.pid)
        if self._pipewire is not None:
            self._pipewire.stop()
        for path in self._files:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        self._attached = self._kwin = self._pipewire = self._display = None
        self._files = []

    def _open_own(self, seat: Seat, mode: VideoMode) -> Display:
        path = seat.environment.get("PATH")
        availability = own_availability(self._wishes.kwin, path, render_nodes())
        if not availability.available:
            raise DriverUnavailable(DRIVER, availability.reason, hint=availability.hint)
        self._pipewire = PipeWireServer(seat)
        self._pipewire.start()
        runtime, folder = seat.runtime_dir, seat.runtime_dir / "kwin"
        self._files = [folder, runtime / _SOCKET, runtime / f"{_SOCKET}.lock"]
        for leftover in self._files[1:]:
            leftover.unlink(missing_ok=True)
        write_config(folder / "config", self._wishes.keyboard_layout)
        program = shutil.which(self._wishes.kwin, path=path) or self._wishes.kwin
        if not runs_as_it_is(program):
            program = copy_without_capability(program, folder)
        argv = command_line(program, mode, _SOCKET, self._wishes, path)
        self._kwin = seat.spawn(
            "kwin",
            argv,
            environment={
                **self._pipewire.environment,
                "XDG_RUNTIME_DIR": str(runtime),
                "XDG_CONFIG_HOME": str(folder / "config"),
                "XDG_CACHE_HOME": str(folder / "cache"),
                "XDG_DATA_HOME": str(folder / "data"),
                "XDG_CURRENT_DESKTOP": "KDE",
                "KWIN_COMPOSE": "O2",
                # It is ours alone: nobody else finds its socket.
                "KWIN_WAYLAND_NO_PERMISSION_CHECKS": "1",
                "QT_LOGGING_RULES": "kwin_xkbcommon=false",
            },
        )
        environment = {
            "XDG_RUNTIME_DIR": str(runtime),
            "WAYLAND_DISPLAY": _SOCKET,
            "XDG_SESSION_TYPE": "wayland",
            "XDG_CURRENT_DESKTOP": "KDE",
        }
        output = self._wait_until_ready(environment)
        if "--xwayland" in argv:
            self._add_x_display(environment, self._kwin.pid)
        environment[PICTURES] = str(self._pipewire.runtime)
        return Display(compositor=DRIVER, mode=mode, output=output, environment=environment)

    def _add_x_display(self, environment: dict[str, str], pid: int) -> None:
        """KWin starts Xwayland a moment after everything else."""
        deadline = time.monotonic() + X_START_S
        while (x_display := x11_display_of(pid)) is None:
            self.check()
            if time.monotonic() > deadline:
                log.warning("KWin starts no Xwayland: X11 programs will not run")
                return
            time.sleep(_POLL_S)
        environment["DISPLAY"] = x_display

    def _wait_until_ready(self, environment: Mapping[str, str]) -> str:
        """Wait for the protocols we need; return the output's name."""
        deadline = time.monotonic() + START_S
        while True:
            self.check()
            missing = "a socket"
            if socket_path(environment).exists():
                try:
                    connection = Connection(environment)
                except DriverFailed:
                    missing = "an answer"
                else:
                    try:
                        names = connection.output_names()
                        lacking = [x.name for x in (Screencast, FakeInput) if not connection.has(x)]
                        if names and not lacking:
                            return names[0]
                        missing = ", ".join(lacking) or "an output"
                    finally:
                        connection.close()
            if time.monotonic() > deadline:
                raise DriverFailed(f"KWin does not become ready: it has not got {missing}")
            time.sleep(_POLL_S)
