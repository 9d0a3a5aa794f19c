"""When each client was here last. Nobody is let in or kept out by it."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import attrs

from punktfunk.errors import ConfigError, StateDamaged
from punktfunk.model.clients import Fingerprint
from punktfunk.trust.files import backup_of
from punktfunk.trust.records import Records, integer, string

LAST_SEEN_FILE = "last-seen.json"
WRITE_EVERY_S = 60
FLUSH_S = 10

log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class _Seen:
    fingerprint: str
    unix_s: int


class LastSeen:
    """Known to the second; on disk to the minute, so that clients that ask and ask wear out no
    disk. A thread of its own writes, and only what is true by then: a slow disk holds up nobody.
    One that refuses is logged once. A file that cannot be used is set aside as `NAME.damaged`.

    Raises:
        ConfigError, StateDamaged: the folder cannot be used, nor the file set aside.
    """

    def __init__(self, folder: Path, *, wall_s: Callable[[], float] = time.time) -> None:
        self._wall_s = wall_s
        self._failing = False
        self._records = _records(folder / LAST_SEEN_FILE)
        self._written = {it.fingerprint: it.unix_s for it in self._records.values()}
        self._latest = dict(self._written)
        self._writer = ThreadPoolExecutor(1, "last-seen")
        self._lock = threading.Lock()
        self._to_write: Mapping[str, int] | None = None
        self._writing: Future[None] | None = None

    def of(self, fingerprint: Fingerprint) -> int | None:
        """Unix seconds; None for one that was never here."""
        return self._latest.get(fingerprint)

    def note(self, fingerprint: Fingerprint, *, write: bool = False) -> None:
        """It is here now.

        Args:
            write: Note it on disk also when that was done less than a minute ago.
        """
        now_s = int(self._wall_s())
        self._latest[fingerprint] = now_s
        written_s = self._written.get(fingerprint)
        if write or written_s is None or abs(now_s - written_s) >= WRITE_EVERY_S:
            self._written[fingerprint] = now_s
            self._write()

    def forget(self, fingerprint: Fingerprint) -> None:
        self._latest.pop(fingerprint, None)
        if self._written.pop(fingerprint, None) is not None:
            self._write()

    def flush(self) -> None:
        """Wait until all is on disk, `FLUSH_S` at most."""
        if self._writing is not None:
            wait([self._writing], FLUSH_S)

    def _write(self) -> None:
        with self._lock:
            waits = self._to_write is not None
            self._to_write = dict(self._written)
        if not waits:
            self._writing = self._writer.submit(self._write_now)

    def _write_now(self) -> None:
        with self._lock:
            now, self._to_write = self._to_write or {}, None
        try:
            self._records.replace(_Seen(fingerprint=it, unix_s=at) for it, at in now.items())
        except OSError as error:
            if not self._failing:
                log.warning("when clients were here last cannot be written: %s", error)
            self._failing = True
        else:
            self._failing = False


def _records(path: Path) -> Records[_Seen]:
    try:
        return _read(path)
    except (ConfigError, StateDamaged) as error:
        if not _set_aside(path):
            raise
        log.warning("when clients were here last is not known any more: %s", error)
        return _read(path)


def _read(path: Path) -> Records[_Seen]:
    return Records(
        path,
        "clients",
        read=lambda members: _Seen(
            fingerprint=string(members, "fingerprint"),
            unix_s=integer(members, "last_seen_unix"),
        ),
        write=lambda seen: {"fingerprint": seen.fingerprint, "last_seen_unix": seen.unix_s},
        key_of=lambda seen: seen.fingerprint,
    )


def _set_aside(path: Path) -> bool:
    """Also the backup: without its file it would be taken for a loss. Says whether that worked."""
    try:
        for it in (path, backup_of(path)):
            if it.exists() or it.is_symlink():
                it.replace(it.with_name(f"{it.name}.damaged"))
    except OSError:
        return False
    return True
