"""When each client was here last. Nobody is let in or kept out by it."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import attrs

from punktfunk.model.clients import Fingerprint
from punktfunk.trust.records import Records, integer, string

LAST_SEEN_FILE = "last-seen.json"
WRITE_EVERY_S = 60

log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class _Seen:
    fingerprint: str
    unix_s: int


class LastSeen:
    """Known to the second; on disk to the minute, so that clients that ask and ask wear out no
    disk. One that refuses is logged once, and stops nobody.

    Raises:
        StateDamaged: `last-seen.json` is unusable, or gone while its backup is there.
        ConfigError: others can read it.
    """

    def __init__(self, folder: Path, *, wall_s: Callable[[], float] = time.time) -> None:
        self._wall_s = wall_s
        self._failing = False
        self._records = Records(
            folder / LAST_SEEN_FILE,
            "clients",
            read=lambda members: _Seen(
                fingerprint=string(members, "fingerprint"),
                unix_s=integer(members, "last_seen_unix"),
            ),
            write=lambda seen: {
                "fingerprint": seen.fingerprint,
                "last_seen_unix": seen.unix_s,
            },
            key_of=lambda seen: seen.fingerprint,
        )
        self._latest = {it.fingerprint: it.unix_s for it in self._records.values()}

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
        written = self._records.get(fingerprint)
        if write or written is None or abs(now_s - written.unix_s) >= WRITE_EVERY_S:
            self._try(lambda: self._records.put(_Seen(fingerprint=fingerprint, unix_s=now_s)))

    def forget(self, fingerprint: Fingerprint) -> None:
        self._latest.pop(fingerprint, None)
        self._try(lambda: self._records.remove(fingerprint))

    def _try(self, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            if not self._failing:
                log.warning("when clients were here last cannot be written: %s", error)
            self._failing = True
        else:
            self._failing = False
