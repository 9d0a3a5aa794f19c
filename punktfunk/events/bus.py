"""The bus: events of known types, for listeners in the host and readers that follow."""

import json
import logging
import time
from collections.abc import Callable, Collection
from types import MappingProxyType
from typing import Protocol

from punktfunk.events.feed import MAX_SUBSCRIPTIONS, Feed, Reader, Subscription
from punktfunk.model.events import EVENT_TYPES, Event, EventValue

KEPT_EVENTS = 1_000
MAX_TEXT, MAX_LIST = 300, 20

log = logging.getLogger(__name__)


class Publish(Protocol):
    """Tells the world; see `EventBus.publish`."""

    def __call__(self, event_type: str, /, **data: object) -> None: ...


class EventBus(Feed[Event]):
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
        super().__init__(kept=kept_events, max_subscriptions=max_subscriptions)
        self.listeners: list[Callable[[Event], None]] = []
        self._now_unix_ms = now_unix_ms

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
            id=self._newest + 1,
            time_unix_ms=self._now_unix_ms(),
            type=event_type,
            data=MappingProxyType({name: _value(value) for name, value in data.items()}),
        )
        self.append(event)
        for listener in self.listeners:
            try:
                listener(event)
            except Exception:
                log.exception("a listener failed", extra={"event": event.type})

    def follow(
        self,
        types: Collection[str] = EVENT_TYPES.keys(),
        after: str | None = None,
        reader: Reader | None = None,
    ) -> Subscription[Event]:
        """Follow events of these types; see `subscribe`."""
        chosen = frozenset(types)
        return self.subscribe(after, lambda event: event.type in chosen, reader)


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
