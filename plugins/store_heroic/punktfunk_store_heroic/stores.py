"""What Heroic's files say: installed games, what it knows about them, which are hidden."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

import attrs

from punktfunk_store_heroic.reading import Unreadable, read_json, table, tables, text
from punktfunk_store_heroic.roots import Root

_SETTINGS_FILE = "store/config.json"
_SIDELOADED_FILE = "sideload_apps/library.json"


@attrs.frozen
class Installed:
    """A game, in Heroic's terms.

    Attributes:
        runner: `legendary` (Epic), `gog`, `nile` (Amazon) or `sideload`.
        about: What Heroic's cache of the store's catalogue knows, such as pictures.
    """

    runner: str
    app_name: str
    title: str
    about: Mapping[str, object]


@attrs.frozen
class _Store:
    runner: str
    installed_file: str
    library_files: tuple[str, ...]
    """Newest name first."""


_STORES = (
    _Store(
        "legendary",
        "legendaryConfig/legendary/installed.json",
        ("store_cache/legendary_library.json", "lib-cache/library.json"),
    ),
    _Store(
        "gog",
        "gog_store/installed.json",
        ("store_cache/gog_library.json", "gog_store/library.json"),
    ),
    _Store("nile", "nile_config/nile/installed.json", ("store_cache/nile_library.json",)),
)

WATCHED = (
    *(store.installed_file for store in _STORES),
    *(file for store in _STORES for file in store.library_files),
    _SIDELOADED_FILE,
    _SETTINGS_FILE,
)


def installed_games(root: Root, left_out: list[str]) -> Iterator[Installed]:
    """List what can be played: no add-ons, nothing hidden, nothing that is only owned.

    Args:
        left_out: Gets a sentence for each file that could not be read.
    """
    hidden = _hidden(_read(root, [_SETTINGS_FILE], left_out))
    for game in _all_installed(root, left_out):
        if game.app_name not in hidden:
            yield game


def _all_installed(root: Root, left_out: list[str]) -> Iterator[Installed]:
    for store in _STORES:
        installed = list(_entries(_read(root, [store.installed_file], left_out)))
        if not installed:
            continue
        library = _by_name(_read(root, store.library_files, left_out))
        for app_name, entry in installed:
            about = library.get(app_name, {})
            if not _is_addition(entry) and not _is_addition(table(about.get("install"))):
                yield Installed(store.runner, app_name, _title(entry, about), about)
    for about in _library(_read(root, [_SIDELOADED_FILE], left_out)):
        if about.get("is_installed", True) is True:
            yield Installed("sideload", text(about, "app_name"), text(about, "title"), about)


def _entries(value: object) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Read an `installed.json`.

    Legendary writes an object by app name, Heroic `{"installed": [...]}` for GOG, nile a list.
    """
    if isinstance(value, dict):
        value = value.get("installed") or [
            {**entry, "app_name": name} for name, entry in value.items() if isinstance(entry, dict)
        ]
    for entry in tables(value):
        yield text(entry, "app_name", "appName", "id"), entry


def _library(value: object) -> Iterable[Mapping[str, object]]:
    cache = table(value)
    return tables(cache.get("library", cache.get("games")))


def _by_name(value: object) -> dict[str, Mapping[str, object]]:
    return {text(about, "app_name"): about for about in _library(value)}


def _hidden(value: object) -> frozenset[str]:
    games = table(table(value).get("games"))
    return frozenset(text(game, "appName") for game in tables(games.get("hidden")))


def _is_addition(entry: Mapping[str, object]) -> bool:
    return entry.get("is_dlc") is True


def _title(entry: Mapping[str, object], about: Mapping[str, object]) -> str:
    folder = PurePosixPath(text(entry, "install_path", "path")).name
    return text(about, "title") or text(entry, "title") or folder


def _read(root: Root, names: Iterable[str], left_out: list[str]) -> object:
    path = root.find(names)
    if path is None:
        return None
    try:
        return read_json(path)
    except Unreadable as error:
        left_out.append(str(error))
        return None
