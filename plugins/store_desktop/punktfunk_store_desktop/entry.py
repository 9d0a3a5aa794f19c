"""One desktop entry, read as the Desktop Entry Specification 1.5 says."""

import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

import attrs

from punktfunk.plugin import PunktfunkError

MAX_FILE_BYTES = 1 << 20

_GROUP = "[Desktop Entry]"
_KEY = re.compile(r"[A-Za-z0-9-]+(\[[^\]]+\])?")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
_LIST_SEPARATOR = re.compile(r"(?<!\\);")
_LOCALE = re.compile(
    r"(?P<language>[^_.@]+)(?P<country>_[^.@]+)?(\.[^@]+)?(?P<modifier>@.+)?", re.DOTALL
)


class BadEntry(PunktfunkError):
    """An entry that is left out; the message says why."""

    code: ClassVar[str] = "bad_entry"


@attrs.frozen
class Entry:
    """The keys of the group `Desktop Entry`, values as they stand in the file."""

    values: Mapping[str, str]

    def text(self, key: str) -> str:
        """Read a string; empty when it is not there."""
        return _unescape(self.values.get(key, ""))

    def localized(self, key: str, locales: Iterable[str]) -> str:
        """Read a string in the first of these locales that it is written in."""
        for name in (*(f"{key}[{locale}]" for locale in locales), key):
            if value := self.text(name):
                return value
        return ""

    def flag(self, key: str) -> bool:
        return self.values.get(key) == "true"

    def words(self, key: str) -> frozenset[str]:
        """Read a list whose order does not matter."""
        parts = _LIST_SEPARATOR.split(self.values.get(key, ""))
        return frozenset(_unescape(part.replace("\\;", ";")) for part in parts if part)


def read_entry(path: Path) -> Entry:
    """Read a file.

    Raises:
        BadEntry: it is no regular file, or longer than `MAX_FILE_BYTES`, or cannot be read.
    """
    try:
        return parse_entry(_read(path))
    except OSError as error:
        raise BadEntry(f"it cannot be read: {error.strerror}") from error


def parse_entry(data: bytes) -> Entry:
    """Take the keys out of a file's content; lines that are none are passed over.

    A line which is not UTF-8 is lost alone: often it is one translation of many.
    """
    values: dict[str, str] = {}
    inside = False
    for raw in data.split(b"\n"):
        try:
            line = raw.decode().strip(" \t\r\f\v")
        except UnicodeDecodeError:
            continue
        if line.startswith("["):
            if inside:
                break
            inside = line == _GROUP
        elif inside and not line.startswith("#"):
            key, equals, value = line.partition("=")
            key = key.rstrip()
            if equals and _KEY.fullmatch(key):
                values[key] = value.lstrip()
    return Entry(values)


def locales_of(language: str) -> list[str]:
    """List what a `LANG` matches, best first: for `de_AT.UTF-8` that is `de_AT`, then `de`."""
    found = _LOCALE.fullmatch(language)
    if found is None:
        return []
    name, country, modifier = found.group("language", "country", "modifier")
    candidates = [
        f"{name}{country}{modifier}" if country and modifier else "",
        f"{name}{country}" if country else "",
        f"{name}{modifier}" if modifier else "",
        name,
    ]
    return [candidate for candidate in candidates if candidate]


def _unescape(value: str) -> str:
    # Escapes which the specification does not know are left for the Exec key's own quoting.
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[0]), value)


def _read(path: Path) -> bytes:
    # A pipe would make us wait; not waiting does no harm to a file.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BadEntry("it is not a regular file")
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise BadEntry(f"it is longer than {MAX_FILE_BYTES >> 20} MiB")
    return data
