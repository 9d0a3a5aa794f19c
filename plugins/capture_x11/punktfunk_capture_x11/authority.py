"""The cookie that opens a display, in the file format that X11 programs read."""

import os
import secrets
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import attrs

from punktfunk.plugin import DriverFailed

PROTOCOL = b"MIT-MAGIC-COOKIE-1"

_COOKIE_BYTES = 16
_ANY_HOST = 0xFFFF
_LOCAL = 256
_LENGTH = struct.Struct(">H")


def write_authority(path: Path, number: int) -> None:
    """Write a file with a new cookie for display `number`, for this user alone.

    Raises:
        FileExistsError: somebody else has put a file there.
    """
    fields = (b"", str(number).encode(), PROTOCOL, secrets.token_bytes(_COOKIE_BYTES))
    entry = _LENGTH.pack(_ANY_HOST) + b"".join(_LENGTH.pack(len(it)) + it for it in fields)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(entry)


def read_cookie(path: Path, number: int) -> bytes:
    """Return the cookie for a display of this machine.

    Raises:
        DriverFailed: the file has none, cannot be read, or is no such file.
    """
    try:
        entries = list(_entries(path.read_bytes()))
    except (OSError, struct.error) as error:
        raise DriverFailed(f"the display's cookie cannot be read: {path.name}") from error
    here = socket.gethostname().encode()
    for entry in entries:
        of_this_machine = entry.family == _ANY_HOST or (entry.family, entry.host) == (_LOCAL, here)
        of_this_display = entry.number in (b"", str(number).encode())
        if of_this_machine and of_this_display and entry.protocol == PROTOCOL:
            return entry.cookie
    raise DriverFailed(f"{path.name} has no cookie for display {number}")


@attrs.frozen
class _Entry:
    family: int
    host: bytes
    number: bytes
    protocol: bytes
    cookie: bytes


def _entries(rest: bytes) -> Iterator[_Entry]:
    while rest:
        (family,) = _LENGTH.unpack_from(rest)
        rest = rest[_LENGTH.size :]
        fields = []
        for _ in range(4):
            (size,) = _LENGTH.unpack_from(rest)
            fields.append(rest[_LENGTH.size : _LENGTH.size + size])
            rest = rest[_LENGTH.size + size :]
        yield _Entry(family, *fields)
