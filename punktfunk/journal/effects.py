"""The effects of the core: a tree of processes, a folder of our own, a command to take back.

A session's processes are found by a mark in their environment, not by their parents: a
launcher that forks twice and exits leaves children that belong to nobody, but the mark
is inherited by all of them, and it is known before the first one starts.
"""

import contextlib
import json
import logging
import os
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from punktfunk.journal.commands import CommandFailed, run_command
from punktfunk.model.plugins import Effect

log = logging.getLogger(__name__)

MARK = "PUNKTFUNK_SEAT"
"""Environment variable that every process of a session carries; its value is the seat's name."""

_OWNED = ".punktfunk-seat"
_GRACE_S = 1.5


def process_tree(mark: str) -> Effect:
    """All processes that carry this mark."""
    return Effect(kind="process_tree", data={"mark": mark})


def directory(path: Path, mark: str) -> Effect:
    """A folder that `make_directory` made for this mark."""
    return Effect(kind="directory", data={"path": str(path), "mark": mark})


def make_directory(path: Path, mark: str) -> None:
    """Make the folder, 0700, with the sign by which undo knows it as ours."""
    path.mkdir(mode=0o700, parents=True)
    (path / _OWNED).write_text(mark)


def command(argv: Sequence[str], environment: Mapping[str, str]) -> Effect:
    """Something only this command can reverse.

    Args:
        environment: What it is told besides what this process has.
    """
    return Effect(
        kind="command",
        data={"argv": json.dumps(list(argv)), "environment": json.dumps(dict(environment))},
    )


def undo_core_effect(effect: Effect) -> bool:
    """Reverse one of `CORE_EFFECTS`. True when it is gone."""
    return CORE_EFFECTS[effect.kind](effect)


def marked_processes(mark: str, variable: str = MARK) -> list[int]:
    """Living processes of this user which carry the mark, this process left out."""
    wanted = f"{variable}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue  # not ours to read, or gone
        if wanted in environment.split(b"\0") and not _is_zombie(entry):
            found.append(int(entry.name))
    return found


def _is_zombie(entry: Path) -> bool:
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (OSError, IndexError):
        return True


def _end_processes(effect: Effect) -> bool:
    mark = str(effect.data["mark"])
    deadline = time.monotonic() + _GRACE_S
    asked: set[int] = set()
    while left := marked_processes(mark):
        late = time.monotonic() > deadline
        if late and time.monotonic() > deadline + _GRACE_S:
            return False
        for pid in left:
            if late or pid not in asked:
                asked.add(pid)
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        time.sleep(0.02)
    return True


def _remove_directory(effect: Effect) -> bool:
    path = Path(str(effect.data["path"]))
    if not path.exists():
        return True
    try:
        ours = (path / _OWNED).read_text() == effect.data["mark"]
    except OSError:
        # Made, but not signed: only the empty folder of a crash in between is ours.
        with contextlib.suppress(OSError):
            path.rmdir()
        return True
    if ours:
        shutil.rmtree(path, ignore_errors=True)
    return not (ours and path.exists())


def _run_undo(effect: Effect) -> bool:
    argv = json.loads(str(effect.data["argv"]))
    try:
        run_command(argv, json.loads(str(effect.data["environment"])))
    except CommandFailed as error:
        log.warning("could not be taken back: %s", error)
    return True  # it had its chance; again and again at every start would help nobody


CORE_EFFECTS = {
    "process_tree": _end_processes,
    "directory": _remove_directory,
    "command": _run_undo,
}
