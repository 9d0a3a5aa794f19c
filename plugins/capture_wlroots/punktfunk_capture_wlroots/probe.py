"""Is what the drivers need on this machine? Starts no compositor."""

import ctypes.util
import re
import shutil
import subprocess

from punktfunk.plugin import Availability

OLDEST_SWAY = (1, 6)
"""The first with screencopy version 3."""

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
    return Availability.yes(f"sway {found[1]}.{found[2]}")


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
