"""The last log lines, kept in memory for who asks from afar, and for who follows."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from punktfunk.events import Feed
from punktfunk.mgmt.values import LogLine
from punktfunk.model.log_text import message_of, redacted, trace_of

MAX_LINES = 2_000
MAX_READERS = 8
_MAX_LENGTH = 1_000
_MAX_TRACE_LENGTH = 8_000


class LogBook(logging.Handler):
    """A handler for the root logger. What it keeps has no secrets and is bounded.

    Attributes:
        feed: The lines; it lives on the host's event loop.
    """

    def __init__(self) -> None:
        super().__init__()
        self.feed: Feed[LogLine] = Feed(kept=MAX_LINES, max_subscriptions=MAX_READERS)
        self._loop: asyncio.AbstractEventLoop | None = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = _line(record)
        except Exception:
            self.handleError(record)
            return
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:  # another thread, or nothing runs yet
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self.feed.append, line)
                return
        self.feed.append(line)

    def last(self, limit: int, level: str) -> Sequence[LogLine]:
        """Return the newest lines of at least this level, oldest first."""
        found = [it for it in reversed(self.feed.last(MAX_LINES)) if is_at_least(it, level)]
        return found[-limit:]


def is_at_least(line: LogLine, level: str) -> bool:
    numbers = logging.getLevelNamesMapping()
    return numbers.get(line.level.upper(), 0) >= numbers[level.upper()]


def _line(record: logging.LogRecord) -> LogLine:
    return LogLine(
        time=datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        level=record.levelname.lower(),
        logger=record.name,
        message=redacted(message_of(record))[:_MAX_LENGTH],
        trace=redacted(trace_of(record))[-_MAX_TRACE_LENGTH:],
    )
