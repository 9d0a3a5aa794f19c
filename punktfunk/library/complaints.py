"""What a store's plugin logs as a warning while it lists its games."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from punktfunk.library.listing import MAX_PROBLEMS, shown_title

MAX_CHARACTERS = 300


class CaughtWarnings(logging.StreamHandler[TextIO]):
    """Keeps the first lines, and writes all to standard error as if it were not there."""

    def __init__(self) -> None:
        super().__init__()
        self.setLevel(logging.WARNING)
        self._lines: list[str] = []
        self._more = 0

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        if len(self._lines) == MAX_PROBLEMS:
            self._more += 1
            return
        try:
            self._lines.append(_shortened(record.getMessage()))
        except Exception:
            self.handleError(record)

    def lines(self) -> tuple[str, ...]:
        """At most 20 of at most 300 characters each, and one that counts the others."""
        return (*self._lines, f"and {self._more} more warnings") if self._more else (*self._lines,)


@contextmanager
def caught_warnings() -> Iterator[CaughtWarnings]:
    """Catch what anyone in this process logs, from warnings on."""
    handler = CaughtWarnings()
    logging.getLogger().addHandler(handler)
    try:
        yield handler
    finally:
        logging.getLogger().removeHandler(handler)


def _shortened(text: str) -> str:
    line = shown_title(text)
    return line if len(line) <= MAX_CHARACTERS else f"{line[: MAX_CHARACTERS - 1]}…"
