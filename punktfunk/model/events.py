"""What can happen in a host, for those who are told: plugins, hooks, readers of the API."""

import fnmatch
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import attrs

EventValue = str | int | float | bool | None | tuple[str, ...]
"""A member of an event's data: what JSON can say in one line."""

_PATTERN = re.compile(r"[a-z.*]{1,40}")


@attrs.frozen(kw_only=True)
class Event:
    """Something that has happened.

    Attributes:
        id: Rises by one with each event; starts anew with the host.
        type: Such as `session.started`.
        data: What belongs to the type. No secrets; texts are cut off where they get long.
    """

    id: int
    time_unix_ms: int
    type: str
    data: Mapping[str, EventValue]


@attrs.frozen(kw_only=True)
class EventType:
    """Attributes:
    told: When it happens; finishes the sentence "told when …".
    members: What its data has.
    """

    name: str
    told: str
    members: frozenset[str]


def _table(*rows: tuple[str, str, str]) -> Mapping[str, EventType]:
    return MappingProxyType(
        {
            name: EventType(name=name, told=told, members=frozenset(members.split()))
            for name, told, members in rows
        }
    )


EVENT_TYPES: Mapping[str, EventType] = _table(
    ("host.started", "clients can connect", "name version"),
    ("host.stopping", "the host was told to stop", ""),
    ("pairing.waiting", "a device waits for its PIN", "pairing_id name address"),
    ("pairing.failed", "a pairing came to nothing", "pairing_id name address reason"),
    (
        "pairing.held_off",
        "a device has to wait before it may try to pair again",
        "name address wait_s",
    ),
    ("client.paired", "a client was paired", "client name"),
    ("client.changed", "a client was renamed", "client name"),
    ("client.unpaired", "a client was removed", "client"),
    ("session.started", "display and app are up", "session_id app title client client_name"),
    (
        "session.ended",
        "a session and all it made are gone",
        "session_id app title client client_name reason",
    ),
    (
        "session.joined",
        "a device became a guest of another one's session",
        "session_id client client_name",
    ),
    (
        "session.left",
        "a device is out of a session that goes on",
        "session_id client client_name reason",
    ),
    (
        "session.moved",
        "a session belongs to another device now",
        "session_id client client_name",
    ),
    (
        "stream.started",
        "a client and the host agreed on a stream",
        "session_id stream_id client width height fps codec bitrate_kbps",
    ),
    ("stream.connected", "picture and sound go out", "session_id stream_id client"),
    ("stream.ended", "a stream is over; its app may go on", "session_id stream_id client reason"),
    (
        "session.display_lost",
        "a session's display died, and is being brought back",
        "session_id reason",
    ),
    ("session.display_back", "a session has a display again", "session_id after_ms"),
    ("display.changed", "a session's display has another mode", "session_id width height fps"),
    ("library.changed", "games came, went or changed", "added removed changed"),
    ("plugins.changed", "a plugin's state or offers are other ones", "plugin state reason"),
    ("config.changed", "settings were changed", "keys restart_required"),
    ("stats.started", "a recording of statistics began", ""),
    ("stats.stopped", "a recording of statistics ended", "id"),
)
"""Every type there is. Whoever publishes another one, or other members, has made a mistake."""


def types_matching(patterns: Iterable[str]) -> frozenset[str]:
    """Find the types that any of the patterns means, such as `stream.ended`, `session.*`, `*`.

    Raises:
        ValueError: a pattern means none.
    """
    found: set[str] = set()
    for pattern in patterns:
        matching = fnmatch.filter(EVENT_TYPES, pattern) if _PATTERN.fullmatch(pattern) else ()
        if not matching:
            raise ValueError(f"no event is called {pattern[:40]!r}")
        found.update(matching)
    return frozenset(found)
