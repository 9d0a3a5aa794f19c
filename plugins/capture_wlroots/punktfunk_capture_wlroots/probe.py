"""Is what the drivers need on this machine? Starts no compositor."""

import ctypes.util
import os
import re
import shutil
import subprocess
from collections.abc import Mapping

from punktfunk.plugin import Availability, DriverFailed, DriverUnavailable

OLDEST_SWAY = (1, 6)
"""The first with screencopy version 3."""

RUNS_AS_ROOT = (1, 10)
"""Tried with it; 1.7 refuses."""

# Inside a user namespace sway sees an ordinary user.
NOT_ROOT = ("unshare", "--user", "--map-user=1000", "--map-group=1000")

PROBE_S = 0.5
"""How long a desktop may take for an answer while offers are made."""

_VERSION = re.compile(r"sway version (\d+)\.(\d+)")


def sway_availability(sway: str, path: str | None) -> Availability:
    """Say whether `sway` (a name or a path) can be run and is new enough."""
    program = shutil.which(sway, path=path)
    if program is None:
        return Availability.no(f"{sway} is not installed", hint="apt install sway")
    try:
        version = _version(program)
    except (OSError, subprocess.SubprocessError) as error:
        return Availability.no(f"{program} does not run: {error}", hint="reinstall sway")
    if version is None:
        return Availability.yes("sway of unknown version")
    if version < OLDEST_SWAY:
        return Availability.no(
            "sway {}.{} is too old".format(*version),
            hint="use sway {}.{} or newer".format(*OLDEST_SWAY),
        )
    if os.geteuid() == 0 and version < RUNS_AS_ROOT and not _may_pass_for_an_ordinary_user(path):
        return Availability.no(
            "sway does not run as root, and this machine refuses user namespaces",
            hint="run the host as an ordinary user",
        )
    return Availability.yes("sway {}.{}".format(*version))


def needs_namespace(sway: str, path: str | None) -> bool:
    """Say whether `sway`, which is available, refuses to run as the user that we are."""
    if os.geteuid() != 0:
        return False
    version = _version(shutil.which(sway, path=path) or sway)
    return version is None or version < RUNS_AS_ROOT


def attach_availability(environment: Mapping[str, str]) -> Availability:
    """Say whether a desktop runs that we could show."""
    # Only now: they load Wayland's library.
    from punktfunk_capture_wlroots.desktops import running_desktop
    from punktfunk_capture_wlroots.ledger import find_control

    try:
        desktop = running_desktop(environment)
        named = environment.get("SWAYSOCK", "")
        found = find_control(desktop.pid, desktop.runtime_dir, named, PROBE_S)
        if found is not None:
            try:
                if found.control.makes_outputs:
                    return Availability.yes(f"{desktop.name}, an output of the client's own")
            finally:
                found.control.close()
    except DriverUnavailable as error:
        return Availability.no(error.reason, hint=error.hint)
    except DriverFailed as error:
        return Availability.no(str(error), hint="restart the desktop")
    return Availability.yes(f"{desktop.name}, an output that is there already")


def _version(program: str) -> tuple[int, int] | None:
    answer = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=2, check=True
    )
    found = _VERSION.search(answer.stdout)
    return (int(found[1]), int(found[2])) if found else None


def _may_pass_for_an_ordinary_user(path: str | None) -> bool:
    unshare = shutil.which(NOT_ROOT[0], path=path)
    if unshare is None:
        return False
    argv = [unshare, *NOT_ROOT[1:], "true"]
    try:
        return subprocess.run(argv, capture_output=True, timeout=2, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def keyboard_availability() -> Availability:
    """Say whether keymaps can be made here."""
    if ctypes.util.find_library("xkbcommon") is None:
        try:
            ctypes.CDLL("libxkbcommon.so.0")
        except OSError:
            return Availability.no(
                "libxkbcommon is not installed", hint="apt install libxkbcommon0 xkb-data"
            )
    return Availability.yes()
