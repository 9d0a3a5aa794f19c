"""From Heroic's files to the library's games."""

import logging
import re
from collections.abc import Iterable

from punktfunk.plugin import GameEntry, LaunchSpec, LaunchTarget
from punktfunk_store_heroic.pictures import artwork
from punktfunk_store_heroic.roots import FLATPAK_COMMAND, Root
from punktfunk_store_heroic.stores import Installed, installed_games

MAX_TITLE_LENGTH = 500
MAX_NAMED = 5

log = logging.getLogger(__name__)

# What the stores use: hexadecimal, words, numbers, `amzn1.adg.product.…`. Whatever has a
# meaning in an address, or to `..`, is not among it.
_APP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def list_games(roots: Iterable[Root], command: tuple[str, ...]) -> list[GameEntry]:
    """List every game once; a native Heroic's come before a Flatpak's.

    Args:
        command: Argv of a Heroic that is no Flatpak.
    """
    games: dict[str, GameEntry] = {}
    left_out: list[str] = []
    for root in roots:
        start = FLATPAK_COMMAND if root.kind == "Flatpak" else command
        for game in installed_games(root, left_out):
            title = _clean(game.title) or game.app_name
            if not _APP_NAME.fullmatch(game.app_name):
                left_out.append(f"a game of {game.runner} with the id {game.app_name[:80]!r}")
                continue
            entry = _entry(root, game, title, start)
            games.setdefault(entry.id, entry)
    if left_out:
        named = "; ".join(left_out[:MAX_NAMED])
        log.warning("left out of Heroic's games (%d): %s", len(left_out), named)
    return list(games.values())


def _entry(root: Root, game: Installed, title: str, start: tuple[str, ...]) -> GameEntry:
    key = f"{game.runner}:{game.app_name}"
    # The older of two forms: new versions take both, old ones do not know `launch?appName=`.
    # Started without its window, Heroic ends when the game has: there is no sign to wait for.
    address = f"heroic://launch/{game.runner}/{game.app_name}"
    return GameEntry(
        id=f"heroic:{key}",
        title=title,
        art=artwork(root, game.about),
        target=LaunchTarget(kind="heroic", value=key),
        launch=LaunchSpec(argv=(*start, "--no-gui", address)),
    )


def _clean(title: str) -> str:
    """Make a title fit to be shown: one line, nothing that controls a terminal."""
    shown = (char if char.isprintable() else " " for char in title[: 2 * MAX_TITLE_LENGTH])
    return " ".join("".join(shown).split())[:MAX_TITLE_LENGTH].strip()
