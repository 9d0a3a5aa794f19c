"""From Lutris' database to the library's games."""

import logging
import re
from collections.abc import Iterable, Iterator

from punktfunk.plugin import Artwork, GameEntry, LaunchSpec, LaunchTarget
from punktfunk_store_lutris.database import Row, Unreadable, read_games
from punktfunk_store_lutris.roots import FLATPAK_COMMAND, Root

MAX_TITLE_LENGTH = 500

log = logging.getLogger(__name__)

# As Lutris makes them, and safe as a file's name.
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
# Lutris' own shortcuts set this: no look for updates before the game.
_ENVIRONMENT = {"LUTRIS_SKIP_INIT": "1"}


def list_games(
    roots: Iterable[Root], command: tuple[str, ...], *, steam_games: bool
) -> list[GameEntry]:
    """List every game once; a native Lutris' come before a Flatpak's.

    Args:
        command: Argv of a Lutris that is no Flatpak.
        steam_games: Whether games that Steam starts are listed too.
    """
    games: dict[str, GameEntry] = {}
    for root in roots:
        try:
            rows = read_games(root.database)
        except Unreadable as error:
            log.warning("games of Lutris were left out: %s", error)
            continue
        start = FLATPAK_COMMAND if root.kind == "Flatpak" else command
        for key, row in _with_keys(rows):
            if steam_games or row.runner != "steam":
                entry = _entry(root, key, row, start)
                games.setdefault(entry.id, entry)
    return list(games.values())


def _with_keys(rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """Give each game a key that outlives a new installation of it.

    Lutris gives the numbers of removed games to new ones, and a game that comes back has
    another; the slug stays. Where several installations share one, the oldest has it alone.
    """
    taken: set[str] = set()
    for row in rows:
        key = row.slug if _SLUG.fullmatch(row.slug) else f"id:{row.number}"
        if key in taken:
            key = f"{key}:{row.number}"
        taken.add(key)
        yield key, row


def _entry(root: Root, key: str, row: Row, start: tuple[str, ...]) -> GameEntry:
    return GameEntry(
        id=f"lutris:{key}",
        title=_clean(row.name) or _clean(row.slug) or f"Game {row.number}",
        art=_artwork(root, row.slug),
        target=LaunchTarget(kind="lutris_id", value=str(row.number)),
        # By number, as several games may share a slug. Lutris stays until the game has ended.
        launch=LaunchSpec(
            argv=(*start, f"lutris:rungameid/{row.number}"), environment=_ENVIRONMENT
        ),
    )


def _artwork(root: Root, slug: str) -> Artwork:
    if not _SLUG.fullmatch(slug):
        return Artwork()
    cover, banner = root.picture("coverart", slug), root.picture("banners", slug)
    return Artwork(
        portrait=str(cover) if cover else None,
        header=str(banner) if banner else None,
    )


def _clean(title: str) -> str:
    """Make a title fit to be shown: one line, nothing that controls a terminal."""
    shown = (char if char.isprintable() else " " for char in title[: 2 * MAX_TITLE_LENGTH])
    return " ".join("".join(shown).split())[:MAX_TITLE_LENGTH].strip()
