"""Is KWin here, and does a Plasma session run?"""

import os
import shutil
from pathlib import Path

from punktfunk.plugin import Availability, HostFacts

BINARY = "kwin_wayland"
MISSING_PART = "streaming from KWin is not in this version"


def status(host: HostFacts, proc: Path = Path("/proc")) -> Availability:
    """Say what was found, and that the working part is still missing."""
    binary = shutil.which(BINARY, path=host.environment.get("PATH", ""))
    if binary is None:
        return Availability.no(
            f"{BINARY} was not found in PATH, and {MISSING_PART}",
            hint="install the wlroots plugin and sway to stream a desktop now",
        )
    session = "a Plasma session runs" if session_runs(host, proc) else "no Plasma session runs"
    return Availability.no(
        f"KWin is installed ({binary}) and {session}, but {MISSING_PART}",
        hint="use the wlroots plugin until a later version brings it",
    )


def session_runs(host: HostFacts, proc: Path) -> bool:
    """Look for the user's own kwin_wayland: a host started as a service has no DISPLAY."""
    return any(_is_kwin(entry, host.uid) for entry in proc.glob("[0-9]*"))


def _is_kwin(entry: Path, uid: int) -> bool:
    try:
        with (entry / "comm").open("rb") as comm:
            name = comm.read(64).strip().decode(errors="replace")
            return name == BINARY and os.fstat(comm.fileno()).st_uid == uid
    except OSError:  # it ended while we looked
        return False
