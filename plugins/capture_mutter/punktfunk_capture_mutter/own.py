"""A headless desktop of the session's own: its program, its message bus, its files."""

import re
import shutil
import subprocess
from pathlib import Path

from punktfunk.plugin import DriverUnavailable, Seat, SeatProcess
from punktfunk_capture_mutter.settings import DRIVER, MutterSettings

PROGRAMS = ("gnome-shell", "mutter")
"""The whole GNOME where it is installed; else its window manager alone."""

_VERSION = re.compile(r"(?P<name>mutter|GNOME Shell) (?P<major>\d+)")

# Nothing is ever started on it, and programs of the session have another one: they can
# neither record its screen nor type.
_BUS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


def program_of(wanted: str, path: str | None) -> str | None:
    """Full path of what is to be started; None when it is not installed."""
    names = (wanted,) if wanted else PROGRAMS
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def version_of(program: str, timeout_s: float) -> tuple[str, int]:
    """Its name and major version.

    Raises:
        DriverUnavailable: it does not run, or is something else.
    """
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=timeout_s, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise DriverUnavailable(
            DRIVER, f"{program} does not run: {error}", hint=f"reinstall {Path(program).name}"
        ) from error
    found = _VERSION.search(answer.stdout)
    if found is None:
        raise DriverUnavailable(DRIVER, f"{program} is neither Mutter nor gnome-shell")
    return "GNOME" if found["name"] == "GNOME Shell" else "Mutter", int(found["major"])


def command_line(program: str, socket: str, wishes: MutterSettings, path: str | None) -> list[str]:
    argv = [program, "--headless", "--wayland", "--wayland-display", socket]
    if not wishes.xwayland or shutil.which("Xwayland", path=path) is None:
        argv.append("--no-x11")
    return argv


def start_bus(seat: Seat, folder: Path) -> tuple[SeatProcess, str]:
    """Start a message bus for the desktop alone; return it and its address.

    It listens a moment later.
    """
    address = f"unix:path={folder / 'bus'}"
    config = folder / "bus.conf"
    config.write_text(_BUS.format(address=address))
    argv = ["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile", "--nosyslog"]
    return seat.spawn("mutter-bus", argv), address


def environment(folder: Path, runtime: Path, address: str) -> dict[str, str]:
    """What keeps it from the user's settings, services and other desktops."""
    return {
        "XDG_RUNTIME_DIR": str(runtime),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CURRENT_DESKTOP": "GNOME",
        "XDG_SESSION_TYPE": "wayland",
        "DBUS_SESSION_BUS_ADDRESS": address,
        "DBUS_SYSTEM_BUS_ADDRESS": address,
        "GSETTINGS_BACKEND": "keyfile",
    }
