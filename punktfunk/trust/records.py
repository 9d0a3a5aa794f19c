"""A private JSON file with a list in it: read whole, held to its shape, written atomically.

What we do not know, we keep: members of the document and of every entry.
"""

import errno
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from punktfunk.trust.files import (
    backup_of,
    damaged,
    make_private_folder,
    read_private,
    write_atomically,
    write_with_backup,
)

VERSION = 1
_MAX_FILE_BYTES = 8 * 1024 * 1024

Members = dict[str, Any]
T = TypeVar("T")


class Unreadable(ValueError):
    """The text is not what the file should hold. The message says why, without showing it."""


class Records(Generic[T]):
    """Values by key, in memory and on disk. Used from one thread.

    Args:
        path: Of the file; its folder is made private.
        listed: The document's member that has the list.
        read: Makes a value of an entry, or raises `Unreadable`.
        write: Makes an entry of a value.
        key_of: What names a value.
        version: Of the document.
        migrations: By version, what makes the next version's document of one. The file as it
            was is kept beside it, as `NAME.v1.bak` and so on.

    Raises:
        StateDamaged: the file is unusable, or gone while its backup is there.
        ConfigError: others can read it.
    """

    def __init__(
        self,
        path: Path,
        listed: str,
        *,
        read: Callable[[Mapping[str, Any]], T],
        write: Callable[[T], Members],
        key_of: Callable[[T], str],
        version: int = VERSION,
        migrations: Mapping[int, Callable[[Members], Members]] | None = None,
    ) -> None:
        make_private_folder(path.parent)
        self._version = version
        self._migrations = migrations or {}
        self._path = path
        self._listed = listed
        self._write = write
        self._key_of = key_of
        self._document: Members = {}
        self._members: dict[str, Members] = {}
        self._values: dict[str, T] = {}
        self._load(read)

    def values(self) -> tuple[T, ...]:
        """In the order they came."""
        return tuple(self._values.values())

    def get(self, key: str) -> T | None:
        return self._values.get(key)

    def __len__(self) -> int:
        return len(self._values)

    def put(self, value: T) -> None:
        """Add or replace a value; it is here once it is on disk.

        Raises:
            OSError: it could not be written, and nothing has changed.
        """
        self.put_all([value])

    def put_all(self, values: Iterable[T]) -> None:
        """Add or replace values, all of them or none.

        Raises:
            OSError: they could not be written, and nothing has changed.
        """
        fresh = {self._key_of(value): value for value in values}
        self.replace((self._values | fresh).values())

    def replace(self, values: Iterable[T]) -> None:
        """Have these values, and no others.

        Raises:
            OSError: they could not be written, and nothing has changed.
        """
        fresh = {self._key_of(value): value for value in values}
        members = {
            key: _merged(self._members.get(key, {}), self._write(value))
            for key, value in fresh.items()
        }
        self._save(members)
        self._members, self._values = members, fresh

    def remove(self, key: str) -> bool:
        """Forget a value, at once. Says whether it was there.

        Raises:
            OSError: the disk refused. It is forgotten until the next start.
        """
        if key not in self._values:
            return False
        del self._values[key], self._members[key]
        self._save(self._members)
        return True

    def _save(self, members: Mapping[str, Members]) -> None:
        entries = list(members.values())
        document = {**self._document, "version": self._version, self._listed: entries}
        data = json.dumps(document, indent=1).encode()
        if len(data) > _MAX_FILE_BYTES:  # it could not be read again
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(self._path))
        write_with_backup(self._path, data)

    def _load(self, read: Callable[[Mapping[str, Any]], T]) -> None:
        try:
            text = read_private(self._path, _MAX_FILE_BYTES)
        except FileNotFoundError:
            if backup_of(self._path).exists():
                raise damaged(self._path, "it is missing") from None
            return
        try:
            document, written_by = self._migrated(_parse(text))
            self._document, entries = _without_list(document, self._listed)
            for entry in entries:
                value = read(entry)
                self._members[self._key_of(value)] = entry
                self._values[self._key_of(value)] = value
        except Unreadable as error:
            raise damaged(self._path, str(error)) from error
        if written_by != self._version:
            write_atomically(self._path.with_name(f"{self._path.name}.v{written_by}.bak"), text)
            self._save(self._members)

    def _migrated(self, document: Members) -> tuple[Members, int]:
        """Return the document as this version has it, and the version that it was written by."""
        version = document.get("version")
        if type(version) is not int:
            raise Unreadable("it has no version")
        written_by = version
        while version in self._migrations and version < self._version:
            document = self._migrations[version](document)
            version += 1
        if version != self._version:
            raise Unreadable(f"its version is not {self._version}")
        return document, written_by


def string(members: Mapping[str, Any], name: str) -> str:
    """Raises Unreadable: it is missing or something else."""
    value = members.get(name)
    if not isinstance(value, str):
        raise Unreadable(f"an entry has no {name}")
    return value


def integer(members: Mapping[str, Any], name: str) -> int:
    """Raises Unreadable: it is missing or something else."""
    value = members.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(f"an entry has no {name}")
    return value


def _parse(text: bytes) -> Members:
    try:
        document = json.loads(text, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is not JSON ({type(error).__name__})") from error
    if not isinstance(document, dict):
        raise Unreadable("it is not a JSON object")
    return document


def _without_list(document: Members, listed: str) -> tuple[Members, list[Members]]:
    """Return the document without its list, and the entries as they were written."""
    entries = document.pop(listed, None)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Unreadable(f"it has no list of {listed}")
    return document, entries


def _merged(kept: Members, fresh: Members) -> Members:
    """Keep what we do not know, on every level."""
    both = {
        name: _merged(kept[name], value)
        for name, value in fresh.items()
        if isinstance(value, dict) and isinstance(kept.get(name), dict)
    }
    return {**kept, **fresh, **both}


def _without_duplicates(pairs: list[tuple[str, Any]]) -> Members:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is there twice")
    return members
