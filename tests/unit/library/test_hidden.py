"""Games that a person does not want in Moonlight's list."""

import json
from pathlib import Path

import pytest

from punktfunk.errors import Refused, StateDamaged
from punktfunk.library import hidden
from punktfunk.library.hidden import HIDDEN_FILE, HiddenGames


def test_what_is_hidden_is_hidden_after_a_restart(tmp_path: Path) -> None:
    games = HiddenGames(tmp_path)
    games.add("steam:1")
    games.add("steam:2")
    games.add("steam:1")

    assert games.remove("steam:2")
    assert not games.remove("steam:3")

    again = HiddenGames(tmp_path)
    assert [it for it in ("steam:1", "steam:2") if it in again] == ["steam:1"]


def test_the_number_is_capped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden, "MAX_HIDDEN", 2)
    games = HiddenGames(tmp_path)
    games.add("a:1")
    games.add("a:2")

    with pytest.raises(Refused):
        games.add("a:3")

    assert "a:3" not in games


def test_a_damaged_file_is_named_with_its_backup(tmp_path: Path) -> None:
    games = HiddenGames(tmp_path)
    games.add("a:1")
    games.add("a:2")
    (tmp_path / HIDDEN_FILE).write_text(json.dumps({"version": 1, "games": [{"id": 7}]}))

    with pytest.raises(StateDamaged, match=r"hidden\.json\.bak"):
        HiddenGames(tmp_path)


def test_what_cannot_be_written_is_not_hidden(tmp_path: Path) -> None:
    games = HiddenGames(tmp_path)
    (tmp_path / HIDDEN_FILE).mkdir()

    with pytest.raises(OSError):
        games.add("a:1")

    assert "a:1" not in games
