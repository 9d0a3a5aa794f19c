"""Is what the drivers need on this machine? Starts no compositor."""

import ctypes.util
import os
import re
import shutil
import subprocess

from punktfunk.plugin import Availability

OLDEST_SWAY = (1, 6)
"""The first with screencopy version 3."""

# sway refuses to run as root; inside a user namespace it sees an ordinary user.
NOT_ROOT = ("unshare", "--user", "--map-user=1000", "--map-group=1000")

_VERSION = re.compile(r"sway version (\d+)\.(\d+)")


def sway_availability(sway: str, path: str | None) -> Availability:
    """Say whether `sway` (a name or a path) can be run and is new enough."""
    program = shutil.which(sway, path=path)
    if program is None:
        return Availability.no(f"{sway} is not installed", hint="apt install sway")
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=2, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Availability.no(f"{program} does not run: {error}", hint="reinstall sway")
    found = _VERSION.search(answer.stdout)
    if found is None:
        return Availability.yes("sway of unknown version")
    version = int(found[1]), int(found[2])
    if version < OLDEST_SWAY:
        return Availability.no(
            f"sway {found[1]}.{found[2]} is too old",
            hint="use sway {}.{} or newer".format(*OLDEST_SWAY),
        )
    if os.geteuid() == 0 and not _may_pass_for_an_ordinary_user(path):
        return Availability.no(
            "sway does not run as root, and this machine refuses user namespaces",
            hint="run the host as an ordinary user",
        )
    return Availability.yes(f"sway {found[1]}.{found[2]}")


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
