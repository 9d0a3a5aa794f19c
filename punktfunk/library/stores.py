"""What is known of each store: its last good list, how it is doing, when it is asked again."""

import logging
import math
import time
from enum import StrEnum
from typing import Self

import attrs

from punktfunk.library.fingerprint import fingerprint
from punktfunk.library.listing import Listing
from punktfunk.model.games import GameEntry
from punktfunk.registry.asking import Failure

RETRY_S = 300.0

log = logging.getLogger(__name__)


class StoreState(StrEnum):
    """How a store is doing."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class StoreStatus:
    """Attributes:
    name: Of the plugin, and the first part of its games' ids.
    reason: Why it failed; empty otherwise. Its last good list stays.
    count: Its games in the library.
    problems: What it left out or warned of, one line each.
    """

    name: str
    state: StoreState
    reason: str = ""
    count: int = 0
    problems: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Store:
    """Attributes:
    listed: Whether it has ever listed its games.
    fingerprint: Of its paths, when its list was made.
    again_at_s: When it is asked again although nothing changed, in monotonic time.
    """

    status: StoreStatus
    listed: bool = False
    games: tuple[GameEntry, ...] = ()
    paths: tuple[str, ...] = ()
    fingerprint: str = ""
    again_at_s: float = math.inf

    @classmethod
    def waiting(cls, name: str) -> Self:
        """One that was never asked."""
        return cls(status=StoreStatus(name=name, state=StoreState.WAITING))


def after(before: Store, found: Listing | Failure) -> Store:
    """What we know of a store after it was asked."""
    name = before.status.name
    known = before.status.problems
    if isinstance(found, Failure):
        reason, paths, problems = found.reason, before.paths, known
    else:
        reason, paths, problems = found.failure, found.paths or before.paths, found.problems
    for problem in problems:
        if problem not in known:
            log.warning("the store %s: %s", name, problem)
    if isinstance(found, Failure) or reason:
        if reason != before.status.reason:
            log.warning("the store %s keeps its last list: %s", name, reason)
        # Asked again when its files change, and now and then: not at once, and not never.
        return attrs.evolve(
            before,
            status=attrs.evolve(
                before.status, state=StoreState.FAILED, reason=reason, problems=problems
            ),
            paths=paths,
            fingerprint=fingerprint(paths),
            again_at_s=time.monotonic() + RETRY_S,
        )
    status = StoreStatus(
        name=name, state=StoreState.READY, count=len(found.games), problems=problems
    )
    return Store(
        status=status,
        listed=True,
        games=found.games,
        paths=found.paths,
        fingerprint=found.fingerprint,
    )
