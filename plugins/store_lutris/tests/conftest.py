"""A Lutris as it lies on a disk: the tables, columns and folders of Lutris 0.5."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from punktfunk_store_lutris import library_games

from punktfunk.plugin import GameEntry, HostFacts

GAMES = {
    "id": "INTEGER PRIMARY KEY",
    "name": "TEXT",
    "sortname": "TEXT",
    "slug": "TEXT",
    "installer_slug": "TEXT",
    "parent_slug": "TEXT",
    "platform": "TEXT",
    "runner": "TEXT",
    "executable": "TEXT",
    "directory": "TEXT",
    "updated": "DATETIME",
    "lastplayed": "INTEGER",
    "installed": "INTEGER",
    "installed_at": "INTEGER",
    "year": "INTEGER",
    "configpath": "TEXT",
    "has_custom_banner": "INTEGER",
    "has_custom_icon": "INTEGER",
    "has_custom_coverart_big": "INTEGER",
    "playtime": "REAL",
    "service": "TEXT",
    "service_id": "TEXT",
    "discord_id": "TEXT",
}
CATEGORIES = (
    "CREATE TABLE categories (id INTEGER PRIMARY KEY, name TEXT UNIQUE)",
    "CREATE TABLE games_categories (game_id INTEGER, category_id INTEGER)",
    "INSERT INTO categories (id, name) VALUES (1, 'favorite'), (2, '.hidden'), (3, 'Racing')",
)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


class Lutris:
    """One installation. The database is made when the first game is added."""

    def __init__(self, data: Path, cache: Path) -> None:
        self.data, self.cache = data, cache
        self.database = data / "pga.db"

    def connect(self) -> sqlite3.Connection:
        self.data.mkdir(parents=True, exist_ok=True)
        return sqlite3.connect(self.database, isolation_level=None)

    def run(self, *statements: str) -> None:
        with closing(self.connect()) as connection:
            for statement in statements:
                connection.execute(statement)

    def create(self) -> "Lutris":
        columns = ", ".join(f"{name} {kind}" for name, kind in GAMES.items())
        self.run(f"CREATE TABLE games ({columns})", *CATEGORIES)
        return self

    def add(self, slug: object, *, categories: tuple[int, ...] = (), **values: object) -> None:
        if not self.database.exists():
            self.create()
        row = {"name": slug, "slug": slug, "runner": "wine", "installed": 1, **values}
        names, places = ", ".join(row), ", ".join("?" * len(row))
        with closing(self.connect()) as connection:
            number = connection.execute(
                f"INSERT INTO games ({names}) VALUES ({places})", tuple(row.values())
            ).lastrowid
            for category in categories:
                connection.execute("INSERT INTO games_categories VALUES (?, ?)", (number, category))

    def picture(self, base: Path, name: str, data: bytes = PNG) -> Path:
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def host(home: Path) -> HostFacts:
    return HostFacts(environment={"HOME": str(home), "PATH": "/usr/bin:/bin"})


@pytest.fixture
def lutris(home: Path) -> Lutris:
    return Lutris(home / ".local/share/lutris", home / ".cache/lutris")


@pytest.fixture
def flatpak(home: Path) -> Lutris:
    base = home / ".var/app/net.lutris.Lutris"
    return Lutris(base / "data/lutris", base / "cache/lutris")


@pytest.fixture
def listed(host: HostFacts) -> Callable[[], dict[str, GameEntry]]:
    """List the games, by the part of the id after the store's name."""

    def games() -> dict[str, GameEntry]:
        return {game.id.removeprefix("lutris:"): game for game in library_games(host)}

    return games


@pytest.fixture
def other(lutris: Lutris) -> Iterator[sqlite3.Connection]:
    """A Lutris that has its database open, as another process would."""
    with closing(lutris.create().connect()) as connection:
        yield connection
