"""Changing `config.toml` for a person: their words, comments and order stay as they are."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from punktfunk.config.catalogue import ENTRIES
from punktfunk.config.comments import edited
from punktfunk.config.document import read_bytes
from punktfunk.config.loading import LoadedConfig, Source
from punktfunk.config.rules import shown
from punktfunk.config.settings import Settings
from punktfunk.errors import ConfigError

LIVE_SECTIONS = frozenset(
    {"desktop", "drivers", "hook", "override", "prep", "stream", "test_pattern", "webhook"}
)
"""What a running host takes over at once; everything else needs a new start."""
_LIVE_KEYS = frozenset({"host.log_level"})


@attrs.frozen(kw_only=True)
class ConfigChange:
    """What became of a change.

    Attributes:
        changed: Keys whose values are different now, `hook` and the like as a whole.
        restart_required: Those of them that the running host does not take over.
        overridden: Keys in the file that do not count, because the environment or a flag
            says otherwise; only those that were touched, where some were.
    """

    changed: tuple[str, ...] = ()
    restart_required: tuple[str, ...] = ()
    overridden: tuple[str, ...] = ()


def edit_config(
    loaded: LoadedConfig,
    changes: Mapping[str, object],
    unset: Iterable[str],
    *,
    check: Callable[[Settings], None],
    write: Callable[[Path, bytes], None],
) -> LoadedConfig:
    """Write changes into the file, unless what comes out is not valid as a whole.

    Args:
        changes: By `section.name`; `hook` and the like take a list of tables.
        unset: Keys to take out of the file; those that are not there are fine.
        check: A last look before anything is written; it may raise ConfigError.
        write: Replaces a file as a whole, or leaves it as it is.

    Raises:
        ConfigError: a key or a value is not one; nothing was written.
        OSError: it could not be written.
    """

    def edit(document: tomlkit.TOMLDocument) -> None:
        for key in unset:
            _take_out(document, key)
        for key, value in changes.items():
            _put_in(document, key, value)

    return rewrite(loaded, edit, check=check, write=write)


def rewrite(
    loaded: LoadedConfig,
    edit: Callable[[tomlkit.TOMLDocument], None],
    *,
    check: Callable[[Settings], None],
    write: Callable[[Path, bytes], None],
) -> LoadedConfig:
    """Like `edit_config`, with any edit of the document."""
    data, _ = read_bytes(loaded.file)
    try:
        text = edited(data.decode(), edit)
    except (UnicodeDecodeError, TOMLKitError, TypeError, ValueError) as error:
        raise ConfigError(f"{loaded.file} cannot be changed: {error}") from None
    try:
        checked = loaded.again(text=text)
    except ConfigError as error:
        raise _without_place(error, loaded.file) from None
    check(checked.settings)
    # A link, as those who keep their configuration elsewhere have one, stays a link.
    write(loaded.file.resolve(), text.encode())
    return checked


def difference(
    before: LoadedConfig, after: LoadedConfig, touched: Collection[str] | None = None
) -> ConfigChange:
    """Compare what counts, not what the file says.

    Args:
        touched: The keys to name as overridden when they are; None for all.
    """
    old, new = (_flat(it.settings) for it in (before, after))
    changed = tuple(sorted(key for key in old | new if old.get(key) != new.get(key)))
    return ConfigChange(
        changed=changed,
        restart_required=tuple(key for key in changed if not is_live(key)),
        overridden=tuple(
            sorted(
                key
                for key, origin in after.origins.items()
                if origin.source in (Source.ENVIRONMENT, Source.FLAG)
                and (touched is None or key in touched)
                and _in_file(after, key)
            )
        ),
    )


def _without_place(error: ConfigError, file: Path) -> ConfigError:
    """A text that was never written has no lines to look at: the key says it all."""
    if "key" not in error.fields:
        return error
    place = re.compile(rf"{re.escape(str(file))}(?: line [0-9]+)?: ")
    return ConfigError(place.sub("", str(error), count=1), **error.fields)


def is_live(key: str) -> bool:
    return key in _LIVE_KEYS or key.partition(".")[0] in LIVE_SECTIONS


def _flat(settings: Settings) -> dict[str, object]:
    flat: dict[str, object] = {}
    for field in attrs.fields(Settings):
        value = getattr(settings, field.name)
        if isinstance(value, Mapping):
            flat.update({f"{field.name}.{name}": table for name, table in value.items()})
        elif isinstance(value, tuple):
            flat[field.name] = value
        else:
            members = attrs.asdict(value, recurse=False)
            flat.update({f"{field.name}.{name}": member for name, member in members.items()})
    return flat


def _in_file(loaded: LoadedConfig, key: str) -> bool:
    data, _ = read_bytes(loaded.file)
    section, _, name = key.partition(".")
    table = tomlkit.parse(data.decode()).get(section, {})
    return isinstance(table, Mapping) and name in table


def _put_in(document: tomlkit.TOMLDocument, key: str, value: object) -> None:
    if key in ENTRIES:
        tables = _tables(key, value)
        there = document.get(key)
        if isinstance(there, AoT):
            _change_tables(there, tables)
        if not isinstance(there, AoT) or not there:
            document[key] = tables
        return
    *path, name = key.split(".")
    if not path or not all([*path, name]):
        raise ConfigError(f"{key}: a setting is named section.name", key=key)
    table: Any = document
    for part in path:
        if part not in table:
            table[part] = tomlkit.table()
        table = table[part]
    table[name] = value


def _tables(key: str, value: object) -> AoT:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ConfigError(f"{key} must be a list of tables, not {shown(value)}", key=key)
    array = tomlkit.aot()
    for entry in value:
        array.append(tomlkit.item(entry))
    return array


def _change_tables(there: AoT, wanted: AoT) -> None:
    """Leave the tables that stay as they are, with the comments above them."""
    start, end = 0, 0
    most = min(len(there), len(wanted))
    while start < most and there[start] == wanted[start]:
        start += 1
    while end < most - start and there[-1 - end] == wanted[-1 - end]:
        end += 1
    for number in range(start, len(wanted) - end):
        if number >= len(there) - end:
            there.insert(number, wanted[number])
            continue
        table = there[number]
        for name in set(table) - set(wanted[number]):
            del table[name]
        for name, value in wanted[number].items():
            if name not in table or table[name] != value:
                table[name] = value
    for _ in range(len(there) - len(wanted)):
        del there[len(wanted) - end]


def _take_out(document: tomlkit.TOMLDocument, key: str) -> None:
    *path, name = key.split(".")
    table: Any = document
    for part in path:
        table = table.get(part, {})
    if name in table:
        del table[name]
