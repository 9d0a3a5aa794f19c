"""Files into a cpio archive of the kind that Linux boots from ("newc")."""

import os
import stat
from pathlib import Path

_TRAILER = "TRAILER!!!"


def pack(folder: Path) -> bytes:
    """Everything below a folder, owned by root."""
    paths = sorted(folder.rglob("*"))
    entries = [
        _entry(str(path.relative_to(folder)), path, number) for number, path in enumerate(paths, 1)
    ]
    return b"".join([*entries, _record(_TRAILER, 0, 0, b"")])


def _entry(name: str, path: Path, number: int) -> bytes:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return _record(name, number, mode, os.fsencode(path.readlink()))
    return _record(name, number, mode, path.read_bytes() if stat.S_ISREG(mode) else b"")


def _record(name: str, number: int, mode: int, data: bytes) -> bytes:
    label = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(label), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(head + label) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
