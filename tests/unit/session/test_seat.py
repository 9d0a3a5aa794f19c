import os
import stat
import sys
import time
from pathlib import Path

import pytest

from punktfunk.errors import DriverFailed, LeftAlone
from punktfunk.journal import MARK, Journal
from punktfunk.session import seat as seat_module
from punktfunk.session.memory import Memory
from punktfunk.session.seat import SessionSeat, allowed_environment


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "j.jsonl")


@pytest.fixture
def seat(tmp_path: Path, journal: Journal):
    it = SessionSeat(
        f"seat-{os.getpid()}",
        root=tmp_path / "run",
        journal=journal,
        memory=Memory(tmp_path / "memory"),
        host_environment={**os.environ, "PUNKTFUNK_MGMT_TOKEN": "secret", "DBUS_X": "y"},
    )
    it.enter()
    yield it
    it.leave()


def test_the_runtime_folder_is_private(seat):
    assert stat.S_IMODE(seat.runtime_dir.stat().st_mode) == 0o700


def test_programs_get_an_allow_list_of_the_environment(seat):
    program = seat.spawn("env", [sys.executable, "-c", "import os; print(dict(os.environ))"])
    while program.exit_status() is None:
        os.sched_yield()
    printed = seat.log_tail("env")

    assert "secret" not in printed
    assert "DBUS_X" not in printed
    assert f"'{MARK}': '{seat.name}'" in printed
    assert f"'XDG_RUNTIME_DIR': '{seat.runtime_dir}'" in printed


def test_a_token_is_not_on_the_allow_list():
    assert allowed_environment({"PUNKTFUNK_MGMT_TOKEN": "x", "PATH": "/bin"}) == {"PATH": "/bin"}


def test_leaving_ends_every_program_and_removes_the_folder(seat, journal):
    program = seat.spawn("sleep", ["sleep", "60"])
    seat.leave()

    assert program.exit_status() is not None
    assert not seat.runtime_dir.exists()
    assert journal.pending() == ()


def test_a_program_that_does_not_exist_is_an_error_with_its_name(seat):
    with pytest.raises(DriverFailed, match="could not start nothing"):
        seat.spawn("nothing", ["/no/such/program"])


def test_stopping_takes_the_whole_group(seat):
    script = (
        "import subprocess, time\nc = subprocess.Popen(['sleep', '60'])\n"
        "print(c.pid, flush=True)\ntime.sleep(60)"
    )
    program = seat.spawn("group", [sys.executable, "-c", script])
    while not seat.log_tail("group"):
        os.sched_yield()
    child = int(seat.log_tail("group"))
    program.stop()

    deadline = time.monotonic() + 30
    while not has_ended(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def has_ended(pid: int) -> bool:
    """Its parent is gone, so whoever is the reaper here may not have collected it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def test_everything_is_in_the_journal_before_it_exists(tmp_path, journal):
    it = SessionSeat(
        "early",
        root=tmp_path / "run",
        journal=journal,
        memory=Memory(tmp_path / "memory"),
        host_environment={},
    )
    kinds = []
    record = journal.record
    journal.record = lambda effect: (
        kinds.append((effect.kind, it.runtime_dir.exists())),
        record(effect),
    )
    it.enter()
    it.leave()

    assert ("directory", False) in kinds
    assert ("process_tree", False) in kinds


def test_an_app_that_cannot_be_started_leaves_no_pipe_open(tmp_path, journal):
    (tmp_path / "user" / "systemd").mkdir(parents=True)
    it = SessionSeat(
        f"pipe-{os.getpid()}",
        root=tmp_path / "run",
        journal=journal,
        memory=Memory(tmp_path / "memory"),
        host_environment={"XDG_RUNTIME_DIR": str(tmp_path / "user"), "PATH": os.environ["PATH"]},
    )
    it.enter()
    before = len(list(Path("/proc/self/fd").iterdir()))

    with pytest.raises(ValueError, match="null byte"):
        it.start_app(["true", "a\0b"], environment={})

    assert len(list(Path("/proc/self/fd").iterdir())) == before
    it.leave()


def test_a_folder_that_must_be_left_alone_stays_in_the_journal(seat, journal, monkeypatch):
    def undo(effect):
        if effect.kind == "directory":
            raise LeftAlone("there is a mount in it")
        return True

    with monkeypatch.context() as patch:
        patch.setattr(seat_module, "undo_core_effect", undo)
        seat.leave()

    assert [it.kind for it in journal.pending()] == ["directory"]
