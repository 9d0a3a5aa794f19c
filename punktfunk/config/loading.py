"""File, then environment, then flags: one frozen `Settings` that knows where it came from."""

from collections.abc import Collection, Mapping
from datetime import date, time
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs

from punktfunk.config.catalogue import KNOWN, PLUGIN_TABLES, SECTIONS, did_you_mean
from punktfunk.config.document import CONFIG_FILE, Document, read_document
from punktfunk.config.environment import settings_in
from punktfunk.config.rules import shown
from punktfunk.config.settings import Settings
from punktfunk.errors import ConfigError


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
    origins: Of each setting, by `section.name`.
    warnings: One sentence each; the configuration is usable all the same.
    """

    settings: Settings
    file: Path
    origins: Mapping[str, Origin]
    warnings: tuple[str, ...] = ()


@attrs.define
class _Collected:
    """Values that passed, later ones over earlier ones."""

    values: dict[str, dict[str, object]] = attrs.field(factory=dict)
    origins: dict[str, Origin] = attrs.field(factory=lambda: dict.fromkeys(KNOWN, Origin()))

    def take(self, key: str, value: object, origin: Origin, where: str) -> None:
        value = tuple(value) if isinstance(value, list) else value
        rule = KNOWN[key].rule
        if not rule.accepts(value):
            raise ConfigError(f"{where} must be {rule.expects}, not {shown(value)}", key=key)
        section, _, name = key.partition(".")
        self.values.setdefault(section, {})[name] = value
        self.origins[key] = origin


def load_config(
    folder: Path,
    *,
    environment: Mapping[str, str],
    flags: Mapping[str, tuple[str, object]] | None = None,
    plugins: Collection[str] | None = None,
) -> LoadedConfig:
    """Read the folder's `config.toml` and put environment and flags over it.

    Args:
        environment: All of it; what does not begin with `PUNKTFUNK_` is ignored.
        flags: By setting: the flag's name and its value. A value of None was not given.
        plugins: The installed ones, to warn of tables that belong to none of them.

    Raises:
        ConfigError: one line that names the place, the key and what is expected there.
    """
    document = read_document(folder / CONFIG_FILE)
    collected = _Collected()
    plugin_tables = _take_file(document, collected)
    for key, variable, value in settings_in(environment):
        origin = Origin(Source.ENVIRONMENT, variable)
        collected.take(key, value, origin, f"environment {variable}")
    for key, (flag, value) in (flags or {}).items():
        if value is not None:
            collected.take(key, value, Origin(Source.FLAG, flag), flag)
    return LoadedConfig(
        settings=_settings(collected.values, plugin_tables),
        file=document.path,
        origins=MappingProxyType(collected.origins),
        warnings=_warnings(document, plugin_tables, plugins),
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


def _settings(
    values: Mapping[str, Mapping[str, object]], plugin: Mapping[str, Mapping[str, object]]
) -> Settings:
    defaults = Settings()
    sections: dict[str, Any] = {
        section: attrs.evolve(getattr(defaults, section), **table)
        for section, table in values.items()
    }
    return Settings(**sections, plugin=plugin)


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
