"""A PipeWire of the session's own, for machines where nobody runs one. Touches no hardware."""

import os
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

from punktfunk.plugin import DriverUnavailable, Seat, SeatProcess
from punktfunk_audio_pulse.probe import INSTALL_HINT, missing_programs
from punktfunk_audio_pulse.settings import DRIVER
from punktfunk_audio_pulse.sinks import answers

START_S = 10.0
_POLL_S = 0.005

# A small quantum keeps the sound's delay small; virtual machines get a large one otherwise.
_PIPEWIRE = """\
context.properties = {
  support.dbus = false
  default.clock.rate = 48000
  default.clock.quantum = 256
  default.clock.min-quantum = 64
  vm.overrides = { default.clock.min-quantum = 64 }
}
"""

# Stereo stays stereo on a surround sink: nobody asked for invented channels.
_PULSE = """\
context.properties = { support.dbus = false }
stream.properties = { channelmix.upmix = false }
pulse.properties = {
  pulse.min.req = 128/48000
  pulse.min.frag = 128/48000
  pulse.min.quantum = 128/48000
  vm.overrides = { pulse.min.quantum = 128/48000 }
}
"""

# Neither sound cards nor cameras, and nothing that needs a D-Bus: up to version 0.4 ...
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
    "pipewire/pipewire-pulse.conf.d/punktfunk.conf": _PULSE,
    "wireplumber/main.lua.d/51-punktfunk.lua": _WIREPLUMBER_LUA,
    "wireplumber/bluetooth.lua.d/51-punktfunk.lua": _WIREPLUMBER_BLUETOOTH_LUA,
    "wireplumber/wireplumber.conf.d/punktfunk.conf": _WIREPLUMBER_CONF,
}


class OwnServer:
    """PipeWire, WirePlumber and pipewire-pulse on a seat."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._folder = seat.runtime_dir / "audio"
        self._pulse_folder = seat.runtime_dir / "pulse"
        self._processes: list[tuple[str, SeatProcess]] = []

    @property
    def cookie(self) -> Path:
        """Where clients keep what they prove themselves with; else it is in the user's home."""
        return self._folder / "cookie"

    @property
    def server(self) -> str:
        """Where programs reach it, in PulseAudio's words."""
        return f"unix:{self._pulse_folder / 'native'}"

    @property
    def started(self) -> bool:
        return bool(self._processes)

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            DriverUnavailable: it is not installed, or does not come up.
        """
        missing = missing_programs(self._seat.environment.get("PATH"))
        if missing:
            raise DriverUnavailable(
                DRIVER, f"{', '.join(missing)} not installed", hint=INSTALL_HINT
            )
        for name, text in _FILES.items():
            path = self._folder / "config" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        os.environ["PULSE_COOKIE"] = str(self.cookie)  # for the libpulse of this process
        deadline = time.monotonic() + START_S
        self._spawn("pipewire")
        # A socket's file is there a moment before anyone listens on it.
        self._wait_for(lambda: _listens(self._seat.runtime_dir / "pipewire-0"), deadline)
        self._spawn("wireplumber")
        self._spawn("pipewire-pulse")
        self._wait_for(lambda: _listens(self._pulse_folder / "native"), deadline)
        self._wait_for(lambda: answers(self.server), deadline)

    def check(self) -> None:
        """Raise `DriverUnavailable` when a part of it has ended."""
        for name, process in self._processes:
            status = process.exit_status()
            if status is not None:
                raise DriverUnavailable(DRIVER, self._story(name, f"ended with status {status}"))

    def stop(self) -> None:
        for _, process in reversed(self._processes):
            process.stop()
        self._processes = []
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.rmtree(self._pulse_folder, ignore_errors=True)
        for leftover in self._seat.runtime_dir.glob("pipewire-0*"):
            leftover.unlink(missing_ok=True)

    def _spawn(self, name: str) -> None:
        environment = {
            "XDG_RUNTIME_DIR": str(self._seat.runtime_dir),
            "PIPEWIRE_RUNTIME_DIR": str(self._seat.runtime_dir),
            "PULSE_RUNTIME_PATH": str(self._pulse_folder),
            "XDG_CONFIG_HOME": str(self._folder / "config"),
            "XDG_STATE_HOME": str(self._folder / "state"),
        }
        process = self._seat.spawn(name, [name], environment=environment)
        self._processes.append((name, process))

    def _wait_for(self, condition: Callable[[], bool], deadline: float) -> None:
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                name, _ = self._processes[-1]
                raise DriverUnavailable(DRIVER, self._story(name, "does not become ready"))
            time.sleep(_POLL_S)

    def _story(self, name: str, what: str) -> str:
        return f"{name} {what}: {self._seat.log_tail(name)}"


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
