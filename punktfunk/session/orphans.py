"""A worker whose host is gone and which hangs, so that it cannot end by itself."""

import contextlib
import os
import signal
from pathlib import Path


def end_orphaned_worker(journal: Path) -> bool:
    """Kill the process that holds this journal, if it is a worker whose host has ended.

    Returns:
        False when nobody holds it, or somebody who may.
    """
    holder = _holder_of(journal)
    if holder is None or not _is_orphan(holder):
        return False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(holder, signal.SIGKILL)
        return True
    return False


def _holder_of(path: Path) -> int | None:
    """The process with the lock, as /proc/locks tells: `1: FLOCK ADVISORY WRITE PID DEV:INODE`."""
    try:
        inode = str(path.stat().st_ino)
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return None
    for fields in map(str.split, lines):
        if len(fields) > 5 and fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == inode:
            return int(fields[4]) if int(fields[4]) > 0 else None
    return None


def _is_orphan(pid: int) -> bool:
    """A worker is told its host's number, which is its parent's for as long as that lives."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
    except (OSError, IndexError):
        return False
    return b"punktfunk.session.worker" in words and words[-1] != parent.encode()
