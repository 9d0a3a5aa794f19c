"""`config.toml` as it was written: its tables, and the line of each key."""

import os
import re
import stat
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from punktfunk.errors import ConfigError

CONFIG_FILE = "config.toml"
VERSION = 1
MAX_BYTES = 1_000_000

_AT_LINE = re.compile(r" \(at line (?P<line>[0-9]+), column [0-9]+\)$")
_WORD = r"[A-Za-z0-9_-]+(?:\s*\.\s*[A-Za-z0-9_-]+)*"
_HEADER = re.compile(rf"\s*\[\s*({_WORD})\s*\]")
_ENTRY_HEADER = re.compile(rf"\s*\[\[\s*({_WORD})\s*\]\]")
_KEY = re.compile(rf"\s*({_WORD})\s*=")
_WITHOUT_LAST = re.compile(r"[.\[][^.\[]*$")


@attrs.frozen(kw_only=True)
class Document:
    """Attributes:
    lines: Where keys stand, by `section.name`, in arrays of tables by `section[0].name`.
        Keys written in an unusual way may be missing.
    """

    path: Path
    tables: Mapping[str, Any]
    lines: Mapping[str, int]
    open_to_others: bool = False

    def place(self, key: str) -> str:
        """Name file and line for a message."""
        return f"{self.path}{self._line(key)}"

    def short_place(self, key: str) -> str:
        return f"{self.path.name}{self._line(key)}"

    def _line(self, key: str) -> str:
        while key not in self.lines and (shorter := _WITHOUT_LAST.sub("", key)) != key:
            key = shorter
        return f" line {self.lines[key]}" if key in self.lines else ""


def read_document(path: Path) -> Document:
    """Read the file; one that is not there is empty.

    Raises:
        ConfigError: it cannot be read, is too long, is not TOML, or is from a newer version.
    """
    return parse_document(path, *read_bytes(path))


def parse_document(path: Path, data: bytes, open_to_others: bool = False) -> Document:
    """Read what is, or could be, in the file.

    Raises:
        ConfigError: it is not TOML, or is from a newer version.
    """
    try:
        text = data.decode()
        tables = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path} line {line}: not UTF-8", file=str(path)) from None
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(path, str(error)) from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply", file=str(path)) from None
    document = Document(
        path=path, tables=tables, lines=_key_lines(text), open_to_others=open_to_others
    )
    _check_version(document)
    return document


def read_bytes(path: Path) -> tuple[bytes, bool]:
    """Read the file, and say whether others could change it.

    Raises:
        ConfigError: it cannot be read, or is too long.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return b"", False
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}", file=str(path)) from None
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"{path}: is not a regular file", file=str(path))
        # The second look is for a file that grows while it is read.
        if status.st_size > MAX_BYTES or len(data := file.read(MAX_BYTES + 1)) > MAX_BYTES:
            raise ConfigError(f"{path}: is longer than {MAX_BYTES:,} bytes", file=str(path))
    return data, bool(status.st_mode & 0o022)


def _not_toml(path: Path, problem: str) -> ConfigError:
    at_line = _AT_LINE.search(problem)
    where = f" line {at_line['line']}" if at_line else ""
    problem = _AT_LINE.sub("", problem)
    if problem.startswith("Cannot overwrite a value"):
        problem = "a key is there twice"
    elif problem.startswith("Cannot declare"):
        problem = "a table is there twice"
    return ConfigError(f"{path}{where}: not valid TOML: {problem}", file=str(path))


def _check_version(document: Document) -> None:
    version = document.tables.get("version", VERSION)
    if type(version) is not int or version < 1:
        place = document.place("version")
        raise ConfigError(f"{place}: version must be {VERSION}", key="version")
    if version > VERSION:
        raise ConfigError(
            f"{document.place('version')}: it is of version {version}, and this punktfunk "
            f"knows version {VERSION}: update punktfunk",
            key="version",
        )


def _key_lines(text: str) -> dict[str, int]:
    """Find keys by their looks, for people: tomllib does not say where a key stood."""
    lines: dict[str, int] = {}
    entries: Counter[str] = Counter()
    section = open_quote = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if open_quote:
            open_quote = "" if open_quote in line else open_quote
            continue
        if header := _HEADER.match(line):
            section = _tidy(header[1]) + "."
            lines.setdefault(section[:-1], number)
        elif header := _ENTRY_HEADER.match(line):
            name = _tidy(header[1])
            section = f"{name}[{entries[name]}]."
            entries[name] += 1
            lines.setdefault(name, number)
            lines.setdefault(section[:-1], number)
        elif key := _KEY.match(line):
            lines.setdefault(section + _tidy(key[1]), number)
        open_quote = next((quote for quote in ('"""', "'''") if line.count(quote) % 2), "")
    return lines


def _tidy(dotted: str) -> str:
    return ".".join(part.strip() for part in dotted.split("."))
