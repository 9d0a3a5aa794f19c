"""The core's effects: a tree of processes, a folder of our own, a file, a command to take back.

A session's processes are found by a mark in their environment, not by their parents: a
launcher that forks twice and exits leaves children that belong to nobody, but the mark
is inherited by all of them, and it is known before the first one starts.
"""

import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from punktfunk.errors import LeftAlone
from punktfunk.journal import files
from punktfunk.journal.commands import CommandFailed, run_command
from punktfunk.journal.mounts import take_down_mounts
from punktfunk.model.plugins import Effect

MARK = "PUNKTFUNK_SEAT"
"""Environment variable that every process of a session carries; its value is the seat's name."""

COMMAND_MARK = "PUNKTFUNK_COMMAND"
"""The same for what runs before a session."""

_OWNED = ".punktfunk-seat"
_GRACE_S = 1.5


def process_tree(mark: str) -> Effect:
    """All processes that carry this mark."""
    return Effect(kind="process_tree", data={"mark": mark}, until_reboot=True)


def directory(path: Path, mark: str) -> Effect:
    """A folder that `make_directory` made for this mark."""
    return Effect(kind="directory", data={"path": str(path), "mark": mark})


def make_directory(path: Path, mark: str) -> None:
    """Make the folder, 0700, with the sign by which undo knows it as ours."""
    path.mkdir(mode=0o700, parents=True)
    (path / _OWNED).write_text(mark)


def command(argv: Sequence[str], environment: Mapping[str, str], running: str = "") -> Effect:
    """Something only this command can reverse.

    Args:
        environment: What it is told besides what this process has.
        running: Value of `COMMAND_MARK` in what is doing it at the moment; that is ended first.
    """
    data = {"argv": json.dumps(list(argv)), "environment": json.dumps(dict(environment))}
    return Effect(kind="command", data={**data, "running": running} if running else {**data})


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
    return _end_marked(str(effect.data["mark"]), MARK)


def _end_marked(mark: str, variable: str) -> bool:
    deadline = time.monotonic() + _GRACE_S
    asked: set[int] = set()
    while left := marked_processes(mark, variable):
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
    sign = path / _OWNED
    try:
        mark = sign.read_text()
    except FileNotFoundError:
        mark = ""
    except OSError:
        return True  # somebody else's
    if mark == effect.data["mark"]:
        if marked_processes(mark):
            return False  # what is in it is still theirs
        mounts = take_down_mounts(path)
        _remove(path.iterdir(), but=[sign, *mounts])
        if mounts:
            raise LeftAlone(f"{mounts[0]} is a mount that could not be taken down")
        if _remains(path, but=sign):
            return False
    elif mark or _remains(path, but=sign):
        return True
    # Signed and empty by now; or made and not signed, by a crash in between.
    with contextlib.suppress(FileNotFoundError):
        sign.unlink(missing_ok=True)
        path.rmdir()
    return True


def _remove(entries: Iterable[Path], *, but: Sequence[Path]) -> None:
    """The sign goes last, so that whoever is interrupted finds it again."""
    for entry in entries:
        if any(it.is_relative_to(entry) for it in but):
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                entry.unlink()


def _remains(path: Path, *, but: Path) -> bool:
    return path.is_dir() and any(entry != but for entry in path.iterdir())


def _run_undo(effect: Effect) -> bool:
    if (running := effect.data.get("running")) and not _end_marked(str(running), COMMAND_MARK):
        return False
    argv = json.loads(str(effect.data["argv"]))
    try:
        run_command(argv, json.loads(str(effect.data["environment"])))
    except CommandFailed as error:  # once: again at every start would help nobody
        raise LeftAlone(f"the command that takes it back failed: {error}") from error
    return True


CORE_EFFECTS = {
    "process_tree": _end_processes,
    "directory": _remove_directory,
    "command": _run_undo,
    files.KIND: files.restore_file,
}
