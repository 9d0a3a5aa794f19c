"""What busy, damaged and hostile databases cost: their own games."""

import sqlite3
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from punktfunk_store_lutris import database, library_games

VALUES = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text() | st.binary()


def files(lutris) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in lutris.data.iterdir()}


def test_games_are_read_while_lutris_writes(lutris, other: sqlite3.Connection, listed) -> None:
    lutris.add("before")
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO games (name, slug, installed) VALUES ('Half', 'half', 1)")

    assert list(listed()) == ["before"]


def test_games_in_the_write_ahead_log_are_read(lutris, other: sqlite3.Connection, listed) -> None:
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("PRAGMA wal_autocheckpoint = 0")
    lutris.add("logged")
    other.execute("BEGIN IMMEDIATE")
    before = set(files(lutris))

    assert list(listed()) == ["logged"]
    assert set(files(lutris)) == before == {"pga.db", "pga.db-wal", "pga.db-shm"}


def test_reading_a_database_with_a_log_makes_no_files(lutris, listed) -> None:
    lutris.add("a")
    lutris.run("PRAGMA journal_mode = WAL")
    before = files(lutris)

    assert list(listed()) == ["a"]
    assert files(lutris) == before
    assert list(before) == ["pga.db"]


_BREAK_OFF = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
for number in range(500):
    connection.execute("INSERT INTO games (name, installed) VALUES (?, 1)", ("x" * 500,))
os._exit(0)
"""


def test_a_write_that_was_broken_off_is_left_to_lutris(lutris, listed, caplog) -> None:
    lutris.add("a")
    subprocess.run([sys.executable, "-c", _BREAK_OFF, str(lutris.database)], check=True)
    before = files(lutris)

    assert set(before) == {"pga.db", "pga.db-journal"}
    assert listed() == {}
    assert "start Lutris once" in caplog.text
    assert files(lutris) == before


def test_a_locked_database_costs_only_its_own_games(
    lutris, flatpak, other: sqlite3.Connection, listed, caplog
) -> None:
    flatpak.add("there")
    other.execute("BEGIN EXCLUSIVE")

    assert list(listed()) == ["there"]
    assert "database is locked" in caplog.text


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: b"", "is no database"),
        (lambda data: bytes(range(256)) * 64, "is no database"),
        (lambda data: data[: len(data) // 2], "cannot be read"),
        (lambda data: data[:100] + b"\xff" * (len(data) - 100), "cannot be read"),
        (lambda data: data[:16] + b"\xff" * 84 + data[100:], "cannot be read"),
    ],
    ids=["empty", "noise", "half", "overwritten", "header"],
)
def test_a_damaged_database_costs_only_its_own_games(
    lutris, flatpak, listed, caplog, damage, reason: str
) -> None:
    lutris.add("here")
    flatpak.add("there")
    lutris.database.write_bytes(damage(lutris.database.read_bytes()))

    assert list(listed()) == ["there"]
    assert str(lutris.database) in caplog.text
    assert reason in caplog.text


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE other (id INTEGER)",
        "CREATE TABLE games (id INTEGER, title TEXT)",
        "CREATE TABLE games (title TEXT)",
    ],
)
def test_a_database_of_something_else_is_told_so(lutris, listed, caplog, statement: str) -> None:
    lutris.run(statement)

    assert listed() == {}
    assert "no database of Lutris" in caplog.text


def test_a_huge_database_is_not_read(lutris, listed, caplog) -> None:
    lutris.add("a")
    with lutris.database.open("r+b") as file:
        file.truncate(database.MAX_FILE_BYTES + 1)

    assert listed() == {}
    assert "larger than 256 MiB" in caplog.text


def test_a_view_that_counts_for_ever_is_stopped(lutris, listed, caplog, monkeypatch) -> None:
    monkeypatch.setattr(database, "QUERY_PATIENCE_S", 0.2)
    lutris.run(
        "CREATE VIEW games AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
        " SELECT x AS id, 'a' AS name, 'b' AS slug, 'c' AS runner, 1 AS installed FROM n"
    )

    assert listed() == {}
    assert "interrupted" in caplog.text


def test_values_of_another_type_cost_only_their_own_entry(lutris, listed) -> None:
    lutris.add(b"\xff\xfe", name=b"blob", id=1)
    lutris.add(None, name=None, id=2)
    lutris.add("", name="  ", id=3)
    lutris.add("a", name="x" * 5_000_000, id=4)
    lutris.run(
        "INSERT INTO games (id, name, slug, installed) VALUES (5, CAST(x'41ff42' AS TEXT), 'b', 1)"
    )

    titles = {key: game.title for key, game in listed().items()}

    assert titles == {
        "id:1": "Game 1",
        "id:2": "Game 2",
        "id:3": "Game 3",
        "a": "x" * 500,
        "b": "A\ufffdB",
    }


@pytest.mark.parametrize(
    "slug",
    [
        ";rm -rf ~",
        "$(reboot)",
        "../../../../etc/passwd",
        "--debug",
        "a/b",
        "a\nb",
        "a b",
        "..",
        "ä",
    ],
)
def test_threat_21_a_slug_that_is_none_reaches_neither_command_nor_path(
    lutris, listed, slug: str
) -> None:
    lutris.add(slug, name="; rm -rf ~ `reboot`\x1b[2J\n$(id)", id=7)

    (game,) = listed().values()

    assert game.id == "lutris:id:7"
    assert game.launch.argv == ("lutris", "lutris:rungameid/7")
    assert game.launch.environment == {"LUTRIS_SKIP_INIT": "1"}
    assert game.title == "; rm -rf ~ `reboot` [2J $(id)"
    assert game.art.portrait is None


@given(name=VALUES, slug=VALUES, runner=VALUES, installed=VALUES)
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_row_raises(lutris, host, name, slug, runner, installed) -> None:
    def storable(value: object) -> object:
        return value.encode(errors="replace").decode() if isinstance(value, str) else value

    row = {"name": name, "runner": runner, "installed": installed}
    lutris.add(storable(slug), **{key: storable(value) for key, value in row.items()})

    for game in library_games(host):
        assert game.launch.argv == ("lutris", f"lutris:rungameid/{int(game.target.value)}")
