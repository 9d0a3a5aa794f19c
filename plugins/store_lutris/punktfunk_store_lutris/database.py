"""Lutris' database, read while Lutris may be writing it, and never changed.

Its tables grew over the years: `games.hidden` became a category named `.hidden`, and columns
were added. What is there is looked up; only `id`, `name` and `installed` are needed.
"""

import contextlib
import sqlite3
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import attrs

from punktfunk.plugin import PunktfunkError

MAX_FILE_BYTES = 256 << 20
MAX_GAMES = 20_000
MAX_TEXT_LENGTH = 1_000
LOCK_PATIENCE_S = 2.0
QUERY_PATIENCE_S = 4.0

_HEADER = b"SQLite format 3\0"
_WRITE_VERSION = 18  # this byte of the header is 2 in a database with a write-ahead log
_STEPS_BETWEEN_LOOKS = 10_000


class Unreadable(PunktfunkError):
    """A database that costs its own games; the message says why."""

    code: ClassVar[str] = "unreadable"


@attrs.frozen(kw_only=True)
class Row:
    """An installed game that is not hidden.

    Attributes:
        slug: Lutris' name for the title. Two installations of one title share it.
        runner: `wine`, `linux`, `steam` and so on.
    """

    number: int
    name: str
    slug: str
    runner: str


def read_games(path: Path) -> list[Row]:
    """List the games in the order of their numbers, at most `MAX_GAMES`.

    Raises:
        Unreadable: it is no database, no database of Lutris, damaged, locked for longer than
            `LOCK_PATIENCE_S`, or larger than `MAX_FILE_BYTES`.
    """
    try:
        with contextlib.closing(_connect(path)) as connection:
            return list(_games(connection))
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}") from error
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname == "SQLITE_READONLY_ROLLBACK":
            raise Unreadable(
                f"{path} was left half-written: start Lutris once, it repairs that"
            ) from error
        raise Unreadable(f"{path} cannot be read: {error}") from error
    except (sqlite3.Error, OverflowError, ValueError) as error:
        raise Unreadable(f"{path} cannot be read: {error}") from error


def _connect(path: Path) -> sqlite3.Connection:
    mode = "mode=ro&immutable=1" if _has_a_log_nobody_uses(path) else "mode=ro"
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?{mode}", uri=True, timeout=LOCK_PATIENCE_S, isolation_level=None
    )
    connection.text_factory = lambda data: data.decode(errors="replace")
    deadline = time.monotonic() + QUERY_PATIENCE_S
    # A view may take the place of a table, and count for ever.
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)
    return connection


def _has_a_log_nobody_uses(path: Path) -> bool:
    """Say whether opening the database would make files beside it.

    Raises:
        Unreadable: it is no database of a size we read.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable(f"{path} is not a regular file")
    if status.st_size > MAX_FILE_BYTES:
        raise Unreadable(f"{path} is larger than {MAX_FILE_BYTES >> 20} MiB")
    with path.open("rb") as file:
        header = file.read(_WRITE_VERSION + 1)
    if not header.startswith(_HEADER):
        raise Unreadable(f"{path} is no database")
    in_use = all(path.with_name(path.name + suffix).exists() for suffix in ("-wal", "-shm"))
    return header[_WRITE_VERSION:] == b"\2" and not in_use


def _games(connection: sqlite3.Connection) -> Iterator[Row]:
    connection.execute("PRAGMA trusted_schema = OFF")
    columns = _columns(connection, "games")
    if missing := {"id", "name", "installed"} - columns:
        raise ValueError(f"it is no database of Lutris: games has no {', '.join(sorted(missing))}")
    slug = "slug" if "slug" in columns else "''"
    runner = "runner" if "runner" in columns else "''"
    hidden = "COALESCE(hidden, 0)" if "hidden" in columns else "0"
    rows = connection.execute(
        "SELECT id, substr(name, 1, :length), "  # noqa: S608 - fixed words
        f"substr({slug}, 1, :length), substr({runner}, 1, :length) FROM games"
        f" WHERE installed = 1 AND {hidden} = 0 ORDER BY id LIMIT :games",
        {"length": MAX_TEXT_LENGTH, "games": MAX_GAMES},
    )
    in_hidden_category = _hidden(connection)
    for number, name, slug, runner in rows:
        if type(number) is int and number > 0 and number not in in_hidden_category:
            yield Row(number=number, name=_text(name), slug=_text(slug), runner=_text(runner))


def _hidden(connection: sqlite3.Connection) -> set[object]:
    needed = {"categories": {"id", "name"}, "games_categories": {"game_id", "category_id"}}
    if not all(names <= _columns(connection, table) for table, names in needed.items()):
        return set()
    rows = connection.execute(
        "SELECT game_id FROM games_categories JOIN categories ON category_id = categories.id"
        " WHERE categories.name = '.hidden' LIMIT ?",
        (MAX_GAMES,),
    )
    return {number for (number,) in rows}


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return {str(name).lower() for (name,) in rows}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
