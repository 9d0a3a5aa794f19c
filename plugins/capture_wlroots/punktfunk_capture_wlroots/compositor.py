"""A headless sway of the session's own."""

import logging
import os
import re
import shutil
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from punktfunk.plugin import (
    CompositorDriver,
    Display,
    DriverFailed,
    DriverUnavailable,
    LaunchSpec,
    Seat,
    SeatProcess,
    VideoMode,
    x11_display_of,
)
from punktfunk_capture_wlroots.ipc import SwayIpc
from punktfunk_capture_wlroots.probe import NOT_ROOT, sway_availability
from punktfunk_capture_wlroots.settings import WlrootsSettings
from punktfunk_capture_wlroots.sway_config import output_mode, sway_config

log = logging.getLogger(__name__)

START_S = 10.0
RESIZE_S = 5.0
_POLL_S = 0.005

TERMINALS: tuple[tuple[str, ...], ...] = (
    ("foot", "-o", "font=monospace:size=13"),
    ("alacritty",),
    ("kitty",),
    ("weston-terminal",),
    ("xterm", "-maximized"),
)
"""The desktop's first program when none is set: the first that is installed."""

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


class WlrootsCompositor(CompositorDriver):
    """Starts sway on the seat and talks to it over its control socket."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._wishes = WlrootsSettings.read(self.settings)
        self._seat: Seat | None = None
        self._sway: SeatProcess | None = None
        self._background: SeatProcess | None = None
        self._ipc: SwayIpc | None = None
        self._display: Display | None = None
        self._files: list[Path] = []

    def open(self, seat: Seat, mode: VideoMode) -> Display:
        path = seat.environment.get("PATH")
        availability = sway_availability(self._wishes.sway, path)
        if not availability.available:
            raise DriverUnavailable("wlroots", availability.reason, hint=availability.hint)
        self._seat = seat
        try:
            return self._open(seat, mode, path)
        except BaseException:
            self.close()
            raise

    def _open(self, seat: Seat, mode: VideoMode, path: str | None) -> Display:
        runtime = seat.runtime_dir
        config, control = runtime / "sway.config", runtime / "sway.sock"
        self._files = [config, control]
        for leftover in self._files:
            leftover.unlink(missing_ok=True)
        xwayland = self._wishes.xwayland and shutil.which("Xwayland", path=path) is not None
        config.write_text(sway_config(mode, xwayland=xwayland))
        argv = [self._wishes.sway, "--config", str(config)]
        if os.geteuid() == 0:
            log.warning("sway is put into a user namespace; the host need not run as root")
            argv = [*NOT_ROOT, *argv]
        self._sway = seat.spawn(
            "sway",
            argv,
            environment={
                "XDG_RUNTIME_DIR": str(runtime),
                "SWAYSOCK": str(control),
                "WLR_BACKENDS": "headless",
                "WLR_RENDERER": self._wishes.renderer,
                "WLR_LIBINPUT_NO_DEVICES": "1",
            },
        )
        deadline = time.monotonic() + START_S
        self._ipc = self._connect(control, deadline)
        output = self._wait_for_mode(mode, deadline)
        name = self._wayland_name(runtime, self._sway.pid)
        self._files += [runtime / name, runtime / f"{name}.lock"]
        environment = {
            "XDG_RUNTIME_DIR": str(runtime),
            "WAYLAND_DISPLAY": name,
            "XDG_SESSION_TYPE": "wayland",
            "XDG_CURRENT_DESKTOP": "sway",
        }
        x_display = x11_display_of(self._sway.pid) if xwayland else None
        if x_display is not None:
            environment["DISPLAY"] = x_display
        self._display = Display(
            compositor="wlroots", mode=mode, output=output, environment=environment
        )
        self._start_background(seat, environment, path)
        return self._display

    def resize(self, mode: VideoMode) -> Display:
        if self._ipc is None or self._display is None:
            raise DriverFailed("the display is not open")
        self._ipc.command(f"output {self._display.output} {output_mode(mode)}")
        self._wait_for_mode(mode, time.monotonic() + RESIZE_S)
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
        if self._sway is None or self._seat is None:
            raise DriverFailed("the display is not open")
        status = self._sway.exit_status()
        if status is not None:
            raise DriverFailed(
                f"sway ended with status {status}: {self._seat.log_tail('sway')}", status=status
            )

    def close(self) -> None:
        if self._ipc is not None:
            self._ipc.close()
        for process in (self._background, self._sway):
            if process is not None:
                process.stop()
        for path in self._files:
            path.unlink(missing_ok=True)
        self._ipc = self._background = self._sway = self._display = None
        self._files = []

    def _connect(self, control: Path, deadline: float) -> SwayIpc:
        while True:
            self.check()
            try:
                return SwayIpc(control)
            except OSError as error:
                if time.monotonic() > deadline:
                    raise DriverFailed("sway does not become ready") from error
            time.sleep(_POLL_S)

    def _wait_for_mode(self, mode: VideoMode, deadline: float) -> str:
        """Wait until the output shows exactly this mode; return the output's name."""
        assert self._ipc is not None
        wanted = (mode.width_px, mode.height_px, mode.refresh_mhz)
        while True:
            self.check()
            for output in self._ipc.outputs():
                if output.get("active") and _mode_of(output) == wanted:
                    return str(output["name"])
            if time.monotonic() > deadline:
                raise DriverFailed(f"sway does not switch to {mode}")
            time.sleep(_POLL_S)

    def _wayland_name(self, runtime: Path, pid: int) -> str:
        """Which socket is this sway's: a name may be left over from another one."""
        for path in sorted(runtime.glob("wayland-*")):
            if path.is_socket() and _listener(path) == pid:
                return path.name
        raise DriverFailed("sway made no Wayland socket")

    def _start_background(
        self, seat: Seat, environment: Mapping[str, str], path: str | None
    ) -> None:
        if shutil.which("swaybg", path=path) is None:
            log.info("swaybg is not installed: the desktop stays black")
            return
        wish = self._wishes.background
        if _COLOUR.fullmatch(wish):
            argv = ["swaybg", "--color", wish]
        else:
            argv = ["swaybg", "--image", wish, "--mode", "fill"]
        self._background = seat.spawn("background", argv, environment=environment)


def _mode_of(output: Mapping[str, Any]) -> tuple[int, int, int]:
    mode = output.get("current_mode") or {}
    return mode.get("width", 0), mode.get("height", 0), mode.get("refresh", 0)


def _listener(path: Path) -> int:
    """The process that listens on a socket; 0 when none does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return 0
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int(struct.unpack("=iII", credentials)[0])
