"""`punktfunk undo` with a host and without one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from punktfunk.cli import main
from punktfunk.journal import Journal, change_file, directory, make_directory
from punktfunk.model.plugins import Effect

http_only = pytest.mark.parametrize("running", ["http"], indirect=True)


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`ask(*words)`: `punktfunk undo` where no host runs."""
    monkeypatch.setenv("PUNKTFUNK_PLUGINS__ALLOW", "none")
    return lambda *words: CliRunner().invoke(main, ["undo", *words, "--config-dir", str(tmp_path)])


def leave_a_folder(folder: Path, seat: str = "pf-1") -> Path:
    left = folder / f"left-by-{seat}"
    make_directory(left, seat)
    Journal(folder / "journal" / f"{seat}.jsonl").record(directory(left, seat))
    return left


def leave_something_for_ever(folder: Path) -> None:
    effect = Effect(kind="gone.thing", data={})
    Journal(folder / "journal" / "pf-2.jsonl").record(effect)


def test_without_a_host_what_was_left_is_taken_back(ask: Any, tmp_path: Path) -> None:
    left = [leave_a_folder(tmp_path, seat) for seat in ("pf-1", "pf-2")]

    done = ask()

    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "punktfunk: nothing is left behind\n"
    assert not any(folder.exists() for folder in left)
    assert list((tmp_path / "journal").iterdir()) == []


def test_listing_changes_nothing(ask: Any, tmp_path: Path) -> None:
    left = leave_a_folder(tmp_path)

    done = ask("--list")

    assert done.exit_code == 0
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["ID", "SEAT", "WHAT", "STATE", "WHY"],
        [done.stdout.splitlines()[1].split()[0], "pf-1", "directory", "to", "be", "undone", "-"],
    ]
    assert left.exists()


def test_what_cannot_be_taken_back_is_shown_and_can_be_given_up(ask: Any, tmp_path: Path) -> None:
    leave_something_for_ever(tmp_path)

    tried = ask()
    assert tried.exit_code == 1
    assert "could not be undone" in tried.stdout
    assert "plugin gone is not here" in tried.stdout
    (told,) = json.loads(ask("--list", "--json").stdout)

    assert ask("--forget", told["id"]).exit_code == 0
    assert ask("--forget", told["id"]).exit_code == 1
    assert json.loads(ask("--json").stdout) == []


def test_what_somebody_has_changed_is_told_and_is_no_failure(ask: Any, tmp_path: Path) -> None:
    theirs = tmp_path / "kwinrc"
    theirs.write_text("before")
    change_file(theirs, b"ours", Journal(tmp_path / "journal" / "pf-1.jsonl").record)
    theirs.write_text("changed by a person")

    done = ask()

    assert done.exit_code == 0
    assert "left alone" in done.stdout
    assert "kwinrc was changed by somebody since" in done.stdout
    assert theirs.read_text() == "changed by a person"


def test_nothing_to_undo_touches_nothing(ask: Any, tmp_path: Path) -> None:
    assert ask().exit_code == 0
    assert json.loads(ask("--list", "--json").stdout) == []

    assert list(tmp_path.iterdir()) == []


@http_only
def test_a_running_host_is_asked(running: Any) -> None:
    left = leave_a_folder(running.folder)

    assert "directory" in running.ask("undo", "--list").stdout
    assert running.ask("undo").exit_code == 0

    assert not left.exists()
    assert running.host.asked == ["listEffects", "undoEffects", "listEffects"]


@http_only
def test_what_running_sessions_did_is_not_undone_under_them(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = leave_a_folder(running.folder)
    monkeypatch.setattr(running.host.operations, "_running", lambda: frozenset({"pf-1"}))

    done = running.ask("undo")

    assert done.exit_code == 1
    assert "session runs" in done.stdout
    assert "taken back when they end: punktfunk ctl sessions stop" in done.stderr
    assert left.exists()


@http_only
def test_a_running_host_gives_up_what_it_is_told_to(running: Any) -> None:
    leave_something_for_ever(running.folder)
    (told,) = json.loads(running.ask("undo", "--json").stdout)

    assert running.ask("undo", "--forget", told["id"]).exit_code == 0
    assert running.ask("ctl", "undo", "forget", told["id"]).exit_code == 5

    assert json.loads(running.ask("undo", "--list", "--json").stdout) == []
