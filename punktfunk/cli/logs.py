"""Log lines for people and for journald: one line a record, fields at its end, no secrets."""

import logging
import os
import sys
import time
from typing import TextIO

from punktfunk.model.log_text import message_of, redacted

_QUIET = ("asyncio", "hypercorn", "numba", "quart", "stevedore", "zeroconf")
_JOURNAL_PRIORITY = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}


def set_up(level: str, stream: TextIO | None = None) -> None:
    """Send everything from `level` up to standard error.

    Args:
        level: debug, info, warning or error.
        stream: Instead of standard error.
    """
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter(journal=_is_journal(stream)))
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old.formatter, LineFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class LineFormatter(logging.Formatter):
    """`21:04:05 warning host.sessions: message (session=1 app=Desktop)`.

    Args:
        journal: Leave the time to the journal, and give the level as its priority.
    """

    def __init__(self, *, journal: bool = False) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        name = record.name.removeprefix("punktfunk.")
        text = f"{self._head(record)}{name}: {message_of(record)}"
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        return redacted(text)

    def _head(self, record: logging.LogRecord) -> str:
        if self._journal:
            return f"<{_JOURNAL_PRIORITY.get(record.levelname, 6)}>"
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        return f"{clock} {record.levelname.lower()} "


def _is_journal(stream: TextIO) -> bool:
    """Say whether systemd connected this stream to the journal."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
