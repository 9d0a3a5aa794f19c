"""The GNOME session that runs here already, if one does."""

import socket
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from punktfunk.plugin import (
    Availability,
    Bus,
    BusError,
    DriverUnavailable,
    session_bus_address,
    x11_display_of,
)
from punktfunk_capture_mutter.mutter import (
    OLDEST_VERSION,
    SCREEN_CAST,
    UNLOCK,
    is_locked,
    is_up,
    screencast_version,
)
from punktfunk_capture_mutter.settings import DRIVER

X_COOKIES = ".mutter-Xwaylandauth.*"

_NAMES = ("gnome-shell", "mutter")


def connect(environment: Mapping[str, str]) -> Bus:
    """Reach the Mutter of whoever `environment` belongs to.

    Raises:
        DriverUnavailable: none runs, or it does not let us in.
    """
    try:
        bus = Bus.session(environment)
    except BusError as error:
        raise DriverUnavailable(
            DRIVER, f"no GNOME session can be reached: {error}", hint="log in to GNOME (Wayland)"
        ) from error
    try:
        found = _state(bus)
        if not found.available:
            raise DriverUnavailable(DRIVER, found.reason, hint=found.hint)
    except BaseException:
        bus.close()
        raise
    return bus


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """What programs and our other drivers need to be part of the session.

    A host that is a service has no `WAYLAND_DISPLAY`, so sockets are asked who listens.
    """
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    found = {
        "XDG_SESSION_TYPE": "wayland",
        "XDG_CURRENT_DESKTOP": "GNOME",
        "DBUS_SESSION_BUS_ADDRESS": session_bus_address(environment),
    }
    if runtime:
        found["XDG_RUNTIME_DIR"] = runtime
        for path in _sockets(Path(runtime), environment.get("WAYLAND_DISPLAY", "")):
            pid = _listener(path)
            if pid and _name_of(pid) in _NAMES:
                found["WAYLAND_DISPLAY"] = path.name
                x_display = x11_display_of(pid)
                if x_display is not None:
                    found |= x_variables(Path(runtime), x_display)
                break
    return found


def pictures_of(environment: Mapping[str, str]) -> Path:
    """Folder of the user's PipeWire."""
    runtime = environment.get("PIPEWIRE_RUNTIME_DIR") or environment.get("XDG_RUNTIME_DIR")
    return Path(runtime or "")


def x_variables(runtime: Path, display: str) -> dict[str, str]:
    """How X11 programs find the Xwayland of the Mutter that keeps its files there."""
    cookies = sorted(runtime.glob(X_COOKIES), key=lambda it: it.stat().st_mtime)
    return {"DISPLAY": display} | ({"XAUTHORITY": str(cookies[-1])} if cookies else {})


def _state(bus: Bus) -> Availability:
    try:
        if not is_up(bus):
            return Availability.no(
                "no GNOME session runs for this user", hint="log in to GNOME (Wayland)"
            )
        if is_locked(bus):
            return Availability.no("the GNOME session is locked", hint=UNLOCK)
        if screencast_version(bus) < OLDEST_VERSION:
            return Availability.no("this GNOME is too old", hint="use GNOME 42 or newer")
    except BusError as error:
        return Availability.no(f"{SCREEN_CAST} does not answer: {error}", hint="log in anew")
    return Availability.yes()


def _sockets(folder: Path, wanted: str) -> Iterator[Path]:
    if wanted:
        yield folder / wanted
    yield from sorted(path for path in folder.glob("wayland-*") if path.is_socket())


def _listener(path: Path) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return 0
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int(struct.unpack("=iII", credentials)[0])


def _name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:  # it ended while we looked
        return ""
