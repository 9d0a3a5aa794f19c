"""From what stores list to one list of games."""

import unicodedata
from collections.abc import Iterable, Mapping

import attrs

from punktfunk.library.custom import CustomGame
from punktfunk.model.apps import LaunchSpec
from punktfunk.model.games import GameEntry, LaunchTarget

CUSTOM_STORE = "custom"
COMMAND = "command"
STEAM_APPID = "steam_appid"


def merged(listed: Iterable[GameEntry], custom: Iterable[CustomGame]) -> tuple[GameEntry, ...]:
    """Put all games together, by title.

    Where two stores list what starts the very same thing (a launcher's game and its entry in
    the desktop's menu), the one that knows more of it stays. A person's own entries all stay.
    """
    by_launch: dict[object, GameEntry] = {}
    games: list[GameEntry] = []
    for game in sorted(listed, key=_knowledge):
        if game.launch is None:
            games.append(game)
        else:
            by_launch.setdefault(_what_it_starts(game.launch), game)
    games += by_launch.values()
    launches = {game.target: game.launch for game in games if game.target and game.launch}
    games += [_as_game(entry, launches) for entry in custom]
    return tuple(sorted(games, key=lambda game: (_collated(game.title), game.id)))


def launch_of(target: LaunchTarget, listed: Mapping[LaunchTarget, LaunchSpec]) -> LaunchSpec | None:
    """What to run for a target; None when no store knows it now."""
    if target in listed:
        return listed[target]
    if target.kind == COMMAND:
        return LaunchSpec(argv=("sh", "-c", target.value))
    if target.kind == STEAM_APPID:
        return LaunchSpec(
            argv=("steam", f"steam://rungameid/{target.value}"),
            process_sign=f"AppId={target.value}",
        )
    return None


def _as_game(entry: CustomGame, listed: Mapping[LaunchTarget, LaunchSpec]) -> GameEntry:
    return GameEntry(
        id=f"{CUSTOM_STORE}:{entry.id}",
        title=entry.title,
        art=entry.art,
        target=entry.launch,
        launch=launch_of(entry.launch, listed) if entry.launch else None,
    )


def _what_it_starts(launch: LaunchSpec) -> object:
    return launch.argv, launch.folder, tuple(sorted(launch.environment.items()))


def _knowledge(game: GameEntry) -> tuple[bool, bool, str]:
    """Sorts the one that knows most first."""
    sign = game.launch.process_sign if game.launch else ""
    return not sign, not any(attrs.astuple(game.art)), game.id


def _collated(title: str) -> tuple[str, str]:
    """The same order everywhere: no locale, accents only where nothing else differs."""
    folded = unicodedata.normalize("NFKD", title).casefold()
    return "".join(it for it in folded if not unicodedata.combining(it)), folded
