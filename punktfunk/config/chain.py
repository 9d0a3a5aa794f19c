"""What one session gets: the settings, and what `[[override]]` and `[[prep]]` say of it.

The more an entry is about, the later it has its say: all sessions, then the app's, then the
client's, then those of this client with this app; among equals the later one in the file.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import attrs

from punktfunk.config.loading import LoadedConfig, Origin
from punktfunk.config.settings import (
    DesktopSettings,
    DriverSettings,
    OverrideSettings,
    PrepSettings,
    Settings,
    StreamSettings,
)
from punktfunk.model.apps import PrepCommand

E = TypeVar("E", OverrideSettings, PrepSettings)

_SELECTORS = ("app", "client")
_PLACE_OF: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        field.name: ("desktop", "mode")
        if field.name == "desktop_mode"
        else ("stream" if hasattr(StreamSettings(), field.name) else "drivers", field.name)
        for field in attrs.fields(OverrideSettings)
        if field.name not in _SELECTORS
    }
)
"""Section and name of what an override overrides."""


@attrs.frozen(kw_only=True)
class SessionSettings:
    """Attributes:
    prep: In the order in which they run.
    """

    stream: StreamSettings
    desktop: DesktopSettings
    drivers: DriverSettings
    prep: tuple[PrepCommand, ...]


@attrs.frozen(kw_only=True)
class Explained:
    """One value a session gets, and who decided it.

    Attributes:
        key: `section.name`; `prep[N]` for a command.
    """

    key: str
    value: object
    origin: Origin


def session_settings(settings: Settings, app: str, client: str) -> SessionSettings:
    """Put together what the sessions of a client with an app get.

    Args:
        app: A library id.
        client: A fingerprint, lower-case hex.
    """
    changes: dict[str, dict[str, Any]] = {"stream": {}, "desktop": {}, "drivers": {}}
    for _, name, value in _overrides(settings, app, client):
        section, key = _PLACE_OF[name]
        changes[section][key] = value
    return SessionSettings(
        stream=attrs.evolve(settings.stream, **changes["stream"]),
        desktop=attrs.evolve(settings.desktop, **changes["desktop"]),
        drivers=attrs.evolve(settings.drivers, **changes["drivers"]),
        prep=tuple(
            PrepCommand(do=entry.do, undo=entry.undo)
            for _, entry in _matching(settings.prep, app, client)
        ),
    )


def explain(loaded: LoadedConfig, app: str, client: str) -> tuple[Explained, ...]:
    """Say of each value that sessions can have of their own what it is, and where it is from."""
    settings = loaded.settings
    decided_by = {
        ".".join(_PLACE_OF[name]): f"override[{index}].{name}"
        for index, name, _ in _overrides(settings, app, client)
    }
    effective = session_settings(settings, app, client)
    found = []
    for section, name in _PLACE_OF.values():
        key = f"{section}.{name}"
        value = getattr(getattr(effective, section), name)
        origin = loaded.origins[decided_by.get(key, key)]
        found.append(Explained(key=key, value=value, origin=origin))
    for index, entry in _matching(settings.prep, app, client):
        origin = loaded.origins[f"prep[{index}].{'do' if entry.do else 'undo'}"]
        value = {"do": entry.do, "undo": entry.undo}
        found.append(Explained(key=f"prep[{index}]", value=value, origin=origin))
    return tuple(found)


def _overrides(settings: Settings, app: str, client: str) -> Iterator[tuple[int, str, Any]]:
    """Yield number of the entry, name and value, the one with the last word last."""
    for index, entry in _matching(settings.override, app, client):
        for name in _PLACE_OF:
            value = getattr(entry, name)
            if value is not None:
                yield index, name, value


def _matching(entries: Sequence[E], app: str, client: str) -> list[tuple[int, E]]:
    found = [
        (index, entry)
        for index, entry in enumerate(entries)
        if entry.app in ("", app) and _is_for(entry.client, client)
    ]
    return sorted(found, key=lambda it: (bool(it[1].client), bool(it[1].app)))


def _is_for(start: str, client: str) -> bool:
    """Who asks for an explanation may name the client more shortly than the entry does."""
    return client.startswith(start) or (bool(client) and start.startswith(client))
