"""A person's own entries: `library.json` in the configuration folder."""

import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from punktfunk.errors import Refused
from punktfunk.library.custom_art import CustomArt
from punktfunk.library.listing import MAX_ADDRESS_LENGTH
from punktfunk.model.games import MAX_TITLE_LENGTH, Artwork, LaunchTarget
from punktfunk.trust.records import Members, Records, Unreadable, string

LIBRARY_FILE = "library.json"
LIBRARY_VERSION = 1
MAX_CUSTOM_GAMES = 500
MAX_VALUE_LENGTH = 4_096

# By version, what makes the next version's document of one.
MIGRATIONS: Mapping[int, Callable[[Members], Members]] = {}

_ID = re.compile(r"[0-9a-z_-]{1,64}")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")


@attrs.frozen(kw_only=True)
class CustomInput:
    """What a person says of a game.

    Attributes:
        art: Addresses only; local files are for stores.
    """

    title: str
    art: Artwork = attrs.field(factory=Artwork)
    launch: LaunchTarget | None = None


@attrs.frozen(kw_only=True)
class CustomGame(CustomInput):
    """Attributes:
    id: Given by the host, for ever.
    """

    id: str


class CustomGames:
    """Every entry of a person's own. Used from one thread.

    Raises:
        StateDamaged: `library.json` is unusable, or gone while its backup is there.
        ConfigError: others can read or change it.
    """

    def __init__(self, folder: Path) -> None:
        self._records = Records(
            folder / LIBRARY_FILE,
            "entries",
            read=_from_json,
            write=_to_json,
            key_of=lambda game: game.id,
            version=LIBRARY_VERSION,
            migrations=MIGRATIONS,
        )
        self._art = CustomArt(folder)

    def all(self) -> tuple[CustomGame, ...]:
        """In the order they were made."""
        return self._records.values()

    def with_pictures(self) -> tuple[CustomGame, ...]:
        """All of them, with the pictures that the host has itself instead of addresses."""
        return tuple(
            attrs.evolve(game, art=attrs.evolve(game.art, **self._art.of(game.id)))
            for game in self.all()
        )

    def get(self, game_id: str) -> CustomGame | None:
        return self._records.get(game_id)

    def create(self, wanted: CustomInput) -> CustomGame:
        """Keep a new entry.

        Raises:
            Refused: something in it is out of bounds, or there are `MAX_CUSTOM_GAMES`.
            OSError: it could not be written, and does not exist.
        """
        if len(self._records) >= MAX_CUSTOM_GAMES:
            why = f"there are {MAX_CUSTOM_GAMES} entries of your own: delete one first"
            raise Refused(why, status=400)
        return self._put(self._new_id(), wanted)

    def update(self, game_id: str, wanted: CustomInput) -> CustomGame | None:
        """Replace an entry; None when there is none of that id.

        Raises:
            Refused: something in it is out of bounds.
            OSError: it could not be written, and is as it was.
        """
        return self._put(game_id, wanted) if self._records.get(game_id) else None

    def delete(self, game_id: str) -> bool:
        """Forget an entry and its pictures. Says whether it was there.

        Raises:
            OSError: the disk refused. It is gone until the next start.
        """
        found = self._records.remove(game_id)
        self._art.remove_all(game_id)
        return found

    def put_picture(self, game_id: str, kind: str, picture: bytes) -> bool:
        """Keep a picture for an entry. False: there is no such entry.

        Args:
            picture: Of `custom_art.redrawn`.

        Raises:
            OSError: it could not be written, and everything is as it was.
        """
        if self._records.get(game_id) is None:
            return False
        self._art.put(game_id, kind, picture)
        return True

    def remove_picture(self, game_id: str, kind: str) -> bool:
        """Say whether there was such a picture."""
        return self._art.remove(game_id, kind)

    def _put(self, game_id: str, wanted: CustomInput) -> CustomGame:
        if problem := _problem(wanted):
            raise Refused(problem, status=400)
        game = CustomGame(
            id=game_id, title=wanted.title.strip(), art=wanted.art, launch=wanted.launch
        )
        self._records.put(game)
        return game

    def _new_id(self) -> str:
        while True:
            game_id = secrets.token_hex(6)
            if self._records.get(game_id) is None:
                return game_id


def _problem(wanted: CustomInput) -> str:
    """Say what is wrong with an entry; empty when nothing is."""
    title, launch = wanted.title.strip(), wanted.launch
    if not title or len(title) > MAX_TITLE_LENGTH or not title.isprintable():
        return f"a title is 1 to {MAX_TITLE_LENGTH} printable characters"
    for kind, address in attrs.asdict(wanted.art).items():
        if address is not None and not _is_address(address):
            return f"art.{kind} must be an http or https address, or null"
    if launch is None:
        return ""
    if not _KIND.fullmatch(launch.kind):
        return "launch.kind is a word of small letters, digits and underscores"
    value = launch.value
    if not value.strip() or len(value) > MAX_VALUE_LENGTH or "\0" in value or not _plain(value):
        return f"launch.value is 1 to {MAX_VALUE_LENGTH} characters, none of them NUL"
    return ""


def _is_address(text: str) -> bool:
    if len(text) > MAX_ADDRESS_LENGTH or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _plain(text: str) -> bool:
    """Half of a surrogate pair is no text, and cannot be handed to a program."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _from_json(members: Mapping[str, Any]) -> CustomGame:
    art, launch = members.get("art", {}), members.get("launch")
    if not isinstance(art, dict) or not isinstance(launch, dict | None):
        raise Unreadable("an entry has malformed art or launch")
    game = CustomGame(
        id=string(members, "id"),
        title=string(members, "title"),
        art=Artwork(**{name: string(art, name) for name in _ART if art.get(name) is not None}),
        launch=None
        if launch is None
        else LaunchTarget(kind=string(launch, "kind"), value=string(launch, "value")),
    )
    if not _ID.fullmatch(game.id):
        raise Unreadable("an entry has a malformed id")
    if problem := _problem(game):
        raise Unreadable(f"of an entry, {problem}")
    return game


def _to_json(game: CustomGame) -> Members:
    launch = game.launch
    return {
        "id": game.id,
        "title": game.title,
        "art": attrs.asdict(game.art),
        "launch": None if launch is None else attrs.asdict(launch),
    }


_ART = tuple(field.name for field in attrs.fields(Artwork))
