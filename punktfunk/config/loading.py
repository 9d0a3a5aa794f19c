"""File, then environment, then flags: one frozen `Settings` that knows where it came from."""

from collections.abc import Callable, Collection, Mapping
from datetime import date, time
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import attrs

from punktfunk.config.catalogue import (
    ENTRIES,
    KNOWN,
    KNOWN_IN_ENTRIES,
    PLUGIN_TABLES,
    SECTIONS,
    Known,
    did_you_mean,
)
from punktfunk.config.document import CONFIG_FILE, Document, parse_document, read_document
from punktfunk.config.environment import settings_in
from punktfunk.config.rules import shown
from punktfunk.config.settings import Settings
from punktfunk.errors import ConfigError

MAX_ENTRIES = 32
"""In one array of tables."""


class Source(StrEnum):
    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    FLAG = "flag"


@attrs.frozen
class Origin:
    """Where a value came from.

    Attributes:
        place: Such as `config.toml line 4`, a variable's or a flag's name.
    """

    source: Source = Source.DEFAULT
    place: str = ""

    def __str__(self) -> str:
        if self.source is Source.FILE:
            return self.place
        return f"{self.source} {self.place}".rstrip()


@attrs.frozen(kw_only=True)
class LoadedConfig:
    """Attributes:
    origins: Of each setting, by `section.name`; of those in arrays of tables that are in
        the file, by `section[0].name`.
    warnings: One sentence each; the configuration is usable all the same.
    place: Names file and line of a key, for a message.
    again: Loads it anew, with the same environment and flags; see `load_config`.
    """

    settings: Settings
    file: Path
    origins: Mapping[str, Origin]
    warnings: tuple[str, ...] = ()
    place: Callable[[str], str] = attrs.field(repr=False, eq=False)
    again: "Again" = attrs.field(repr=False, eq=False)


class Again(Protocol):
    """`load_config`, and all it was told but the text."""

    def __call__(self, *, text: str | None = None) -> LoadedConfig: ...


@attrs.define
class _Collected:
    """Values that passed, later ones over earlier ones."""

    values: dict[str, dict[str, object]] = attrs.field(factory=dict)
    entries: dict[str, list[dict[str, object]]] = attrs.field(factory=dict)
    origins: dict[str, Origin] = attrs.field(factory=lambda: dict.fromkeys(KNOWN, Origin()))

    def take(self, key: str, value: object, origin: Origin, where: str) -> None:
        section, _, name = key.partition(".")
        self.values.setdefault(section, {})[name] = _accepted(KNOWN[key], value, key, where)
        self.origins[key] = origin


def _accepted(known: Known, value: object, key: str, where: str) -> object:
    value = tuple(value) if isinstance(value, list) else value
    if not known.rule.accepts(value):
        told = shown(known.shown(value)) if isinstance(value, known.rule.type) else shown(value)
        raise ConfigError(f"{where} must be {known.rule.expects}, not {told}", key=key)
    return value


def load_config(
    folder: Path,
    *,
    environment: Mapping[str, str],
    flags: Mapping[str, tuple[str, object]] | None = None,
    plugins: Collection[str] | None = None,
    text: str | None = None,
) -> LoadedConfig:
    """Read the folder's `config.toml` and put environment and flags over it.

    Args:
        environment: All of it; what does not begin with `PUNKTFUNK_` is ignored.
        flags: By setting: the flag's name and its value. A value of None was not given.
        plugins: The installed ones, to warn of tables that belong to none of them.
        text: Instead of what is in the file.

    Raises:
        ConfigError: one line that names the place, the key and what is expected there.
    """
    path = folder / CONFIG_FILE
    document = read_document(path) if text is None else parse_document(path, text.encode())
    collected = _Collected()
    plugin_tables = _take_file(document, collected)
    for key, variable, value in settings_in(environment):
        origin = Origin(Source.ENVIRONMENT, variable)
        collected.take(key, value, origin, f"environment {variable}")
    for key, (flag, value) in (flags or {}).items():
        if value is not None:
            collected.take(key, value, Origin(Source.FLAG, flag), flag)
    return LoadedConfig(
        settings=_settings(collected, plugin_tables),
        file=document.path,
        origins=MappingProxyType(collected.origins),
        warnings=_warnings(document, plugin_tables, plugins),
        place=document.place,
        again=partial(load_config, folder, environment=environment, flags=flags, plugins=plugins),
    )


def _take_file(document: Document, collected: _Collected) -> Mapping[str, Mapping[str, object]]:
    """Take what the file says; return the plugins' tables as they stand."""
    plugin_tables: Mapping[str, Mapping[str, object]] = {}
    for section, table in document.tables.items():
        if section == "version":
            continue
        if section == PLUGIN_TABLES:
            plugin_tables = _plugin_tables(document, table)
        elif section in SECTIONS:
            _take_section(document, section, table, collected)
        elif section in ENTRIES:
            _take_entries(document, section, table, collected)
        else:
            raise _unknown(document, section)
    return plugin_tables


def _take_section(document: Document, section: str, table: object, collected: _Collected) -> None:
    if not isinstance(table, dict):
        raise _not_a_table(document, section, table)
    for name, value in table.items():
        key = f"{section}.{name}"
        if key not in KNOWN:
            raise _unknown(document, key)
        origin = Origin(Source.FILE, document.short_place(key))
        collected.take(key, value, origin, f"{document.place(key)}: {key}")


def _take_entries(document: Document, section: str, tables: object, collected: _Collected) -> None:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        place = document.place(section)
        raise ConfigError(f"{place}: {section} must be written [[{section}]]", key=section)
    if len(tables) > MAX_ENTRIES:
        place = document.place(f"{section}[{MAX_ENTRIES}]")
        raise ConfigError(f"{place}: more than {MAX_ENTRIES} of [[{section}]]", key=section)
    for index, table in enumerate(tables):
        entry = f"{section}[{index}]"
        collected.entries.setdefault(section, []).append(
            {name: _entry_value(document, entry, name, value) for name, value in table.items()}
        )
        for known in _known_of(section):
            name = known.key.partition(".")[2]
            key = f"{entry}.{name}"
            if name in table:
                collected.origins[key] = Origin(Source.FILE, document.short_place(key))
            elif known.required:
                raise ConfigError(f"{document.place(key)}: {key} is missing", key=key)
            else:
                collected.origins[key] = Origin()


def _entry_value(document: Document, entry: str, name: str, value: object) -> object:
    key = f"{entry}.{name}"
    known = KNOWN_IN_ENTRIES.get(f"{entry.partition('[')[0]}.{name}")
    if known is None:
        raise _unknown(document, key)
    return _accepted(known, value, key, f"{document.place(key)}: {key}")


def _known_of(section: str) -> list[Known]:
    return [known for known in KNOWN_IN_ENTRIES.values() if known.key.startswith(f"{section}.")]


def _plugin_tables(document: Document, tables: object) -> Mapping[str, Mapping[str, object]]:
    if not isinstance(tables, dict):
        raise _not_a_table(document, PLUGIN_TABLES, tables)
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise _not_a_table(document, f"{PLUGIN_TABLES}.{name}", table)
        for setting, value in table.items():
            if _holds_time(value):
                key = f"{PLUGIN_TABLES}.{name}.{setting}"
                place = document.place(key)
                raise ConfigError(f"{place}: {key} must be no date or time: use a string", key=key)
    return tables


def _holds_time(value: object) -> bool:
    """No setting of a plugin may be one, and JSON could not carry it to the plugin."""
    if isinstance(value, dict):
        return any(_holds_time(member) for member in value.values())
    if isinstance(value, list):
        return any(_holds_time(member) for member in value)
    return isinstance(value, date | time)


def _settings(collected: _Collected, plugin: Mapping[str, Mapping[str, object]]) -> Settings:
    defaults = Settings()
    sections: dict[str, Any] = {
        section: attrs.evolve(getattr(defaults, section), **table)
        for section, table in collected.values.items()
    }
    entries: dict[str, Any] = {
        section: [ENTRIES[section](**table) for table in tables]
        for section, tables in collected.entries.items()
    }
    return Settings(**sections, **entries, plugin=plugin)


def _warnings(
    document: Document,
    plugin_tables: Collection[str],
    plugins: Collection[str] | None,
) -> tuple[str, ...]:
    found = []
    if document.open_to_others:
        found.append(
            f"{document.path} can be changed by other users, and it says which programs are "
            f"started: run chmod go-w {document.path}"
        )
    for name in sorted(plugin_tables):
        if plugins is not None and name not in plugins:
            place = document.place(f"{PLUGIN_TABLES}.{name}")
            found.append(f"{place}: [plugin.{name}]: no such plugin is installed; kept, not used")
    return tuple(found)


def _unknown(document: Document, key: str) -> ConfigError:
    place = document.place(key)
    return ConfigError(f"{place}: {key}: no such setting{did_you_mean(key)}", key=key)


def _not_a_table(document: Document, key: str, value: object) -> ConfigError:
    place = document.place(key)
    return ConfigError(f"{place}: {key} must be a table, not {shown(value)}", key=key)
