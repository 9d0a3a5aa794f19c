"""Is what the drivers need on this machine? Starts no X server."""

import ctypes
import shutil
from collections.abc import Mapping
from importlib.util import find_spec

from punktfunk.plugin import Availability, DriverFailed, DriverUnavailable
from punktfunk_capture_x11.settings import X11Settings

WINDOW_MANAGER = "openbox"

_LIBRARIES = ("libxcb.so.1", "libxcb-shm.so.0")


def server_availability(settings: X11Settings, path: str | None) -> Availability:
    """Say whether the X server that is set can be started."""
    if shutil.which(settings.xvfb, path=path) is None:
        return Availability.no(f"{settings.xvfb} is not installed", hint="apt install xvfb openbox")
    libraries = libraries_availability()
    if not libraries.available:
        return libraries
    if not settings.window_manager and shutil.which(WINDOW_MANAGER, path=path) is None:
        return Availability.yes("Xvfb without a window manager: apt install openbox")
    return Availability.yes("Xvfb")


def running_availability(settings: X11Settings, environment: Mapping[str, str]) -> Availability:
    """Say whether the X server that runs lets us see it."""
    libraries = libraries_availability()
    if not libraries.available:
        return libraries
    # They load the X library.
    from punktfunk_capture_x11.connection import Connection
    from punktfunk_capture_x11.monitors import check_server, find_monitor
    from punktfunk_capture_x11.running import HINT, running_server

    try:
        connection = Connection(running_server(environment).environment)
        try:
            check_server(connection)
            monitor = find_monitor(connection, settings.output)
        finally:
            connection.close()
    except DriverUnavailable as error:
        return Availability.no(error.reason, hint=error.hint)
    except DriverFailed as error:
        return Availability.no(str(error), hint=HINT)
    return Availability.yes(f"the monitor {monitor.name}")


def libraries_availability() -> Availability:
    """Say whether programs here can talk to an X server."""
    if find_spec("xcffib") is None:
        return Availability.no(
            "the Python package xcffib is not installed", hint="pip install xcffib"
        )
    for library in _LIBRARIES:
        try:
            ctypes.CDLL(library)
        except OSError:
            return Availability.no(
                f"the library {library} is not installed", hint="apt install libxcb1 libxcb-shm0"
            )
    return Availability.yes()
