"""The last log lines, kept in memory for who asks from afar."""

import logging
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime

from punktfunk.mgmt.values import LogLine
from punktfunk.model.log_text import message_of, redacted

MAX_LINES = 2_000
_MAX_LENGTH = 1_000


class LogBook(logging.Handler):
    """A handler for the root logger. What it keeps has no secrets and is bounded."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[LogLine] = deque(maxlen=MAX_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = redacted(message_of(record))
        except Exception:
            self.handleError(record)
            return
        self._lines.append(
            LogLine(
                time=datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
                level=record.levelname.lower(),
                logger=record.name,
                message=text[:_MAX_LENGTH],
            )
        )

    def last(self, limit: int, level: str) -> Sequence[LogLine]:
        """Return the newest lines of at least this level, oldest first."""
        least = logging.getLevelNamesMapping()[level.upper()]
        numbers = logging.getLevelNamesMapping()
        found = [it for it in list(self._lines) if numbers.get(it.level.upper(), 0) >= least]
        return found[-limit:]
