"""Is gamescope here, and which one?"""

import re
import shutil
import subprocess

from punktfunk.plugin import Availability, HostFacts

BINARY = "gamescope"
MISSING_PART = "streaming from gamescope is not in this version"
_VERSION_TIMEOUT_S = 1.0
_VERSION = re.compile(r"version\s+v?(\d+(?:\.\d+)+)")


def status(host: HostFacts) -> Availability:
    """Say what was found, and that the working part is still missing."""
    binary = shutil.which(BINARY, path=host.environment.get("PATH", ""))
    if binary is None:
        return Availability.no(
            f"{BINARY} was not found in PATH, and {MISSING_PART}",
            hint="install the wlroots plugin and sway to stream a desktop now",
        )
    return Availability.no(
        f"gamescope {version(binary)} is installed ({binary}), but {MISSING_PART}",
        hint="use the wlroots plugin until a later version brings it",
    )


def version(binary: str) -> str:
    """Ask gamescope for its version, which it prints without starting anything."""
    try:
        ran = subprocess.run(
            [binary, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_VERSION_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "(of unknown version)"
    found = _VERSION.search(ran.stdout[:4_096].decode(errors="replace"))
    return found.group(1) if found else "(of unknown version)"
