"""A worker whose host is gone and which hangs, so that it cannot end by itself."""

import contextlib
import os
import signal
from pathlib import Path

from punktfunk.journal.mounts import mount_table


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
        file = _file_in_locks(path)
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return None
    for fields in map(str.split, lines):
        if len(fields) > 5 and fields[1] == "FLOCK" and fields[5] == file:
            return int(fields[4]) if int(fields[4]) > 0 else None
    return None


def _file_in_locks(path: Path) -> str:
    """How /proc/locks names a file; empty when that cannot be told.

    Its device is the file system's, which `stat` does not tell of a file in a subvolume.
    """
    with path.open("rb") as file:
        inode = os.fstat(file.fileno()).st_ino
        about = Path(f"/proc/self/fdinfo/{file.fileno()}").read_text().split()
    mount = about[about.index("mnt_id:") + 1]
    for fields in mount_table():
        if fields[0] == mount.encode():
            major, minor = map(int, fields[2].split(b":"))
            return f"{major:02x}:{minor:02x}:{inode}"
    return ""


def _is_orphan(pid: int) -> bool:
    """A worker is told its host's number, which is its parent's for as long as that lives."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
    except (OSError, IndexError):
        return False
    return b"punktfunk.session.worker" in words and words[-1] != parent.encode()
