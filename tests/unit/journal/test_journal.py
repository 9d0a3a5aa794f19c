import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from punktfunk.errors import LeftAlone
from punktfunk.journal import (
    MARK,
    Journal,
    JournalBusy,
    State,
    directory,
    is_held,
    make_directory,
    process_tree,
)
from punktfunk.journal.effects import marked_processes, undo_core_effect
from punktfunk.journal.lines import read, this_boot
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


def test_a_line_that_was_cut_does_not_swallow_the_next_one(path):
    Journal(path).record(effect("a"))
    with path.open("ab") as file:
        file.write(b'{"op": "+", "kind": "test.th')

    Journal(path).record(effect("b"))

    assert Journal(path).pending() == (effect("a"), effect("b"))


def test_why_an_effect_could_not_be_undone_is_kept_for_the_next_start(path):
    journal = Journal(path)
    for name in ("raises", "says no"):
        journal.record(effect(name))

    def undo(it: Effect) -> bool:
        if it.data["name"] == "raises":
            raise OSError("the server is away")
        return False

    journal.undo_all(undo)

    told = {it.effect.data["name"]: (it.state, it.reason) for it in Journal(path).entries()}
    assert told == {
        "raises": (State.PENDING, "the server is away"),
        "says no": (State.PENDING, "it is still there"),
    }


def test_what_somebody_else_has_changed_is_left_alone_and_told(path):
    journal = Journal(path)
    journal.record(effect("sink"))

    def undo(it: Effect) -> bool:
        raise LeftAlone("the sink is another one by now")

    assert journal.undo_all(undo) == ()

    (entry,) = Journal(path).entries()
    assert (entry.state, entry.reason) == (State.LEFT_ALONE, "the sink is another one by now")
    assert Journal(path).undo_all(lambda it: pytest.fail("it was touched again")) == ()


def test_what_was_left_alone_is_not_told_for_ever(path):
    Journal(path).record(effect("old"))

    def undo(it: Effect) -> bool:
        raise LeftAlone("theirs")

    Journal(path).undo_all(undo)
    in_a_month = time.time() + 31 * 86_400

    assert read(path, lambda: in_a_month)[0] == []
    assert len(read(path)[0]) == 1


def test_a_replacement_cut_by_a_crash_loses_neither(path):
    journal = Journal(path)
    journal.record(effect("old"))
    before = len(path.read_bytes())
    journal.replace(effect("old"), effect("new"))
    whole = path.read_bytes()
    assert Journal(path).pending() == (effect("new"),)

    for cut in range(before, len(whole)):
        path.write_bytes(whole[:cut])
        pending = Journal(path).pending()
        # Without its last newline the file may be complete.
        assert effect("old") in pending or pending == (effect("new"),)


def test_an_effect_can_be_given_up_by_its_id(path):
    journal = Journal(path)
    journal.record(effect("a"))
    journal.record(effect("b"))
    entry_id = Journal(path).entries()[0].id

    assert Journal(path).give_up(entry_id)
    assert not Journal(path).give_up(entry_id)

    assert Journal(path).pending() == (effect("b"),)


def test_the_same_effect_of_two_sessions_has_two_ids(tmp_path):
    ids = set()
    for name in ("pf-1", "pf-2"):
        Journal(tmp_path / f"{name}.jsonl").record(effect("same"))
        ids |= {it.id for it in Journal(tmp_path / f"{name}.jsonl").entries()}

    assert len(ids) == 2


def test_what_lived_in_memory_is_gone_after_a_reboot_and_the_rest_is_not(path):
    journal = Journal(path)
    journal.record(attrs.evolve(effect("sink"), until_reboot=True))
    journal.record(effect("file"))
    assert len(Journal(path).pending()) == 2
    path.write_text(path.read_text().replace(this_boot(), "an-earlier-boot"))

    assert Journal(path).pending() == (effect("file"),)


def test_two_cannot_undo_the_same_journal_at_once(path):
    first, second = Journal(path), Journal(path)
    first.hold()

    with pytest.raises(JournalBusy, match=r"at work on session\.jsonl"):
        second.hold(0.1)
    assert is_held(path)
    first.release()
    second.hold()

    second.release()
    assert not path.exists()


def test_who_waited_for_a_journal_sees_what_was_written_meanwhile(path):
    first, second = Journal(path), Journal(path)
    first.hold()
    first.record(effect("late"))
    waiting = threading.Thread(target=second.hold, args=(30,))
    waiting.start()

    first.release()
    waiting.join(30)

    assert second.pending() == (effect("late"),)
    second.release()


def test_a_holder_that_is_killed_lets_go(path):
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom punktfunk.journal import Journal\n"
        "Journal(Path(sys.argv[1])).hold()\nprint('held', flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        assert is_held(path)
        holder.kill()
        holder.wait()

        Journal(path).hold(30)


def test_a_held_journal_that_runs_empty_can_be_written_again(path):
    journal = Journal(path)
    journal.hold()
    journal.record(effect("a"))
    journal.forget(effect("a"))
    journal.record(effect("b"))

    assert Journal(path).pending() == (effect("b"),)
    journal.forget(effect("b"))
    journal.release()
    journal.release()
    assert not path.exists()


def test_a_folder_whose_removal_was_cut_short_is_removed_by_the_next_one(tmp_path):
    folder = tmp_path / "seat"
    make_directory(folder, "seat-1")
    (folder / "kept").mkdir()
    (folder / ".punktfunk-seat").write_text("")  # cut between making and signing
    assert undo_core_effect(directory(folder, "seat-1"))
    assert folder.exists()  # there is more in it: not ours

    (folder / "kept").rmdir()
    assert undo_core_effect(directory(folder, "seat-1"))
    assert not folder.exists()


def test_a_folder_stays_while_a_process_of_the_session_is_left(tmp_path):
    folder, mark = tmp_path / "seat", f"left-{os.getpid()}"
    make_directory(folder, mark)
    (folder / "socket").write_text("x")
    with subprocess.Popen(["sleep", "60"], env={**os.environ, MARK: mark}) as left:
        assert not undo_core_effect(directory(folder, mark))
        assert (folder / "socket").exists()
        left.kill()

    assert undo_core_effect(directory(folder, mark))
    assert not folder.exists()
