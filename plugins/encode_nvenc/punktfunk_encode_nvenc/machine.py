"""Is an NVIDIA card here that we may open, with a driver that can encode?"""

import ctypes
import os
from pathlib import Path

from punktfunk.plugin import Availability, HostFacts

LIBRARY = "libnvidia-encode.so.1"
MISSING_PART = "encoding with NVENC is not in this version"
SOFTWARE_HINT = "the software encoder is used instead"


def status(
    host: HostFacts,
    dev: Path = Path("/dev"),
    sys_module: Path = Path("/sys/module"),
    library: str = LIBRARY,
) -> Availability:
    """Say what was found, and that the working part is still missing."""
    cards = [node for node in dev.glob("nvidia[0-9]*") if node.name[6:].isdigit()]
    if not cards:
        return Availability.no(
            f"no NVIDIA card was found ({dev}/nvidia0), and {MISSING_PART}", hint=SOFTWARE_HINT
        )
    if not any(os.access(card, os.R_OK | os.W_OK) for card in cards):
        return Availability.no(
            f"{min(cards)} may not be opened by user {host.uid}, and {MISSING_PART}",
            hint="give this user access to the card's device nodes",
        )
    if problem := library_problem(library):
        return Availability.no(
            f"{library} cannot be loaded ({problem}), and {MISSING_PART}",
            hint="install the encode library that belongs to the NVIDIA driver",
        )
    return Availability.no(
        f"{len(cards)} NVIDIA card(s), driver {driver_version(sys_module)} and {library} were "
        f"found, but {MISSING_PART}",
        hint=SOFTWARE_HINT,
    )


def library_problem(library: str) -> str:
    """Load the library; empty when that works. Only ever called in the probe child."""
    try:
        ctypes.CDLL(library)
    except OSError as error:
        return str(error)
    return ""


def driver_version(sys_module: Path) -> str:
    try:
        return (sys_module / "nvidia" / "version").read_text()[:32].strip()
    except OSError:
        return "(of unknown version)"
