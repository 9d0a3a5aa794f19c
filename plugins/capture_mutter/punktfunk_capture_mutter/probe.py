"""Is what the drivers need on this machine? Starts no compositor."""

import shutil
from collections.abc import Mapping

from punktfunk.plugin import Availability, DriverUnavailable, pipewire_availability
from punktfunk_capture_mutter.own import PROGRAMS, program_of, version_of
from punktfunk_capture_mutter.session import connect

OLDEST = 42
INSTALL = {
    "pipewire": "pipewire",
    "wireplumber": "wireplumber",
    "dbus-daemon": "dbus",
}
"""Program to package."""


def own_availability(program: str, path: str | None, timeout_s: float = 2.0) -> Availability:
    """Say whether a headless desktop can be started and seen; it says its version in time."""
    found = program_of(program, path)
    if found is None:
        wanted = program or " or ".join(PROGRAMS)
        return Availability.no(f"{wanted} is not installed", hint="apt install mutter")
    library = pipewire_availability()
    if not library.available:
        return library
    missing = [name for name in INSTALL if not shutil.which(name, path=path)]
    if missing:
        packages = " ".join(INSTALL[name] for name in missing)
        return Availability.no(
            f"{' and '.join(missing)} not installed", hint=f"apt install {packages}"
        )
    try:
        name, version = version_of(found, timeout_s)
    except DriverUnavailable as error:
        return Availability.no(error.reason, hint=error.hint)
    if version < OLDEST:
        return Availability.no(f"{name} {version} is too old", hint=f"use {name} {OLDEST} or newer")
    return Availability.yes(f"{name} {version}")


def attach_availability(environment: Mapping[str, str]) -> Availability:
    """Say whether the running GNOME session lets us see and steer it."""
    library = pipewire_availability()
    if not library.available:
        return library
    try:
        connect(environment).close()
    except DriverUnavailable as error:
        return Availability.no(error.reason, hint=error.hint)
    return Availability.yes("the running GNOME session")
