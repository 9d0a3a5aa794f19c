"""From desktop entries to the library's games."""

import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import attrs

from punktfunk.plugin import Artwork, GameEntry, HostFacts, LaunchSpec, LaunchTarget
from punktfunk_store_desktop.entry import BadEntry, Entry, locales_of, read_entry
from punktfunk_store_desktop.exec_line import Fields, parse_exec
from punktfunk_store_desktop.folders import data_folders, entry_files
from punktfunk_store_desktop.icons import find_icon, icons_in
from punktfunk_store_desktop.settings import DesktopSettings

MAX_TITLE_LENGTH = 500
MAX_KEY_LENGTH = 200
MAX_NAMED = 5

log = logging.getLogger(__name__)

_OTHER_STORES = frozenset({"heroic", "lutris", "steam", "steam-native", "steam-runtime"})
_OTHER_STORES_FLATPAKS = frozenset(
    {"com.heroicgameslauncher.hgl", "com.valvesoftware.Steam", "net.lutris.Lutris"}
)
_OTHER_STORES_ADDRESSES = ("heroic://", "lutris:", "steam://")
# The first that is installed; foot is what a session's own desktop has.
_TERMINALS = (
    ("foot",),
    ("kitty",),
    ("alacritty", "-e"),
    ("konsole", "-e"),
    ("gnome-terminal", "--wait", "--"),
    ("xfce4-terminal", "--disable-server", "-x"),
    ("xterm", "-e"),
)


@attrs.frozen(kw_only=True)
class _Place:
    """What of the machine matters to an entry."""

    icons: Mapping[str, Path]
    locales: list[str]
    desktops: frozenset[str]
    path: str | None
    terminal: tuple[str, ...]

    def has(self, program: str) -> bool:
        return shutil.which(program, path=self.path) is not None


def list_games(host: HostFacts, settings: DesktopSettings) -> list[GameEntry]:
    """List the entries that the settings ask for, in the order of their folders."""
    place = _look(host, settings)
    games = []
    left_out = []
    for name, path in entry_files(host).items():
        if name in settings.exclude:
            continue
        try:
            entry = read_entry(path)
            if _is_shown(entry, place) and _is_wanted(name, entry, settings):
                game = _game(name, path, entry, place)
                if name in settings.include or not _is_other_stores(game.launch):
                    games.append(game)
        except BadEntry as error:
            left_out.append(f"{str(path)!r}: {error}")
    if left_out:
        named = "; ".join(left_out[:MAX_NAMED])
        log.warning("desktop entries were left out (%d): %s", len(left_out), named)
    return games


def _look(host: HostFacts, settings: DesktopSettings) -> _Place:
    path = host.environment.get("PATH")
    found = (words for words in _TERMINALS if shutil.which(words[0], path=path))
    return _Place(
        icons=icons_in(data_folders(host), Path(host.environment.get("HOME", "/nonexistent"))),
        locales=locales_of(host.environment.get("LANG", "")),
        desktops=frozenset(host.environment.get("XDG_CURRENT_DESKTOP", "").split(":")),
        path=path,
        terminal=settings.terminal or next(found, ()),
    )


def _is_shown(entry: Entry, place: _Place) -> bool:
    """Say whether a menu would show it."""
    if entry.text("Type") != "Application" or entry.flag("Hidden") or entry.flag("NoDisplay"):
        return False
    only = entry.words("OnlyShowIn")
    if (only and not only & place.desktops) or entry.words("NotShowIn") & place.desktops:
        return False
    tried = entry.text("TryExec")
    return not tried or place.has(tried)


def _is_wanted(name: str, entry: Entry, settings: DesktopSettings) -> bool:
    if settings.all or name in settings.include:
        return True
    return bool(entry.words("Categories") & settings.categories)


def _is_other_stores(launch: LaunchSpec | None) -> bool:
    """Say whether it is a launcher that has a plugin of its own, or one of its games."""
    program, *arguments = launch.argv if launch else ("",)
    return PurePosixPath(program).name in _OTHER_STORES or any(
        word in _OTHER_STORES_FLATPAKS or word.startswith(_OTHER_STORES_ADDRESSES)
        for word in arguments
    )


def _game(name: str, path: Path, entry: Entry, place: _Place) -> GameEntry:
    title = _clean(entry.localized("Name", place.locales))
    if not title:
        raise BadEntry("it has no Name")
    key = quote(os.fsencode(name), safe="")
    if not 0 < len(key) <= MAX_KEY_LENGTH:
        raise BadEntry("the name of its file is empty or too long")
    icon = entry.localized("Icon", place.locales)
    picture = find_icon(icon, place.icons)
    launch = _launch(entry, Fields(name=title, icon=icon, path=str(path)), place)
    if not all(map(_is_unicode, (picture or "", *launch.argv))):
        raise BadEntry("a path in it is not UTF-8")
    return GameEntry(
        id=f"desktop:{key}",
        title=title,
        art=Artwork(portrait=picture),
        target=LaunchTarget(kind="desktop", value=key),
        launch=launch,
    )


def _launch(entry: Entry, fields: Fields, place: _Place) -> LaunchSpec:
    # A program that D-Bus starts has an Exec too, for desktops that do not do that.
    argv = parse_exec(entry.text("Exec"), fields)
    if "/" in argv[0] and not argv[0].startswith("/"):
        raise BadEntry(f"its program {argv[0]!r} is neither a name nor an absolute path")
    if not place.has(argv[0]):
        raise BadEntry(f"its program {argv[0]!r} is not installed")
    if entry.flag("Terminal"):
        if not place.terminal:
            raise BadEntry("it needs a terminal, and none is installed")
        argv = (*place.terminal, *argv)
    folder = entry.text("Path")
    usable = folder.startswith("/") and "\0" not in folder
    return LaunchSpec(argv=argv, folder=folder if usable else "")


def _is_unicode(text: str) -> bool:
    """Say whether it can be told to others: the name of a file may be any bytes."""
    return all(not "\ud800" <= char <= "\udfff" for char in text)


def _clean(title: str) -> str:
    """Make a title fit to be shown: one line, nothing that controls a terminal."""
    shown = (char if char.isprintable() else " " for char in title[: 2 * MAX_TITLE_LENGTH])
    return " ".join("".join(shown).split())[:MAX_TITLE_LENGTH].strip()
