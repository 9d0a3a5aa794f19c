"""Looks through folders: bounded in depth and in number, and never in circles."""

import errno
import logging
import os
import stat
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import attrs

MAX_DEPTH = 6
MAX_ENTRIES = 200_000
"""In all folders of one look."""
_NAMED = 5

# What front ends and emulators put beside the games.
NO_GAMES = frozenset(
    {"bios", "boxart", "covers", "images", "manuals", "media", "saves", "states", "videos"}
)

log = logging.getLogger(__name__)


@attrs.frozen
class Listing:
    """The files of one folder, by name, sorted; hidden ones are not among them."""

    folder: Path
    files: tuple[str, ...]


class Scan:
    """One look at the disk, with its limits, and what had to be left out."""

    def __init__(self, entries: int = MAX_ENTRIES) -> None:
        self.left_out: list[str] = []
        self._left = entries

    def listings(self, root: Path) -> Iterator[Listing]:
        """Yield a folder and those below it, the upper ones first, each once."""
        seen: set[tuple[int, int]] = set()
        waiting = deque([(root, 0)])
        while waiting:
            folder, depth = waiting.popleft()
            identity = _identity(folder)
            if identity is None or identity in seen:
                continue
            seen.add(identity)
            files, folders = self._look_into(folder)
            yield Listing(folder, tuple(sorted(files)))
            below = [name for name in sorted(folders) if name.lower() not in NO_GAMES]
            if depth < MAX_DEPTH:
                waiting.extend((folder / name, depth + 1) for name in below)
            elif below:
                self.leave_out(folder, "folders that are nested deeper")

    def names(self, folder: Path) -> frozenset[str]:
        """List the files of one folder; nothing when there is no such folder."""
        return frozenset(self._look_into(folder)[0]) if _identity(folder) else frozenset()

    def leave_out(self, path: Path, reason: str) -> None:
        self.left_out.append(f"{str(path)!a}: {reason}")

    def report(self) -> None:
        """Log what was left out, in one line."""
        if self.left_out:
            first = "; ".join(self.left_out[:_NAMED])
            log.warning("left out of the ROMs: %d (%s)", len(self.left_out), first)

    def _look_into(self, folder: Path) -> tuple[list[str], list[str]]:
        files: list[str] = []
        folders: list[str] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if self._left == 0:
                        self.leave_out(folder, f"files beyond the first {MAX_ENTRIES}")
                        break
                    self._left -= 1
                    if entry.name.startswith("."):
                        continue
                    if _entry_is_file(entry):
                        files.append(entry.name)
                    elif _entry_is_folder(entry):
                        folders.append(entry.name)
        except OSError as error:
            self.leave_out(folder, error.strerror or str(error))
        return files, folders


def read_start(path: Path, max_bytes: int) -> bytes:
    """Read the first bytes of a file, without waiting for anyone.

    Raises:
        OSError: there is no such file, or it is none.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(max_bytes)
    finally:
        os.close(descriptor)


def is_file(path: Path) -> bool:
    """Say whether this is a file, or a link to one, that can be looked at."""
    try:
        return path.is_file()
    except OSError:  # such as no permission, or a name that is too long
        return False


def is_folder(path: Path) -> bool:
    """Say whether this is a folder, or a link to one, that can be looked at."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None


def _entry_is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # such as a link to itself
        return False


def _entry_is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
