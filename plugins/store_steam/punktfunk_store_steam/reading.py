"""One look at Steam's files: bounded, and keeping account of what was left out."""

import errno
import itertools
import logging
import os
import stat
from pathlib import Path

MAX_TOTAL_BYTES = 16 << 20
MAX_FILES = 20_000
MAX_NAMES = 200_000
"""Of all folders of one look; a large cache of artwork has tens of thousands of files."""
_NAMED = 5
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"

log = logging.getLogger(__name__)


class Reading:
    """Reads files and folders, and never waits: a pipe in a file's place is no file.

    Args:
        total_bytes: What may be read in all; when it is used up, files count as too long.
    """

    def __init__(self, total_bytes: int = MAX_TOTAL_BYTES) -> None:
        self.left_out: list[str] = []
        self._bytes = total_bytes
        self._files = MAX_FILES
        self._names = MAX_NAMES

    def read(self, path: Path, max_bytes: int) -> bytes | None:
        """Return a file's content; None when there is none, or it had to be left out."""
        if self._files == 0:
            return None
        self._files -= 1
        if self._files == 0:
            self.leave_out(path, f"files beyond the first {MAX_FILES}")
        try:
            data = _read_regular(path, min(max_bytes, self._bytes))
        except FileNotFoundError:
            return None
        except OSError as error:
            self.leave_out(path, error.strerror or str(error))
            return None
        self._bytes -= len(data)
        return data

    def names(self, folder: Path) -> list[str]:
        """List what is in a folder, sorted; nothing when there is no such folder."""
        try:
            with os.scandir(folder) as entries:
                found = [entry.name for entry in itertools.islice(entries, self._names + 1)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.leave_out(folder, error.strerror or str(error))
            return []
        if len(found) > self._names:
            self.leave_out(folder, f"names beyond the first {MAX_NAMES}")
            found.pop()
        self._names -= len(found)
        return sorted(found)

    def leave_out(self, path: Path, reason: str) -> None:
        self.left_out.append(f"{str(path)!a}: {reason}")

    def report(self) -> None:
        """Log what was left out, in one line."""
        if self.left_out:
            first = "; ".join(self.left_out[:_NAMED])
            log.warning("left out of Steam's games: %d (%s)", len(self.left_out), first)


def is_file(path: Path) -> bool:
    """Say whether this is a file, or a link to one, that can be looked at."""
    try:
        return path.is_file()
    except OSError:  # such as no permission, or a name that is too long
        return False


def is_picture(path: Path) -> bool:
    """Say whether this is a file that begins as a PNG, JPEG or WebP: the host serves no other."""
    if not is_file(path):
        return False
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False
    return head.startswith((_PNG, _JPEG)) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")


def size_bytes(path: Path) -> int:
    """Return the size of a file; 0 when there is none to be looked at."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _read_regular(path: Path, max_bytes: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a file")
        if status.st_size > max_bytes:
            raise OSError(errno.EFBIG, "far too long")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(max_bytes)
    finally:
        os.close(descriptor)
