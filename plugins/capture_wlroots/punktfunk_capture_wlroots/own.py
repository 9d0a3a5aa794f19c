"""A headless sway of the session's own."""

import logging
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from punktfunk.plugin import (
    Display,
    DriverFailed,
    DriverUnavailable,
    Seat,
    SeatProcess,
    VideoMode,
    remove_x11_display,
    x11_display_of,
)
from punktfunk_capture_wlroots.ipc import SwayIpc
from punktfunk_capture_wlroots.probe import NOT_ROOT, needs_namespace, sway_availability
from punktfunk_capture_wlroots.settings import WlrootsSettings
from punktfunk_capture_wlroots.sockets import listener
from punktfunk_capture_wlroots.sway_config import output_mode, sway_config

log = logging.getLogger(__name__)

START_S = 10.0
RESIZE_S = 5.0
_POLL_S = 0.005
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


class OwnDisplay:
    """Starts sway on the seat and talks to it over its control socket.

    Raises:
        DriverUnavailable: from the constructor: no sway that could run.
        DriverFailed: it was started and failed.
    """

    def __init__(self, seat: Seat, wishes: WlrootsSettings, mode: VideoMode) -> None:
        self._seat, self._wishes = seat, wishes
        self._path = seat.environment.get("PATH")
        self._sway: SeatProcess | None = None
        self._background: SeatProcess | None = None
        self._ipc: SwayIpc | None = None
        self._x_display: str | None = None
        self._files: list[Path] = []
        availability = sway_availability(wishes.sway, self._path)
        if not availability.available:
            raise DriverUnavailable("wlroots", availability.reason, hint=availability.hint)
        try:
            self.display = self._start(mode)
        except BaseException:
            self.close()
            raise

    def resize(self, mode: VideoMode) -> Display:
        assert self._ipc is not None
        self._ipc.command(f"output {self.display.output} {output_mode(mode)}")
        self._wait_for_mode(self._ipc, mode, time.monotonic() + RESIZE_S)
        self.display = attrs.evolve(self.display, mode=mode)
        return self.display

    def check(self) -> None:
        if self._sway is None:
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
        if self._sway is not None and self._x_display:
            remove_x11_display(self._x_display, self._sway.pid)
        for path in self._files:
            path.unlink(missing_ok=True)
        self._ipc = self._background = self._sway = None
        self._files = []

    def _start(self, mode: VideoMode) -> Display:
        runtime, path = self._seat.runtime_dir, self._path
        config, control = runtime / "sway.config", runtime / "sway.sock"
        self._files = [config, control]
        for leftover in self._files:
            leftover.unlink(missing_ok=True)
        xwayland = self._wishes.xwayland and shutil.which("Xwayland", path=path) is not None
        config.write_text(sway_config(mode, xwayland=xwayland))
        argv = [self._wishes.sway, "--config", str(config)]
        if needs_namespace(self._wishes.sway, path):
            log.warning("sway is put into a user namespace; the host need not run as root")
            argv = [*NOT_ROOT, *argv]
        self._sway = self._seat.spawn(
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
        output = self._wait_for_mode(self._ipc, mode, deadline)
        name = self._wayland_name(runtime, self._sway.pid)
        self._files += [runtime / name, runtime / f"{name}.lock"]
        environment = {
            "XDG_RUNTIME_DIR": str(runtime),
            "WAYLAND_DISPLAY": name,
            "XDG_SESSION_TYPE": "wayland",
            "XDG_CURRENT_DESKTOP": "sway",
        }
        self._x_display = x11_display_of(self._sway.pid) if xwayland else None
        if self._x_display is not None:
            environment["DISPLAY"] = self._x_display
        self._start_background(environment)
        return Display(compositor="wlroots", mode=mode, output=output, environment=environment)

    def _connect(self, control: Path, deadline: float) -> SwayIpc:
        while True:
            self.check()
            try:
                return SwayIpc(control)
            except OSError as error:
                if time.monotonic() > deadline:
                    raise DriverFailed("sway does not become ready") from error
            time.sleep(_POLL_S)

    def _wait_for_mode(self, ipc: SwayIpc, mode: VideoMode, deadline: float) -> str:
        """Wait until the output shows exactly this mode; return the output's name."""
        wanted = (mode.width_px, mode.height_px, mode.refresh_mhz)
        while True:
            self.check()
            for output in ipc.outputs():
                if output.get("active") and _mode_of(output) == wanted:
                    return str(output["name"])
            if time.monotonic() > deadline:
                raise DriverFailed(f"sway does not switch to {mode}")
            time.sleep(_POLL_S)

    def _wayland_name(self, runtime: Path, pid: int) -> str:
        """Which socket is this sway's: a name may be left over from another one."""
        for path in sorted(runtime.glob("wayland-*")):
            found = listener(path) if path.is_socket() else None
            if found is not None and found.pid == pid:
                return path.name
        raise DriverFailed("sway made no Wayland socket")

    def _start_background(self, environment: Mapping[str, str]) -> None:
        if shutil.which("swaybg", path=self._path) is None:
            log.info("swaybg is not installed: the desktop stays black")
            return
        wish = self._wishes.background
        if _COLOUR.fullmatch(wish):
            argv = ["swaybg", "--color", wish]
        else:
            argv = ["swaybg", "--image", wish, "--mode", "fill"]
        self._background = self._seat.spawn("background", argv, environment=environment)


def _mode_of(output: Mapping[str, Any]) -> tuple[int, int, int]:
    mode = output.get("current_mode") or {}
    return mode.get("width", 0), mode.get("height", 0), mode.get("refresh", 0)
