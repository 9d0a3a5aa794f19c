"""The management API's token: one line in a private file, made once."""

import re
import secrets
from pathlib import Path

from punktfunk.trust.files import damaged, make_private_folder, read_private, write_atomically

TOKEN_FILE = "mgmt-token"  # noqa: S105 - a file name
TOKEN_VARIABLE = "PUNKTFUNK_MGMT_TOKEN"  # noqa: S105 - a variable's name

_LINE = re.compile(rf"{TOKEN_VARIABLE}=([0-9a-fA-F]{{32,128}})\s*")
_MAX_FILE_BYTES = 4_096


def load_or_make_token(folder: Path) -> str:
    """Return the token. The file can be sourced by a shell or named in a unit.

    Raises:
        ConfigError: others can read the file.
        StateDamaged: it holds something else.
    """
    make_private_folder(folder)
    path = folder / TOKEN_FILE
    try:
        text = read_private(path, _MAX_FILE_BYTES).decode("ascii", errors="replace")
    except FileNotFoundError:
        token = secrets.token_hex(32)
        write_atomically(path, f"{TOKEN_VARIABLE}={token}\n".encode())
        return token
    if found := _LINE.fullmatch(text):
        return found[1]
    raise damaged(path, f"it is not one line {TOKEN_VARIABLE}=<hex>")
