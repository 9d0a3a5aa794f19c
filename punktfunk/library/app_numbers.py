"""Moonlight's numbers of apps: `apps.json` in the configuration folder.

Clients remember numbers and not ids, so a number once given is never given to another app.
"""

import logging
from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import attrs

from punktfunk.model.apps import moonlight_number
from punktfunk.trust.records import Members, Records, Unreadable, integer, string

APPS_FILE = "apps.json"
MAX_APPS = 20_000

log = logging.getLogger(__name__)


@attrs.frozen
class _Given:
    library_id: str
    number: int


class AppNumbers:
    """Every number that was ever given. Used from one thread.

    Raises:
        StateDamaged: `apps.json` is unusable, or gone while its backup is there.
        ConfigError: others can read or change it.
    """

    def __init__(self, folder: Path) -> None:
        self._records = Records(
            folder / APPS_FILE,
            "apps",
            read=_from_json,
            write=_to_json,
            key_of=lambda given: given.library_id,
        )
        self._numbers = {given.library_id: given.number for given in self._records.values()}
        self._taken = set(self._numbers.values())
        if len(self._taken) != len(self._numbers):
            log.warning("%s gives a number twice; one of the two apps cannot be found", APPS_FILE)

    def of(self, library_ids: Iterable[str]) -> Mapping[str, int]:
        """The number of each app; those that are seen for the first time get theirs now.

        Numbers that cannot be written down hold until the next start.
        """
        wanted = tuple(library_ids)
        fresh = [
            _Given(library_id, self._give(library_id))
            for library_id in wanted
            if library_id not in self._numbers
        ]
        if fresh:
            self._keep(fresh)
        return {library_id: self._numbers[library_id] for library_id in wanted}

    def _give(self, library_id: str) -> int:
        number = next(
            number
            for attempt in count()
            if (number := moonlight_number(library_id, attempt)) not in self._taken
        )
        self._numbers[library_id] = number
        self._taken.add(number)
        return number

    def _keep(self, fresh: list[_Given]) -> None:
        room = max(0, MAX_APPS - len(self._records))
        if room < len(fresh):
            log.warning("%s is full: new apps may get another number one day", APPS_FILE)
        try:
            self._records.put_all(fresh[:room])
        except OSError as error:
            log.warning("cannot write %s: %s", APPS_FILE, error)


def _from_json(members: Mapping[str, Any]) -> _Given:
    number = integer(members, "number")
    if not 0 < number < 2**31:
        raise Unreadable("an app has a number that is out of bounds")
    return _Given(string(members, "id"), number)


def _to_json(given: _Given) -> Members:
    return {"id": given.library_id, "number": given.number}
