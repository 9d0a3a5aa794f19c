"""`library.json`: a person's own entries."""

import json
import random
import signal
import subprocess
import sys

import pytest

from punktfunk.errors import Refused, StateDamaged
from punktfunk.library import custom
from punktfunk.library.custom import LIBRARY_FILE, MAX_CUSTOM_GAMES, CustomGames, CustomInput
from punktfunk.model.games import Artwork, LaunchTarget
from punktfunk.trust.files import backup_of


def wanted(title: str = "Mine", **more) -> CustomInput:
    return CustomInput(title=title, **more)


def command(value: str) -> LaunchTarget:
    return LaunchTarget(kind="command", value=value)


def test_entries_are_there_after_a_restart(tmp_path) -> None:
    games = CustomGames(tmp_path)
    kept = games.create(wanted(art=Artwork(hero="http://a.example/1.png"), launch=command("a b")))
    gone = games.create(wanted("Other"))
    games.delete(gone.id)

    assert CustomGames(tmp_path).all() == (kept,)


def test_an_update_replaces_everything_but_the_id(tmp_path) -> None:
    games = CustomGames(tmp_path)
    made = games.create(wanted(art=Artwork(logo="https://a.example/1"), launch=command("a")))

    games.update(made.id, wanted("  Renamed "))

    (found,) = CustomGames(tmp_path).all()
    assert (found.id, found.title) == (made.id, "Renamed")
    assert (found.art, found.launch) == (Artwork(), None)
    assert games.update("0" * 12, wanted()) is None
    assert games.delete("0" * 12) is False


def test_what_we_do_not_know_is_kept_on_every_level(tmp_path) -> None:
    made = CustomGames(tmp_path).create(wanted(launch=command("a")))
    path = tmp_path / LIBRARY_FILE
    document = json.loads(path.read_text())
    document["later"] = {"a": 1}
    document["entries"][0]["tags"] = ["x"]
    document["entries"][0]["art"]["icon"] = "https://a.example/i"
    document["entries"][0]["launch"]["folder"] = "/games"
    path.write_text(json.dumps(document))

    CustomGames(tmp_path).update(made.id, wanted("Renamed", launch=command("b")))

    document = json.loads(path.read_text())
    (entry,) = document["entries"]
    assert document["later"] == {"a": 1}
    assert entry["tags"] == ["x"]
    assert entry["art"]["icon"] == "https://a.example/i"
    assert entry["launch"] == {"kind": "command", "value": "b", "folder": "/games"}


REFUSED = {
    "blank": wanted(" \t "),
    "long": wanted("x" * 501),
    "two lines": wanted("a\nb"),
    "reversed": wanted("a\u202eb"),
    "half a character": wanted("\ud800"),
    "a file": wanted(art=Artwork(portrait="/etc/passwd")),
    "file:": wanted(art=Artwork(portrait="file:///etc/passwd")),
    "script": wanted(art=Artwork(portrait="javascript:alert(1)")),
    "no host": wanted(art=Artwork(portrait="https://")),
    "a space": wanted(art=Artwork(portrait="https://a.example/a b")),
    "long address": wanted(art=Artwork(portrait="https://a.example/" + "a" * 2_048)),
    "empty address": wanted(art=Artwork(portrait="")),
    "brackets": wanted(art=Artwork(portrait="https://[::1")),
    "kind": wanted(launch=LaunchTarget(kind="../x", value="1")),
    "empty command": wanted(launch=command("  ")),
    "long command": wanted(launch=command("x" * 4_097)),
    "NUL": wanted(launch=command("a\0b")),
    "half a character in a command": wanted(launch=command("\ud800")),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_out_of_bounds_is_refused_and_changes_nothing(tmp_path, refused) -> None:
    games = CustomGames(tmp_path)
    made = games.create(wanted())

    with pytest.raises(Refused) as new:
        games.create(refused)
    with pytest.raises(Refused):
        games.update(made.id, refused)

    assert new.value.fields["status"] == 400
    assert CustomGames(tmp_path).all() == (made,)


def test_the_number_of_entries_is_capped_and_they_all_can_be_read_again(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)  # only to be quick
    games = CustomGames(tmp_path)
    for number in range(MAX_CUSTOM_GAMES):
        games.create(wanted(str(number)))

    with pytest.raises(Refused, match="delete one first"):
        games.create(wanted())

    assert len(CustomGames(tmp_path).all()) == MAX_CUSTOM_GAMES


def test_what_could_not_be_read_again_is_not_written(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("punktfunk.trust.records._MAX_FILE_BYTES", 9_000)
    games = CustomGames(tmp_path)
    made = games.create(wanted(launch=command("x" * 4_000)))

    with pytest.raises(OSError, match="too large"):
        games.create(wanted(launch=command("\u4e00" * 4_000)))

    assert games.all() == CustomGames(tmp_path).all() == (made,)


def test_an_entry_that_cannot_be_written_does_not_exist(tmp_path) -> None:
    games = CustomGames(tmp_path)
    (tmp_path / LIBRARY_FILE).mkdir()

    with pytest.raises(OSError):
        games.create(wanted())

    assert games.all() == ()


DAMAGES = {
    "empty": lambda text: "",
    "cut short": lambda text: text[: len(text) // 2],
    "not an object": lambda text: "[]",
    "newer": lambda text: text.replace('"version": 1', '"version": 2'),
    "older than all": lambda text: text.replace('"version": 1', '"version": 0'),
    "no version": lambda text: text.replace('"version": 1', '"version": "1"'),
    "no list": lambda text: '{"version": 1}',
    "twice": lambda text: text.replace('"version": 1', '"version": 1, "version": 1'),
    "deep": lambda text: "[" * 100_000,
    "id": lambda text: text.replace('"id": "', '"id": "../'),
    "title": lambda text: text.replace('"Mine"', "7"),
    "blank": lambda text: text.replace('"Mine"', '" "'),
    "art": lambda text: text.replace('"art": {', '"art": [], "more": {'),
    "a file as art": lambda text: text.replace("https://", "file://"),
    "launch": lambda text: text.replace('"launch": {', '"launch": 7, "more": {'),
    "value": lambda text: text.replace('"value": "run"', '"value": null'),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_named_with_its_backup_and_left_alone(tmp_path, damage) -> None:
    games = CustomGames(tmp_path)
    first = games.create(wanted(art=Artwork(hero="https://a.example/1"), launch=command("run")))
    games.create(wanted("Second"))
    path = tmp_path / LIBRARY_FILE
    text = damage(path.read_text())
    path.write_text(text)

    with pytest.raises(StateDamaged) as damaged:
        CustomGames(tmp_path)

    assert LIBRARY_FILE in str(damaged.value)
    assert str(backup_of(path)) in str(damaged.value)
    assert path.read_text() == text
    backup_of(path).replace(path)
    assert CustomGames(tmp_path).all() == (first,)


def test_an_older_file_is_migrated_and_kept_beside_the_new_one(tmp_path, monkeypatch) -> None:
    made = CustomGames(tmp_path).create(wanted())
    path = tmp_path / LIBRARY_FILE
    old = path.read_text()

    def rename(document):
        document["games"] = document.pop("entries")
        return {**document, "entries": [{**it, "title": "New"} for it in document.pop("games")]}

    monkeypatch.setattr(custom, "LIBRARY_VERSION", 2)
    monkeypatch.setattr(custom, "MIGRATIONS", {1: rename})

    for _restart in range(2):
        (found,) = CustomGames(tmp_path).all()
        assert (found.id, found.title) == (made.id, "New")
        assert json.loads(path.read_text())["version"] == 2
        assert path.with_name("library.json.v1.bak").read_text() == old


WRITES_FOR_EVER = """
import sys
from pathlib import Path
from punktfunk.library.custom import CustomGames, CustomInput

games = CustomGames(Path(sys.argv[1]))
number = 0
while True:
    made = games.create(CustomInput(title=f"Game {number}"))
    games.update(made.id, CustomInput(title=f"Game {number} again"))
    if len(games.all()) > 20:
        games.delete(games.all()[0].id)
    number += 1
    print(number, flush=True)
"""


def test_the_library_survives_kill_9_at_any_moment(tmp_path) -> None:
    dice = random.Random(11)
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITES_FOR_EVER, str(tmp_path)], stdout=subprocess.PIPE
        )
        with process:
            for _line in range(dice.randint(1, 40)):
                assert process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL

        assert all(game.title.startswith("Game ") for game in CustomGames(tmp_path).all())
    assert len(CustomGames(tmp_path).all()) >= 1
