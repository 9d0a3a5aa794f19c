"""The management API's token: one line in a private file."""

import logging
import re
import secrets
from pathlib import Path

from punktfunk.errors import PunktfunkError
from punktfunk.trust.files import damaged, make_private_folder, read_private, write_atomically

TOKEN_FILE = "mgmt-token"  # noqa: S105 - a file name
TOKEN_VARIABLE = "PUNKTFUNK_MGMT_TOKEN"  # noqa: S105 - a variable's name

_LINE = re.compile(rf"{TOKEN_VARIABLE}=([0-9a-fA-F]{{32,128}})\s*")
_MAX_FILE_BYTES = 4_096

log = logging.getLogger(__name__)


def load_or_make_token(folder: Path) -> str:
    """Return the token. The file can be sourced by a shell or named in a unit.

    Raises:
        ConfigError: others can read the file.
        StateDamaged: it holds something else.
    """
    try:
        return _read(folder / TOKEN_FILE)
    except FileNotFoundError:
        return make_token(folder)


def make_token(folder: Path) -> str:
    """Make a new token, also in the place of one that was there; that one is worth nothing then.

    Raises:
        ConfigError: the folder is of no use.
        OSError: it could not be written, and everything stays as it was.
    """
    make_private_folder(folder)
    token = secrets.token_hex(32)
    write_atomically(folder / TOKEN_FILE, f"{TOKEN_VARIABLE}={token}\n".encode())
    return token


class TokenFile:
    """The token of a running host, which follows its file.

    Raises:
        ConfigError, StateDamaged: from `__init__`, as `load_or_make_token`.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / TOKEN_FILE
        self._token = load_or_make_token(folder)
        self._seen = self._look()

    def current(self) -> str:
        """The token as it is now. A file that is gone or of no use leaves the last one that was."""
        seen = self._look()
        if seen not in (None, self._seen):
            try:
                self._token = _read(self._path)
            except (OSError, PunktfunkError) as error:
                log.error("the token stays as it was: %s", error)
            self._seen = seen
        return self._token

    def _look(self) -> tuple[int, ...] | None:
        try:
            status = self._path.lstat()
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _read(path: Path) -> str:
    text = read_private(path, _MAX_FILE_BYTES).decode("ascii", errors="replace")
    if found := _LINE.fullmatch(text):
        return found[1]
    raise damaged(path, f"it is not one line {TOKEN_VARIABLE}=<hex>")
