"""Tables and lists of facts for a terminal, as plain text."""

import shutil
import sys
import time
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from punktfunk.cli.printable import printable

_GAP = "  "
_LEAST_WIDTH = 12


class Shown(Protocol):
    def text(self) -> str:
        """Return lines without a trailing line break."""


class Table:
    """Columns under headings. Names in it cannot harm a terminal.

    Args:
        wide: The column that is cut where a terminal is too narrow; nothing is cut in a pipe.
    """

    def __init__(
        self, headings: Sequence[str], rows: Iterable[Sequence[object]], wide: int | None = None
    ) -> None:
        self._rows = [list(headings), *([_cell(cell) for cell in row] for row in rows)]
        self._wide = wide

    def text(self, columns: int | None = None) -> str:
        """Columns: of the terminal; 0 for as wide as it gets, None to find out."""
        if columns is None:
            columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
        rows = [list(row) for row in self._rows]
        widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
        excess = sum(widths) + len(_GAP) * (len(widths) - 1) - columns
        if columns and excess > 0 and self._wide is not None:
            widths[self._wide] = max(widths[self._wide] - excess, _LEAST_WIDTH)
            for row in rows:
                row[self._wide] = _cut(row[self._wide], widths[self._wide])
        return "\n".join(
            _GAP.join(_pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )


class Facts:
    """A name and a value a line; what is None is left out."""

    def __init__(self, *facts: tuple[str, object]) -> None:
        self._facts = [(name, _cell(value)) for name, value in facts if value is not None]

    def text(self) -> str:
        width = max((len(name) for name, _ in self._facts), default=0)
        return "\n".join(f"{name:<{width}}{_GAP}{value}".rstrip() for name, value in self._facts)


class Lines:
    """Text as it is, and other things below each other."""

    def __init__(self, *parts: str | Shown) -> None:
        self._parts = parts

    def text(self) -> str:
        return "\n".join(part if isinstance(part, str) else part.text() for part in self._parts)


def ago(unix_s: float | None, now_s: float | None = None) -> str:
    """When it was or will be: relative within two months, a day otherwise."""
    if not unix_s:
        return "-"
    away_s = unix_s - (time.time() if now_s is None else now_s)
    if abs(away_s) > 60 * 86_400:
        return time.strftime("%Y-%m-%d", time.localtime(unix_s))
    if abs(away_s) < 1:
        return "now"
    return f"in {lasting(away_s)}" if away_s > 0 else f"{lasting(-away_s)} ago"


def lasting(seconds: float) -> str:
    """A length of time in its largest unit or two: `45 s`, `3 min`, `2 h 5 min`, `4 days`."""
    whole = int(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} days"


def yes_no(value: object) -> str:
    return "yes" if value else "no"


def mode(plain: dict[str, Any]) -> str:
    """Of a display, stream or capture: `1920x1080@60`."""
    return f"{plain['width']}x{plain['height']}@{plain['fps']}"


def number(value: float) -> str:
    """One digit behind the point."""
    return f"{float(value):.1f}"


def clock(unix_ms: float) -> str:
    """Time of day, here."""
    return time.strftime("%H:%M:%S", time.localtime(unix_ms / 1_000))


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return yes_no(value)
    return "-" if value is None or value == "" else printable(value)


def _width(text: str) -> int:
    """In a terminal's columns: Chinese takes two, an accent none."""
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    while text and _width(text) >= width:
        text = text[:-1]
    return text + "…"
