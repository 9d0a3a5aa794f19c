"""Changing a file of another program, and putting it back only when it is still as we wrote it."""

import base64
import contextlib
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from punktfunk.errors import LeftAlone, PunktfunkError
from punktfunk.model.plugins import Effect

T = TypeVar("T")

KIND = "file"
MAX_BYTES = 256 << 10


class FileNotChanged(PunktfunkError):
    """The file is too large to be kept in the journal, or is no regular file."""

    code = "file_not_changed"


def compare_and_restore(
    what: str, *, now: T, ours: T, before: T, restore: Callable[[T], None]
) -> bool:
    """Put a value back which we had changed, unless somebody else has changed it since.

    Args:
        what: Names it for a person, such as `the default sink`.
        restore: Called with `before` when `now` is still `ours`.

    Returns:
        True: it is as it was before.

    Raises:
        LeftAlone: it is neither ours nor what was there before.
    """
    if now == before:
        return True
    if now != ours:
        raise LeftAlone(f"{what} was changed by somebody since")
    restore(before)
    return True


def change_file(path: Path, content: bytes, record: Callable[[Effect], None]) -> Effect:
    """Replace what a file of another program holds, or make it; a crash leaves old or new.

    Args:
        path: Its folder must be there. What a link leads to is changed, not the link.
        record: Writes the effect to the journal, such as `Seat.record`.

    Returns:
        What `record` was given, for `Seat.forget` when it was put back.

    Raises:
        FileNotChanged: what is there cannot be kept for later.
        OSError: it cannot be read or written.
    """
    path = path.resolve()
    before = _read(path)
    effect = Effect(
        kind=KIND,
        data={
            "path": str(path),
            "existed": int(before is not None),
            "before": base64.b64encode(before or b"").decode(),
            "ours": _digest(content),
        },
    )
    record(effect)
    _replace(path, content)
    return effect


def restore_file(effect: Effect) -> bool:
    """Put back what a file held before `change_file`, and remove one that was not there.

    Raises:
        LeftAlone: somebody has written, made or removed it since.
    """
    path = Path(str(effect.data["path"]))
    _beside(path).unlink(missing_ok=True)
    kept = base64.b64decode(str(effect.data["before"]))

    def restore(_: str | None) -> None:
        if effect.data["existed"]:
            _replace(path, kept)
        else:
            path.unlink(missing_ok=True)

    return compare_and_restore(
        str(path),
        now=_digest_of(path),
        ours=str(effect.data["ours"]),
        before=_digest(kept) if effect.data["existed"] else None,
        restore=restore,
    )


def _read(path: Path) -> bytes | None:
    """What is in the file; None when there is none."""
    try:
        if not path.is_file() and path.exists():
            raise FileNotChanged(f"{path} is not a regular file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    if len(content) > MAX_BYTES:
        raise FileNotChanged(f"{path} is too large to be put back later")
    return content


def _replace(path: Path, content: bytes) -> None:
    beside = _beside(path)
    beside.unlink(missing_ok=True)
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(descriptor, path.stat().st_mode & 0o7777)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _beside(path: Path) -> Path:
    """Where new content is written; always the same, so that a crash leaves nothing unknown."""
    return path.with_name(f".{path.name}.punktfunk")


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def _digest_of(path: Path) -> str | None:
    try:
        content = _read(path)
    except FileNotChanged:
        return ""  # whatever it is, it is not ours
    return None if content is None else _digest(content)
