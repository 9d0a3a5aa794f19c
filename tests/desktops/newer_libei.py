"""libei and libeis of a newer Debian, for machines that have none."""

import ctypes
import os
from contextlib import suppress
from pathlib import Path

_LIBRARIES = ("libei.so.1", "libeis.so.1")


def use_newer_libei(scratch: Path) -> None:
    """Load both from the chroot of README.md in the slower sweep, here and in new processes.

    Does nothing where the machine has libei, or there is no chroot. Call it before libei is used.
    """
    with suppress(OSError):
        ctypes.CDLL(_LIBRARIES[0])
        return
    if os.environ.get("PUNKTFUNK_DESKTOPS") != "1":
        return
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    chroots = Path(os.environ.get("PUNKTFUNK_CHROOTS") or cache / "punktfunk-chroots")
    found = [path for name in _LIBRARIES for path in chroots.glob(f"trixie/usr/lib/*/{name}")]
    if len(found) != len(_LIBRARIES):
        return
    for library in found:
        (scratch / library.name).symlink_to(library.resolve())
        ctypes.CDLL(str(library.resolve()))  # from now on it is found by its name
    os.environ["LD_LIBRARY_PATH"] = str(scratch)
