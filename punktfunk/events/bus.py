"""The bus: events with numbers, the last thousand of them kept, and readers that follow."""

import asyncio
import itertools
import json
import logging
import re
import secrets
import time
import weakref
from collections import deque
from collections.abc import Callable, Collection
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

import attrs

from punktfunk.errors import Refused
from punktfunk.model.events import EVENT_TYPES, Event, EventValue

KEPT_EVENTS = 1_000
MAX_SUBSCRIPTIONS = 32
MAX_TEXT, MAX_LIST = 300, 20

_TOKEN = re.compile(r"(?P<boot>[0-9a-f]{8})-(?P<id>[0-9]{1,15})")

log = logging.getLogger(__name__)


class Publish(Protocol):
    """Tells the world; see `EventBus.publish`."""

    def __call__(self, event_type: str, /, **data: object) -> None: ...


class GapReason(StrEnum):
    RESTARTED = "restarted"
    TOO_OLD = "too_old"
    UNKNOWN = "unknown"


@attrs.frozen
class Gap:
    """The reader asked to go on where the host cannot: something may be missing.

    Attributes:
        position: What follows begins after the event of this number.
    """

    reason: GapReason
    position: int


class EventBus:
    """Lives on the host's event loop; other threads have to `call_soon_threadsafe`.

    Attributes:
        listeners: Called with each event, at once. They must return at once.
    """

    def __init__(
        self,
        *,
        kept_events: int = KEPT_EVENTS,
        max_subscriptions: int = MAX_SUBSCRIPTIONS,
        now_unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.listeners: list[Callable[[Event], None]] = []
        self._boot = secrets.token_hex(4)
        self._kept: deque[Event] = deque(maxlen=kept_events)
        self._ids = itertools.count(1)
        self._max_subscriptions = max_subscriptions
        self._now_unix_ms = now_unix_ms
        # Weak: a reader that vanishes without a word gives its place back.
        self._subscriptions: weakref.WeakSet[Subscription] = weakref.WeakSet()
        self._news = asyncio.Event()
        self._closed = False

    def publish(self, event_type: str, /, **data: object) -> None:
        """Tell everybody. Texts and lists that are too long are cut off.

        Raises:
            ValueError: there is no such type, or it has other members.
            TypeError: a member is nothing that an event can carry.
        """
        known = EVENT_TYPES.get(event_type)
        if known is None or data.keys() != known.members:
            wanted = ", ".join(sorted(known.members)) if known else "nothing, for it is unknown"
            raise ValueError(f"event {event_type} has {wanted}; not {', '.join(sorted(data))}")
        event = Event(
            id=next(self._ids),
            time_unix_ms=self._now_unix_ms(),
            type=event_type,
            data=MappingProxyType({name: _value(value) for name, value in data.items()}),
        )
        self._kept.append(event)
        for listener in self.listeners:
            try:
                listener(event)
            except Exception:
                log.exception("a listener failed", extra={"event": event.type})
        for subscription in list(self._subscriptions):
            if subscription.position < self._oldest - 1:
                log.info("a reader of events was too slow and has to come again")
                subscription.close()
        self._wake()

    def subscribe(
        self, types: Collection[str] = EVENT_TYPES.keys(), after: str | None = None
    ) -> "Subscription":
        """Follow what happens from now on.

        Args:
            after: The token of the last event the reader has seen: it gets what came since
                as well, and first a `Gap` when that is not certain to be all.

        Raises:
            Refused: (503) there are too many readers, or the host stops.
        """
        if self._closed:
            raise Refused("this host is stopping", status=503)
        if len(self._subscriptions) >= self._max_subscriptions:
            raise Refused(
                f"{self._max_subscriptions} readers follow already, and more may not", status=503
            )
        position, gap = self._resume(after)
        subscription = Subscription(self, frozenset(types), position, gap)
        self._subscriptions.add(subscription)
        return subscription

    def token(self, position: int) -> str:
        """What a reader shows to go on after an event; of no use after a restart."""
        return f"{self._boot}-{position}"

    def end_subscriptions(self) -> None:
        """The host stops: readers get what they have not seen yet, and then the end."""
        self._closed = True
        self._wake()

    def _resume(self, after: str | None) -> tuple[int, Gap | None]:
        oldest, newest = self._oldest, self._newest
        if after is None:
            return newest, None
        match = _TOKEN.fullmatch(after)
        if match is None or (match["boot"] == self._boot and int(match["id"]) > newest):
            return newest, Gap(GapReason.UNKNOWN, newest)
        if match["boot"] != self._boot:
            return oldest - 1, Gap(GapReason.RESTARTED, oldest - 1)
        position = int(match["id"])
        if position < oldest - 1:
            return oldest - 1, Gap(GapReason.TOO_OLD, oldest - 1)
        return position, None

    @property
    def _oldest(self) -> int:
        return self._kept[0].id if self._kept else 1

    @property
    def _newest(self) -> int:
        return self._kept[-1].id if self._kept else 0

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _after(self, position: int) -> Event | None:
        index = position + 1 - self._oldest
        return self._kept[index] if 0 <= index < len(self._kept) else None

    def _forget(self, subscription: "Subscription") -> None:
        self._subscriptions.discard(subscription)


class Subscription:
    """One reader's place. It holds no events of its own, so a slow one costs nothing: when
    the bus has to forget an event the reader has not seen, the subscription is over.

    Attributes:
        position: Number of the last event that was looked at.
    """

    def __init__(
        self, bus: EventBus, types: frozenset[str], position: int, gap: Gap | None
    ) -> None:
        self.position = position
        self._bus = bus
        self._types = types
        self._gap = gap
        self._closed = False

    @property
    def token(self) -> str:
        return self._bus.token(self.position)

    async def next(self) -> Event | Gap | None:
        """Wait for what comes next; None: it is over."""
        if self._gap is not None:
            gap, self._gap = self._gap, None
            return gap
        while not self._closed:
            news = self._bus._news
            while (event := self._bus._after(self.position)) is not None:
                self.position = event.id
                if event.type in self._types:
                    return event
            if self._bus._closed:
                self.close()
            else:
                await news.wait()
        return None

    def close(self) -> None:
        """Give the place back. Closing twice is fine."""
        self._closed = True
        self._bus._forget(self)


def event_json(event: Event) -> str:
    """One line of ASCII: no name in it can forge a line or speak to a terminal."""
    return json.dumps(
        {
            "id": event.id,
            "time_unix_ms": event.time_unix_ms,
            "type": event.type,
            "data": dict(event.data),
        },
        separators=(",", ":"),
    )


def _value(value: object) -> EventValue:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return str(value) if len(value) <= MAX_TEXT else value[:MAX_TEXT] + "…"
        case tuple() | list():
            return tuple(str(_value(str(member))) for member in value[:MAX_LIST])
    raise TypeError(f"an event cannot carry a {type(value).__name__}")
