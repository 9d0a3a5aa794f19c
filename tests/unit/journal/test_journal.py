import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from punktfunk.journal import MARK, Journal, directory, make_directory, process_tree
from punktfunk.journal.effects import marked_processes, undo_core_effect
from punktfunk.model.plugins import Effect


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "session.jsonl"


def effect(name: str) -> Effect:
    return Effect(kind="test.thing", data={"name": name})


def test_an_effect_is_on_disk_before_it_happens(path):
    Journal(path).record(effect("sink"))

    assert Journal(path).pending() == (effect("sink"),)


def test_only_the_owner_can_read_the_journal(path):
    Journal(path).record(effect("sink"))

    assert path.stat().st_mode & 0o777 == 0o600


def test_what_was_forgotten_is_not_undone_again(path):
    journal = Journal(path)
    journal.record(effect("a"))
    journal.record(effect("b"))
    journal.forget(effect("a"))

    assert Journal(path).pending() == (effect("b"),)


def test_a_journal_with_nothing_open_leaves_no_file(path):
    journal = Journal(path)
    journal.record(effect("a"))
    journal.forget(effect("a"))

    assert not path.exists()


def test_effects_are_undone_newest_first(path):
    journal = Journal(path)
    for name in "abc":
        journal.record(effect(name))
    order = []

    left = journal.undo_all(lambda it: order.append(it.data["name"]) or True)

    assert order == ["c", "b", "a"]
    assert left == ()


def test_one_effect_that_cannot_be_undone_does_not_keep_the_others(path):
    journal = Journal(path)
    for name in "abc":
        journal.record(effect(name))

    def undo(it: Effect) -> bool:
        if it.data["name"] == "b":
            raise OSError("no")
        return True

    left = journal.undo_all(undo)

    assert left == (effect("b"),)
    assert Journal(path).pending() == (effect("b"),)


@given(cut=st.integers(0, 400))
def test_a_journal_cut_by_a_crash_still_tells_the_whole_lines(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("cut") / "j.jsonl"
    journal = Journal(path)
    for name in ("a", "b", "c"):
        journal.record(effect(name))
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])

    pending = Journal(path).pending()

    # A last line without its newline may be complete, which does no harm.
    lines = whole[:cut].count(b"\n")
    assert len(pending) in (lines, lines + 1)
    assert pending == (effect("a"), effect("b"), effect("c"))[: len(pending)]


def test_a_folder_of_ours_is_removed_with_all_that_is_in_it(tmp_path):
    folder = tmp_path / "seat"
    make_directory(folder, "seat-1")
    (folder / "socket").write_text("x")

    assert undo_core_effect(directory(folder, "seat-1"))
    assert not folder.exists()


def test_a_folder_that_belongs_to_someone_else_stays(tmp_path):
    folder = tmp_path / "seat"
    make_directory(folder, "seat-2")

    assert undo_core_effect(directory(folder, "seat-1"))
    assert folder.exists()


def test_a_folder_that_was_never_made_counts_as_gone(tmp_path):
    assert undo_core_effect(directory(tmp_path / "nothing", "seat-1"))


def test_processes_that_forked_away_from_their_parents_are_found_and_ended():
    mark = f"test-{os.getpid()}"
    script = "import os, time\nif os.fork(): os._exit(0)\nos.setsid()\ntime.sleep(60)"
    launcher = subprocess.Popen([sys.executable, "-c", script], env={**os.environ, MARK: mark})
    launcher.wait()
    assert len(marked_processes(mark)) == 1

    assert undo_core_effect(process_tree(mark))
    assert marked_processes(mark) == []


def test_a_process_that_ignores_terminate_is_killed():
    mark = f"deaf-{os.getpid()}"
    script = (
        "import signal, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf', flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], env={**os.environ, MARK: mark}, stdout=subprocess.PIPE
    ) as deaf:
        deaf.stdout.readline()

        assert undo_core_effect(process_tree(mark))
        assert deaf.wait() == -signal.SIGKILL


def test_processes_of_another_session_live_on():
    with subprocess.Popen(["sleep", "60"], env={**os.environ, MARK: "other"}) as other:
        undo_core_effect(process_tree("not-other"))

        assert other.poll() is None
        other.kill()


def test_a_journal_cut_off_before_its_first_line_goes_away(tmp_path):
    path = tmp_path / "cut.jsonl"
    path.touch()

    assert Journal(path).undo_all(lambda effect: True) == ()
    assert not path.exists()
