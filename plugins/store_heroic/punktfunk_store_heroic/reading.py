"""Heroic's JSON files, read with care: half-written, huge, or no files at all."""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from punktfunk.plugin import PunktfunkError

MAX_FILE_BYTES = 32 << 20
MAX_ENTRIES = 20_000


class Unreadable(PunktfunkError):
    """A file that costs its own games; the message says why."""

    code: ClassVar[str] = "unreadable"


def read_json(path: Path) -> object:
    """Parse a file.

    Raises:
        Unreadable: it is no regular file, longer than `MAX_FILE_BYTES`, or no JSON.
    """
    try:
        return json.loads(_read(path))
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # half-written, not UTF-8, or a number without end
        raise Unreadable(f"{path} is damaged: {error}") from error
    except RecursionError as error:
        raise Unreadable(f"{path} is damaged: it is nested too deeply") from error


def tables(value: object) -> Iterator[Mapping[str, object]]:
    """Take the objects out of what should be a list of them, the first `MAX_ENTRIES`."""
    if isinstance(value, list):
        yield from (item for item in value[:MAX_ENTRIES] if isinstance(item, dict))


def table(value: object) -> Mapping[str, object]:
    """Take what should be an object; empty when it is none."""
    return value if isinstance(value, dict) else {}


def text(values: Mapping[str, object], *keys: str) -> str:
    """Take the first of several members that is a text with something in it."""
    found = (values.get(key) for key in keys)
    return next((value for value in found if isinstance(value, str) and value), "")


def _read(path: Path) -> bytes:
    # A pipe would make us wait; not waiting does no harm to a file.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unreadable(f"{path} is not a regular file")
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise Unreadable(f"{path} is longer than {MAX_FILE_BYTES >> 20} MiB")
    return data
