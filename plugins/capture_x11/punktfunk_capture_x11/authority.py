"""The cookie that opens a display, in the file format that X11 programs read."""

import os
import secrets
import struct
from pathlib import Path

from punktfunk.plugin import DriverFailed

PROTOCOL = b"MIT-MAGIC-COOKIE-1"

_COOKIE_BYTES = 16
_ANY_HOST = 0xFFFF
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


def read_cookie(path: Path) -> bytes:
    """Return the cookie of a file that `write_authority` has written.

    Raises:
        DriverFailed: it cannot be read, or is no such file.
    """
    try:
        rest = path.read_bytes()[_LENGTH.size :]
        fields = []
        while rest:
            (size,) = _LENGTH.unpack_from(rest)
            fields.append(rest[_LENGTH.size : _LENGTH.size + size])
            rest = rest[_LENGTH.size + size :]
        _, _, _, cookie = fields
    except (OSError, ValueError, struct.error) as error:
        raise DriverFailed(f"the display's cookie cannot be read: {path.name}") from error
    return cookie
