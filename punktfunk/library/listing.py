"""What a store's plugin may say of its games, checked before it leaves the child."""

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import attrs

from punktfunk.library.pictures import is_picture
from punktfunk.model.apps import LaunchSpec
from punktfunk.model.games import Artwork, GameEntry
from punktfunk.registry.discovery import PluginRecord
from punktfunk.registry.report import there_and_back

MAX_GAMES = 10_000
MAX_PATHS = 500
MAX_ADDRESS_LENGTH = 2_048
MAX_LAUNCH_LENGTH = 16_384
MAX_LINE_BYTES = 32 << 20
MAX_PROBLEMS = 20


@attrs.frozen(kw_only=True)
class Listing:
    """One store's games.

    Attributes:
        failure: Why there is no list; the last one stays good.
        problems: What it left out or warned of, one line each.
        paths: What to watch.
        fingerprint: Of those paths, from before the games were listed.
    """

    record: PluginRecord
    games: tuple[GameEntry, ...] = ()
    failure: str = ""
    problems: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    fingerprint: str = ""


def check_listing(listing: Listing) -> None:
    """Raises ValueError: it is more than we take."""
    if len(listing.games) > MAX_GAMES:
        raise ValueError(f"it lists more than {MAX_GAMES} games")
    if len(listing.paths) > MAX_PATHS:
        raise ValueError(f"it names more than {MAX_PATHS} paths")
    if any(game.store != listing.record.name for game in listing.games):
        raise ValueError("it lists another store's game")


def checked_games(store: str, found: object) -> tuple[tuple[GameEntry, ...], tuple[str, ...]]:
    """Return the games that can be used, and a sentence for each that cannot.

    Raises:
        TypeError: it is no list.
    """
    if not isinstance(found, list | tuple):
        raise TypeError(f"library_games returned a {type(found).__name__}, not a list of GameEntry")
    games: dict[str, GameEntry] = {}
    problems: list[str] = []
    for entry in found[:MAX_GAMES]:
        try:
            game = _checked_game(store, entry)
            if game.id in games:
                raise ValueError("it is listed twice")
        except ValueError as error:
            problems.append(f"{str(getattr(entry, 'id', entry))[:100]!r}: {error}")
        else:
            games[game.id] = game
    if len(found) > MAX_GAMES:
        problems.append(f"only the first {MAX_GAMES} games count")
    return tuple(games.values()), _few(problems)


def checked_paths(found: object) -> tuple[str, ...]:
    """Raises TypeError: it is no list of absolute paths, or too long a one."""
    if found is None:
        return ()
    if not isinstance(found, list | tuple) or len(found) > MAX_PATHS:
        raise TypeError(f"library_paths returned no list of at most {MAX_PATHS} paths")
    for path in found:
        if not isinstance(path, Path) or not path.is_absolute() or not _usable(str(path)):
            raise TypeError("library_paths returned a list with something else than absolute paths")
    return tuple(map(str, found))


def shown_title(text: str) -> str:
    """A title in one line of characters that can be shown."""
    return " ".join("".join(it if it.isprintable() else " " for it in text).split())


def _checked_game(store: str, entry: object) -> GameEntry:
    game = there_and_back(entry, GameEntry)
    if game.store != store:
        raise ValueError(f"its id does not begin with {store}:")
    if game.launch is not None:
        _check_launch(game.launch)
    art = Artwork(**{kind: _checked_picture(it) for kind, it in attrs.asdict(game.art).items()})
    return attrs.evolve(game, title=shown_title(game.title), art=art)


def _check_launch(launch: LaunchSpec) -> None:
    texts = [*launch.argv, launch.folder, launch.process_sign]
    texts += [text for pair in launch.environment.items() for text in pair]
    if not launch.argv or not launch.argv[0]:
        raise ValueError("its launch names no program")
    if not all(map(_usable, texts)) or any("=" in name for name in launch.environment):
        raise ValueError("its launch cannot be handed to a program")
    if launch.folder and not PurePosixPath(launch.folder).is_absolute():
        raise ValueError("its launch has a folder that is not absolute")
    if sum(map(len, texts)) > MAX_LAUNCH_LENGTH:
        raise ValueError("its launch is far too long")


def _checked_picture(picture: str | None) -> str | None:
    """Keep addresses, and files that the host would serve, by their real paths."""
    if not picture or len(picture) > MAX_ADDRESS_LENGTH:
        return None
    if picture.startswith("https://"):
        return picture if picture.isprintable() and " " not in picture else None
    if not PurePosixPath(picture).is_absolute() or not _usable(picture):
        return None
    path = Path(os.path.realpath(picture))
    return str(path) if is_picture(path) else None


def _usable(text: str) -> bool:
    """Say whether the system can take it, as a path or as an argument."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _few(problems: Iterable[str]) -> tuple[str, ...]:
    problems = tuple(problems)
    if len(problems) <= MAX_PROBLEMS:
        return problems
    return (*problems[:MAX_PROBLEMS], f"and {len(problems) - MAX_PROBLEMS} more")
