"""A PipeWire of a session's own, for pictures between programs of that session only."""

import contextlib
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

from punktfunk.drivers.seat import Seat, SeatProcess
from punktfunk.errors import DriverFailed, DriverUnavailable
from punktfunk.pipewire.library import HINT

START_S = 10.0
PROGRAMS = ("pipewire", "wireplumber")
_POLL_S = 0.005

_PIPEWIRE = "context.properties = { support.dbus = false }\n"

# Neither sound cards nor cameras, and nothing that needs a D-Bus: WirePlumber up to 0.4 ...
_WIREPLUMBER_LUA = """\
alsa_monitor.enabled = false
v4l2_monitor.enabled = false
libcamera_monitor.enabled = false
default_access.properties["enable-flatpak-portal"] = false
"""
_WIREPLUMBER_BLUETOOTH_LUA = "bluez_monitor.enabled = false\n"

# ... and from 0.5 on.
_WIREPLUMBER_CONF = """\
context.properties = { support.dbus = false }
wireplumber.profiles = {
  main = {
    hardware.audio = disabled
    hardware.bluetooth = disabled
    hardware.video-capture = disabled
    support.dbus = disabled
    support.reserve-device = disabled
    support.portal-permissionstore = disabled
    support.logind = disabled
  }
}
"""

_FILES = {
    "pipewire/pipewire.conf.d/punktfunk.conf": _PIPEWIRE,
    "wireplumber/main.lua.d/51-punktfunk.lua": _WIREPLUMBER_LUA,
    "wireplumber/bluetooth.lua.d/51-punktfunk.lua": _WIREPLUMBER_BLUETOOTH_LUA,
    "wireplumber/wireplumber.conf.d/punktfunk.conf": _WIREPLUMBER_CONF,
}


class PipeWireServer:
    """PipeWire and WirePlumber on a seat, in a folder of their own.

    They come beside the session's sound server, whoever runs that: nobody outside the
    session can see its pictures.
    """

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._processes: list[tuple[str, SeatProcess]] = []

    @property
    def runtime(self) -> Path:
        """Where its socket is."""
        return self._seat.runtime_dir / "pictures"

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find it."""
        return {"PIPEWIRE_RUNTIME_DIR": str(self.runtime)}

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            DriverUnavailable: it is not installed.
            DriverFailed: it does not come up.
        """
        path = self._seat.environment.get("PATH")
        missing = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
        if missing:
            raise DriverUnavailable("PipeWire", f"{', '.join(missing)} not installed", hint=HINT)
        for name, text in _FILES.items():
            file = self.runtime / "config" / name
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.write_text(text)
        deadline = time.monotonic() + START_S
        self._spawn("pipewire")
        # A socket's file is there a moment before anyone listens on it.
        self._wait_for(lambda: _listens(self.runtime / "pipewire-0"), deadline)
        self._spawn("wireplumber")

    def check(self) -> None:
        """Raise `DriverFailed` when a part of it has ended."""
        for name, process in self._processes:
            status = process.exit_status()
            if status is not None:
                log = self._seat.log_tail(_log_name(name))
                raise DriverFailed(f"{name} ended with status {status}: {log}")

    def stop(self) -> None:
        for _, process in reversed(self._processes):
            process.stop()
        self._processes = []
        shutil.rmtree(self.runtime, ignore_errors=True)

    def _spawn(self, name: str) -> None:
        environment = {
            "XDG_RUNTIME_DIR": str(self.runtime),
            "XDG_CONFIG_HOME": str(self.runtime / "config"),
            "XDG_STATE_HOME": str(self.runtime / "state"),
            **self.environment,
        }
        process = self._seat.spawn(_log_name(name), [name], environment=environment)
        self._processes.append((name, process))

    def _wait_for(self, condition: Callable[[], bool], deadline: float) -> None:
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise DriverFailed(f"{self._processes[-1][0]} does not become ready")
            time.sleep(_POLL_S)


def _log_name(program: str) -> str:
    return f"pictures-{program}"


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe, contextlib.suppress(OSError):
        probe.connect(str(path))
        return True
    return False
