"""Mounts that a session's programs made in our folder: what is in them is the user's.

The document portal and GVfs show the user's files under the runtime folder, by FUSE. The
kernel's list is read instead of the folders: a mount whose program is gone only answers
with errors.
"""

import contextlib
import os
import re
import shutil
from pathlib import Path

from punktfunk.journal.commands import CommandFailed, run_command

_LIMIT_S = 2.0
_MAX_MOUNTS = 16
_ESCAPED = re.compile(rb"\\([0-7]{3})")


def take_down_mounts(folder: Path) -> list[Path]:
    """Try once to take down every mount inside a folder; their mount points stay.

    Returns:
        Those that are still there.
    """
    found = _mounts_in(folder)
    if not found:
        return []
    program = shutil.which("fusermount3") or shutil.which("fusermount")
    if program is not None:
        for point in found[:_MAX_MOUNTS]:
            with contextlib.suppress(CommandFailed):
                run_command([program, "-uz", str(point)], {}, _LIMIT_S)
    return _mounts_in(folder)


def mount_table() -> list[list[bytes]]:
    """The fields of each mount, oldest first: `ID PARENT MAJOR:MINOR ROOT POINT ...`."""
    lines = Path("/proc/self/mountinfo").read_bytes().split(b"\n")
    return [line.split(b" ") for line in lines if line]


def _mounts_in(folder: Path) -> list[Path]:
    """Innermost first."""
    real = folder.resolve()
    found = []
    for fields in mount_table():
        name = _ESCAPED.sub(lambda octal: bytes([int(octal[1], 8)]), fields[4])
        point = Path(os.fsdecode(name))
        if point != real and point.is_relative_to(real):
            found.append(folder / point.relative_to(real))
    return sorted(found, key=lambda point: len(point.parts), reverse=True)
