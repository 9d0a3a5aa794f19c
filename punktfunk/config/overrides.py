"""What one app's or one client's sessions have of their own, changed as `[[override]]` entries."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import tomlkit
from tomlkit.items import AoT

from punktfunk.config.catalogue import KNOWN_IN_ENTRIES, did_you_mean
from punktfunk.config.rules import shown
from punktfunk.config.settings import OverrideSettings, Settings
from punktfunk.errors import ConfigError

ARRAY = "override"
SELECTORS = ("app", "client")
NAMES = tuple(it.name for it in attrs.fields(OverrideSettings) if it.name not in SELECTORS)
"""What an override can set."""


def own_values(settings: Settings, app: str = "", client: str = "") -> Mapping[str, object]:
    """What is set for just these sessions, by name.

    Args:
        app: A library id; empty for entries about every app.
        client: A fingerprint; empty for entries about every client.
    """
    return {
        name: value
        for entry in settings.override
        if _is_about(entry.app, entry.client, app, client)
        for name in NAMES
        if (value := getattr(entry, name)) is not None
    }


def put_override(
    document: tomlkit.TOMLDocument, app: str, client: str, values: Mapping[str, object]
) -> None:
    """Have just these sessions get these values, and no others, of their own.

    Entries that are there are changed where they stand; one that this leaves empty goes.

    Raises:
        ConfigError: a name or a value is not one, or there is nothing that it would be about.
    """
    if not app and not client:
        raise ConfigError("an override is about an app, a client or both", key=ARRAY)
    _check(values)
    entries = document.get(ARRAY)
    if not isinstance(entries, AoT):
        if entries:
            raise ConfigError(f"{ARRAY} must be written [[{ARRAY}]]", key=ARRAY)
        entries = document[ARRAY] = tomlkit.aot()
    mine = [it for it in entries if _is_about(it.get("app", ""), it.get("client", ""), app, client)]
    if mine:
        had = [it for it in mine if _has_values(it)]
        _change(mine, values)
        for number in reversed(range(len(entries))):
            if any(it is entries[number] for it in had) and not _has_values(entries[number]):
                del entries[number]
    elif values:
        selectors = {"app": app, "client": client}
        entry = {**{name: it for name, it in selectors.items() if it}, **values}
        entries.append(tomlkit.item(entry))
    if not entries:
        del document[ARRAY]


def _change(mine: Sequence[Any], values: Mapping[str, object]) -> None:
    """The last entry has the last word: what is new goes there."""
    for entry in mine:
        for name in set(entry) & set(NAMES):
            if name not in values:
                del entry[name]
            elif entry[name] != values[name]:
                entry[name] = values[name]
    for name, value in values.items():
        if not any(name in entry for entry in mine):
            mine[-1][name] = value


def _has_values(entry: Mapping[str, object]) -> bool:
    return bool(set(entry) - set(SELECTORS))


def _is_about(entry_app: str, entry_client: str, app: str, client: str) -> bool:
    """A file may name a client by how its fingerprint begins."""
    same_client = client.startswith(entry_client) if entry_client else not client
    return entry_app == app and same_client


def _check(values: Mapping[str, object]) -> None:
    for name, value in values.items():
        known = KNOWN_IN_ENTRIES.get(f"{ARRAY}.{name}")
        if known is None or name in SELECTORS:
            raise ConfigError(f"{name}: no such setting{did_you_mean(name)}", key=name)
        value = tuple(value) if isinstance(value, list) else value
        if not known.rule.accepts(value):
            raise ConfigError(f"{name} must be {known.rule.expects}, not {shown(value)}", key=name)
