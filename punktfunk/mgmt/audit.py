"""Who changed what: one JSON line for every change that somebody with a token asked for.

Bodies, PINs and tokens are never in it.
"""

import contextlib
import json
import logging
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from punktfunk.trust.files import PRIVATE_FILE_MODE
from punktfunk.trust.tokens import TOKEN_PREFIX

AUDIT_FILE = "audit.jsonl"
MAX_FILE_BYTES = 1 << 20
OLD_FILES = 4
MAX_PATH_CHARS = 256
OWN_TOKEN_ID = "mgmt-token"  # noqa: S105 - an id
COMMAND_LINE_ID = "cli"

_OPTIONAL = frozenset({"query", "through"})
_TOKEN = re.compile(rf"{TOKEN_PREFIX}[\w-]+")

log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class AuditEntry:
    """Attributes:
    token: The id of a scoped token; `mgmt-token` for the host's own; `cli` for a command
        that changed a file itself.
    name: Of that token or of the user.
    through: `console` when it came from a login there.
    operation: Of the contract.
    path: As it was asked for, ids included.
    query: The parameters that the operation knows.
    status: What was answered.
    """

    token: str
    name: str
    address: str
    operation: str
    path: str
    query: dict[str, str] = attrs.field(factory=dict)
    status: int
    through: str = ""


class Audit:
    """Appends to `audit.jsonl`, and keeps a few full ones as `audit.jsonl.1` and on.

    Failing to write is logged once, and stops nobody.
    """

    def __init__(self, folder: Path, *, wall_s: Callable[[], float] = time.time) -> None:
        self._path = folder / AUDIT_FILE
        self._wall_s = wall_s
        self._failing = False

    def note(self, entry: AuditEntry) -> None:
        """Write one line. A private file; safe beside another process that does the same."""
        line = json.dumps({"time": _instant(self._wall_s()), **_members(entry)}) + "\n"
        try:
            self._append(line.encode())
        except OSError as error:
            if not self._failing:
                log.error("cannot write the audit file %s: %s", self._path, error)
            self._failing = True
        else:
            self._failing = False

    def note_command(self, operation: str, path: str, status: int) -> None:
        """Write down what a command did to a file itself, as if it had asked the host."""
        self.note(
            AuditEntry(
                token=COMMAND_LINE_ID,
                name=f"uid {os.getuid()}",
                address="",
                operation=operation,
                path=path,
                status=status,
            )
        )

    def _append(self, line: bytes) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self._path.lstat().st_size >= MAX_FILE_BYTES:
                self._rotate()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags | os.O_NONBLOCK, PRIVATE_FILE_MODE)
        try:
            os.fchmod(descriptor, PRIVATE_FILE_MODE)
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def _rotate(self) -> None:
        for number in range(OLD_FILES, 0, -1):
            older = self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{AUDIT_FILE}.{number}") if number else self._path


def _members(entry: AuditEntry) -> dict[str, Any]:
    members = attrs.asdict(entry)
    members["path"] = _shown(entry.path)
    members["query"] = {name: _shown(value) for name, value in entry.query.items()}
    return {name: value for name, value in members.items() if value or name not in _OPTIONAL}


def _shown(text: str) -> str:
    """A token may have been taken for an id."""
    return _TOKEN.sub(f"{TOKEN_PREFIX}***", text)[:MAX_PATH_CHARS]


def _instant(unix_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(unix_s))
