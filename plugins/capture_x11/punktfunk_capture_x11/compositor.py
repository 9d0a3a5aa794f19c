"""An X display: one of the session's own, or the one that is there."""

import logging
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import attrs
import xcffib.xproto

from punktfunk.plugin import (
    CompositorDriver,
    Display,
    DriverFailed,
    DriverUnavailable,
    LaunchSpec,
    Seat,
    SeatProcess,
    VideoMode,
)
from punktfunk_capture_x11.connection import Connection
from punktfunk_capture_x11.modes import Modes
from punktfunk_capture_x11.monitors import check_server, find_monitor
from punktfunk_capture_x11.probe import WINDOW_MANAGER, server_availability
from punktfunk_capture_x11.running import HINT, running_server
from punktfunk_capture_x11.server import Server
from punktfunk_capture_x11.settings import X11Settings
from punktfunk_capture_x11.window_manager import OPENBOX_CONFIG

log = logging.getLogger(__name__)

WINDOW_MANAGER_S = 5.0

TERMINALS: tuple[tuple[str, ...], ...] = (
    ("xterm", "-fa", "Monospace", "-fs", "13", "-bg", "black", "-fg", "gray90"),
    ("alacritty",),
    ("kitty",),
    ("xfce4-terminal", "--disable-server"),
    ("lxterminal", "--no-remote"),
    ("mate-terminal", "--disable-factory"),
    ("urxvt",),
)
"""The desktop's first program when none is set: the first that is installed."""

_POLL_S = 0.01
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


class X11Compositor(CompositorDriver):
    """Starts Xvfb and a window manager on the seat, or looks at the user's own server."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._wishes = X11Settings.read(self.settings)
        self._path: str | None = None
        self._server: Server | None = None
        self._connection: Connection | None = None
        self._modes: Modes | None = None
        self._window_manager: SeatProcess | None = None
        self._display: Display | None = None
        self._config: Path | None = None

    def open(self, seat: Seat, mode: VideoMode) -> Display:
        self._path = seat.environment.get("PATH")
        availability = server_availability(self._wishes, self._path)
        if not availability.available:
            raise DriverUnavailable("x11", availability.reason, hint=availability.hint)
        try:
            return self._open(seat, mode)
        except BaseException:
            self.close()
            raise

    def _open(self, seat: Seat, mode: VideoMode) -> Display:
        self._server = Server.start(
            seat,
            self._wishes.xvfb,
            max(mode.width_px, self._wishes.max_width),
            max(mode.height_px, self._wishes.max_height),
        )
        environment = {**self._server.environment, "XDG_SESSION_TYPE": "x11"}
        self._connection = Connection(environment)
        self._modes = Modes(self._connection)
        self._modes.set(mode)
        self._dress(self._connection, mode)
        self._display = Display(compositor="x11", mode=mode, environment=environment)
        self._start_window_manager(seat, self._connection, environment)
        return self._display

    def attach(self, seat: Seat, mode: VideoMode) -> Display:
        """Show a monitor of the server that runs. It keeps its size; pictures are stretched."""
        environment = {
            **running_server(seat.host_environment).environment,
            "XDG_SESSION_TYPE": "x11",
        }
        try:
            self._connection = Connection(environment)
            check_server(self._connection)
            monitor = find_monitor(self._connection, self._wishes.output)
        except DriverFailed as error:
            raise DriverUnavailable("x11", str(error), hint=HINT) from error
        except DriverUnavailable:
            self.close()
            raise
        self._display = Display(
            compositor="x11",
            mode=attrs.evolve(mode, **monitor.size),
            output=monitor.name,
            environment=environment,
        )
        return self._display

    def resize(self, mode: VideoMode) -> Display:
        if self._display is None:
            raise DriverFailed("the display is not open")
        if self._modes is None:
            return self._display
        self._modes.set(mode)
        self._display = attrs.evolve(self._display, mode=mode)
        return self._display

    def default_app(self) -> LaunchSpec:
        """The terminal that is set, else the first that is installed."""
        if self._wishes.terminal:
            return LaunchSpec(argv=self._wishes.terminal)
        for argv in TERMINALS:
            if shutil.which(argv[0], path=self._path) is not None:
                return LaunchSpec(argv=argv)
        return LaunchSpec()

    def check(self) -> None:
        if self._server is None:
            if self._connection is None:
                raise DriverFailed("the display is not open")
            self._connection.size()  # raises when the server is gone
            return
        if ended := self._server.why_ended():
            raise DriverFailed(ended, status=self._server.process.exit_status())

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._server is not None:
            self._server.stop()  # which ends everything on it
        if self._window_manager is not None:
            self._window_manager.stop()
        if self._config is not None:
            self._config.unlink(missing_ok=True)
        self._connection = self._modes = self._display = None
        self._window_manager = self._server = self._config = None

    def _dress(self, connection: Connection, mode: VideoMode) -> None:
        """Paint the background, and put the pointer where people look for it."""
        wish = self._wishes.background
        if not _COLOUR.fullmatch(wish):
            raise DriverUnavailable("x11", f"{wish!r} is not a colour such as #1d2b3a")
        what, colour = xcffib.xproto.CW.BackPixel, int(wish.removeprefix("#"), 16)
        connection.core.ChangeWindowAttributes(connection.root, what, [colour])
        connection.core.ClearArea(False, connection.root, 0, 0, 0, 0)
        middle = (mode.width_px // 2, mode.height_px // 2)
        connection.core.WarpPointer(0, connection.root, 0, 0, 0, 0, *middle)
        connection.flush()

    def _start_window_manager(
        self, seat: Seat, connection: Connection, environment: Mapping[str, str]
    ) -> None:
        """Without one, windows stay as small as they come, and keys follow the pointer."""
        argv = list(self._wishes.window_manager)
        if not argv:
            if shutil.which(WINDOW_MANAGER, path=self._path) is None:
                log.info("openbox is not installed: windows are not managed")
                return
            self._config = seat.runtime_dir / "openbox.xml"
            self._config.write_text(OPENBOX_CONFIG)
            argv = [WINDOW_MANAGER, "--sm-disable", "--config-file", str(self._config)]
        self._window_manager = seat.spawn("window-manager", argv, environment=environment)
        deadline = time.monotonic() + WINDOW_MANAGER_S
        while not _is_managed(connection):
            ended = self._window_manager.exit_status() is not None
            if ended or time.monotonic() > deadline:
                log.warning("no window manager: %s", seat.log_tail("window-manager") or argv[0])
                return
            time.sleep(_POLL_S)


def _is_managed(connection: Connection) -> bool:
    """Say whether a window manager has told that it is there."""
    name = "_NET_SUPPORTING_WM_CHECK"
    atom = connection.reply(connection.core.InternAtom(False, len(name), name)).atom
    kind = xcffib.xproto.Atom.WINDOW
    asked = connection.core.GetProperty(False, connection.root, atom, kind, 0, 1)
    return bool(connection.reply(asked).value_len)
