"""Whether anything changed at the paths that a store named, told without an event."""

import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice

MAX_ENTRIES = 20_000


def fingerprint(paths: Iterable[str]) -> str:
    """A short text that is another one when a path, or an entry of a folder, has changed.

    Sizes and times are looked at, contents are not.
    """
    digest = sha256()
    for entry in islice(_entries(paths), MAX_ENTRIES):
        digest.update(entry.encode(errors="surrogateescape") + b"\n")
    return digest.hexdigest()


def _entries(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        yield f"{path!r} {_state(path)}"
        try:
            with os.scandir(path) as entries:
                found = sorted(entry.name for entry in islice(entries, MAX_ENTRIES))
        except OSError:  # no folder, or not for us
            continue
        for name in found:
            yield f"{name!r} {_state(os.path.join(path, name))}"  # noqa: PTH118 - many of them


def _state(path: str) -> tuple[int, ...]:
    try:
        status = os.stat(path)  # noqa: PTH116 - many of them
    except OSError:
        return ()
    return (status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode)
