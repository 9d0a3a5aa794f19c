"""A file of another program: changed, put back, and left alone when it is not ours any more."""

import subprocess
import sys
from pathlib import Path

import pytest

from punktfunk.errors import LeftAlone
from punktfunk.journal import Journal, change_file, compare_and_restore, undo_core_effect
from punktfunk.journal.files import MAX_BYTES, FileNotChanged

OURS = b"[streamed]\n"


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    path = tmp_path / "kwinrc"
    path.write_bytes(b"[user]\n")
    path.chmod(0o640)
    return path


def change(path: Path) -> object:
    effects = []
    change_file(path, OURS, effects.append)
    return effects[0]


def test_a_file_is_changed_and_put_back(theirs):
    effect = change(theirs)
    assert theirs.read_bytes() == OURS
    assert theirs.stat().st_mode & 0o777 == 0o640

    assert undo_core_effect(effect)
    assert undo_core_effect(effect)

    assert theirs.read_bytes() == b"[user]\n"
    assert theirs.stat().st_mode & 0o777 == 0o640
    assert list(theirs.parent.iterdir()) == [theirs]


def test_a_file_that_was_not_there_is_gone_again(tmp_path):
    path = tmp_path / "new.conf"
    effect = change(path)
    assert path.read_bytes() == OURS

    assert undo_core_effect(effect)
    assert undo_core_effect(effect)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("existed", [True, False])
def test_a_file_that_somebody_has_changed_since_is_theirs(tmp_path, existed):
    path = tmp_path / "settings"
    if existed:
        path.write_text("before")
    effect = change(path)
    path.write_text("changed by a person")

    with pytest.raises(LeftAlone, match="settings was changed by somebody since"):
        undo_core_effect(effect)

    assert path.read_text() == "changed by a person"


def test_a_file_that_somebody_has_removed_stays_away(theirs):
    effect = change(theirs)
    theirs.unlink()

    with pytest.raises(LeftAlone):
        undo_core_effect(effect)

    assert not theirs.exists()


def test_what_a_link_leads_to_is_changed_and_the_link_stays(theirs, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(theirs)
    effect = change(link)
    assert (link.is_symlink(), theirs.read_bytes()) == (True, OURS)

    undo_core_effect(effect)

    assert (link.is_symlink(), link.read_bytes()) == (True, b"[user]\n")


def test_what_cannot_be_put_back_is_not_changed(tmp_path):
    large = tmp_path / "large"
    large.write_bytes(bytes(MAX_BYTES + 1))
    effects = []

    for path in (large, tmp_path):
        with pytest.raises(FileNotChanged):
            change_file(path, OURS, effects.append)

    assert effects == []
    assert large.stat().st_size == MAX_BYTES + 1


def test_the_journal_has_it_before_the_file_changes(theirs):
    seen = []

    change_file(theirs, OURS, lambda effect: seen.append(theirs.read_bytes()))

    assert seen == [b"[user]\n"]


CRASHING = """
import os, sys
from pathlib import Path
from punktfunk.journal import Journal, change_file
calls = 0
def count(event, arguments):
    global calls
    if event in ("open", "os.rename", "os.chmod", "os.remove"):
        calls += 1
        if calls == int(sys.argv[3]):
            os.kill(os.getpid(), 9)
journal = Journal(Path(sys.argv[1]))
sys.addaudithook(count)
change_file(Path(sys.argv[2]), b"ours", journal.record)
"""


def test_killed_at_any_step_the_file_is_as_it_was(theirs, tmp_path):
    journal = tmp_path / "journal" / "j.jsonl"
    journal.parent.mkdir()
    status, step = -9, 0
    while status == -9:
        step += 1
        words = [sys.executable, "-c", CRASHING, journal, theirs, str(step)]
        status = subprocess.run(words, check=False).returncode

        assert theirs.read_bytes() in (b"[user]\n", b"ours")
        assert Journal(journal).undo_all(undo_core_effect) == ()

        assert theirs.read_bytes() == b"[user]\n"
        assert {it.name for it in tmp_path.iterdir()} == {"kwinrc", "journal"}
        assert list(journal.parent.iterdir()) == []
    assert (status, step > 4) == (0, True)


@pytest.mark.parametrize(
    ("now", "restored"), [("ours", ["before"]), ("before", [])], ids=["ours", "already back"]
)
def test_a_value_is_put_back_only_when_it_is_still_ours(now, restored):
    done = []

    assert compare_and_restore(
        "the sink", now=now, ours="ours", before="before", restore=done.append
    )

    assert done == restored


def test_a_value_of_somebody_else_is_left_alone():
    with pytest.raises(LeftAlone, match="the default sink was changed by somebody since"):
        compare_and_restore(
            "the default sink",
            now="theirs",
            ours="ours",
            before="before",
            restore=lambda it: pytest.fail("it was changed"),
        )
