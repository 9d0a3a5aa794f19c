"""Our own state files: written whole or not at all, readable by their owner only."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from punktfunk.errors import ConfigError, StateDamaged

PRIVATE_FILE_MODE = 0o600
PRIVATE_FOLDER_MODE = 0o700


def make_private_folder(folder: Path) -> None:
    """Create the folder, or close an existing one to everybody else.

    Raises:
        ConfigError: it cannot be made or closed.
    """
    try:
        folder.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
        if stat.S_IMODE(folder.stat().st_mode) != PRIVATE_FOLDER_MODE:
            folder.chmod(PRIVATE_FOLDER_MODE)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be used as a private folder: {error}") from error


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file so that a crash at any point leaves the old one or the new one.

    The file is private (0600). What a crash leaves behind is a `.NAME.*.tmp`, never read.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            os.fchmod(descriptor, PRIVATE_FILE_MODE)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    _sync_folder(path.parent)


def write_with_backup(path: Path, data: bytes) -> None:
    """Like `write_atomically`, and keep what was there before as `.bak`."""
    if path.exists():
        write_atomically(backup_of(path), path.read_bytes())
    write_atomically(path, data)


def backup_of(path: Path) -> Path:
    return path.with_name(path.name + ".bak")


def read_private(path: Path, max_bytes: int) -> bytes:
    """Read a file that holds a secret.

    Raises:
        ConfigError: others could have read it, or it is not a regular file.
        StateDamaged: it is longer than `max_bytes`.
        FileNotFoundError: it is not there.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise ConfigError(f"{path} is not a regular file")
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        if status.st_mode & 0o077:
            mode = stat.S_IMODE(status.st_mode)
            raise ConfigError(
                f"{path} can be read or changed by others (mode {mode:04o}): "
                f"make a new secret if anyone could have seen it, else run chmod 600 {path}"
            )
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise damaged(path, "it is far too long")
    return data


def damaged(path: Path, reason: str) -> StateDamaged:
    """Say which file is unusable and where its last good copy is."""
    backup = backup_of(path)
    hint = (
        f"the last good copy is {backup}: look at it, then put it in its place"
        if backup.exists()
        else "there is no backup: move the file away to start anew"
    )
    return StateDamaged(
        f"{path} cannot be used: {reason}; {hint}", file=str(path), backup=str(backup)
    )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
