"""An app in a systemd scope: against a stand-in for the user's systemd on a real bus, with a
real control group where one can be made.
"""

import contextlib
import importlib.util
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from punktfunk.dbus import BusError
from punktfunk.errors import DriverFailed, LeftAlone
from punktfunk.journal import MARK, Journal
from punktfunk.model.offers import HostFacts
from punktfunk.registry.discovery import PluginFilter
from punktfunk.session.app_watch import APP_MARK, AppWatch
from punktfunk.session.cleanup import CleanupRequest, undo_journal
from punktfunk.session.memory import Memory
from punktfunk.session.scope import processes_in, undo_scope
from punktfunk.session.seat import SessionSeat

UNIFIED = Path("/sys/fs/cgroup/unified")


def _fakes():
    path = Path(__file__).with_name("fake_services.py")
    spec = importlib.util.spec_from_file_location("fake_services_of_scope", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fakes = _fakes()


@pytest.fixture
def user(tmp_path):
    """Session variables of somebody who has a systemd."""
    (tmp_path / "systemd").mkdir()
    with fakes.message_bus_at(tmp_path / "bus"):
        yield {"XDG_RUNTIME_DIR": str(tmp_path), "PATH": os.environ["PATH"]}


@pytest.fixture
def systemd(user, tmp_path):
    service = fakes.UserSystemd(f"unix:path={tmp_path}/bus")
    yield service
    service.close()


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal" / "seat.jsonl")


@pytest.fixture
def seat(user, journal, tmp_path):
    seat = SessionSeat(
        f"pf-{os.getpid()}",
        root=tmp_path / "run",
        journal=journal,
        memory=Memory(tmp_path / "memory"),
        host_environment=user,
    )
    seat.enter()
    yield seat
    seat.leave()


@pytest.fixture
def group(systemd):
    """A control group that the stand-in moves processes into."""
    folder = UNIFIED / f"punktfunk-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("no control group can be made here")
    systemd.group = f"/{folder.name}"
    systemd.enter = lambda pid: (folder / "cgroup.procs").write_text(str(pid))
    systemd.stop = lambda: [os.kill(pid, signal.SIGKILL) for pid in processes_in(folder)]
    yield folder
    for pid in processes_in(folder):
        os.kill(pid, signal.SIGKILL)
    assert fakes.until(lambda: not processes_in(folder))
    folder.rmdir()


def scopes(journal):
    return [it.data["unit"] for it in Journal(journal.path).pending() if it.kind == "scope"]


def test_an_app_runs_in_a_scope_of_its_own_that_is_stopped_at_the_end(seat, systemd, journal):
    program = seat.start_app(["sleep", "300"], environment={})
    assert fakes.until(lambda: systemd.units)
    (unit,) = systemd.units
    assert unit == f"app-punktfunk-{seat.name}-0.scope"
    assert scopes(journal) == [unit]
    started = systemd.calls("StartTransientUnit")[0]
    assert ("PIDs", ("au", [program.pid])) in started[2]

    seat.leave()

    assert systemd.units == {}
    assert systemd.calls("StopUnit") == [(unit, "replace")]
    assert not journal.path.exists()


def test_the_app_starts_once_it_is_in_its_scope(seat, systemd, tmp_path):
    there = tmp_path / "there"
    seen = []
    systemd.enter = lambda pid: seen.append(there.exists())
    systemd.slow_s = 0.2

    seat.start_app(["touch", str(there)], environment={})

    assert fakes.until(there.exists)
    assert seen == [False]


@pytest.mark.parametrize(
    ("refuses", "result", "slow_s", "says"),
    [
        ("org.freedesktop.systemd1.UnitExists", "done", 0, "no such process"),
        ("", "failed", 0, "its job ended with: failed"),
        ("", "done", 1.5, "not answered within 1 s"),
    ],
)
def test_an_app_starts_although_the_manager_fails(
    seat, systemd, journal, caplog, tmp_path, refuses, result, slow_s, says
):
    caplog.set_level(logging.INFO)
    systemd.refuses, systemd.result, systemd.slow_s = refuses, result, slow_s
    there = tmp_path / "there"

    seat.start_app(["touch", str(there)], environment={})

    assert fakes.until(there.exists)
    (remark,) = [it.getMessage() for it in caplog.records if it.levelno >= logging.INFO]
    assert "no systemd scope" in remark
    assert says in remark


def test_an_app_starts_although_the_users_bus_is_gone(seat, journal, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    (tmp_path / "bus").unlink()
    there = tmp_path / "there"

    seat.start_app(["touch", str(there)], environment={})

    assert fakes.until(there.exists)
    assert "no message bus" in caplog.text
    seat.leave()
    assert not journal.path.exists()


def test_a_program_that_is_not_there_is_an_error_as_without_a_scope(seat, systemd, journal):
    with pytest.raises(DriverFailed, match="could not start app: no-such-game"):
        seat.start_app(["no-such-game"], environment={})

    assert scopes(journal) == []
    assert systemd.heard == []


def test_an_app_that_is_started_again_has_another_scope(seat, systemd, journal):
    for _ in range(2):
        seat.start_app(["true"], environment={})

    assert len(set(scopes(journal))) == 2
    seat.leave()
    assert not journal.path.exists()


def test_who_has_no_systemd_gets_no_scope(seat, systemd, journal, tmp_path):
    (tmp_path / "systemd").rmdir()

    program = seat.start_app(["sleep", "300"], environment={})

    assert program.exit_status() is None
    assert scopes(journal) == []
    assert systemd.heard == []


def test_what_a_killed_worker_left_in_a_scope_is_stopped(seat, systemd, journal):
    """The journal is all that is left of the session."""
    seat.start_app(["sleep", "300"], environment={})
    assert fakes.until(lambda: systemd.units)
    request = CleanupRequest(facts=HostFacts(), wanted=PluginFilter(allow=frozenset()))

    assert undo_journal(journal.path, request) == 0

    assert systemd.units == {}
    assert not journal.path.exists()


def test_a_unit_that_somebody_else_made_is_left_alone(seat, systemd, journal):
    seat.start_app(["true"], environment={})
    assert fakes.until(lambda: systemd.units)
    (unit,) = systemd.units
    systemd.units[unit] = "a unit of the user's"
    (effect,) = [it for it in journal.pending() if it.kind == "scope"]

    with pytest.raises(LeftAlone, match="is not what we had started"):
        undo_scope(effect)

    assert systemd.calls("StopUnit") == []
    del systemd.units[unit]


def test_a_scope_that_ends_while_it_is_asked_for_is_gone(seat, systemd, journal):
    seat.start_app(["true"], environment={})
    assert fakes.until(lambda: systemd.units)
    (effect,) = [it for it in journal.pending() if it.kind == "scope"]
    systemd.before_told = systemd.units.pop

    assert undo_scope(effect)

    assert systemd.calls("StopUnit") == []
    systemd.before_told = lambda unit: None


def test_a_scope_whose_manager_cannot_be_asked_is_kept_for_later(seat, systemd, journal, tmp_path):
    seat.start_app(["true"], environment={})
    assert fakes.until(lambda: systemd.units)
    (effect,) = [it for it in journal.pending() if it.kind == "scope"]
    (tmp_path / "bus").rename(tmp_path / "elsewhere")

    with pytest.raises(BusError):
        undo_scope(effect)

    (tmp_path / "elsewhere").rename(tmp_path / "bus")
    assert undo_scope(effect)
    assert undo_scope(effect)


LAUNCHER = """
import os, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.execve('/bin/sleep', ['sleep', '300'], {})  # a game that wants none of our environment
"""


def games_in(group):
    """Not what forked them: that one may be there for a moment longer."""
    found = []
    for pid in processes_in(group):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text() == "sleep\n":
                found.append(pid)
    return found


def test_a_game_without_our_mark_is_known_by_its_control_group(seat, systemd, group):
    ended = []
    program = seat.start_app(
        [sys.executable, "-c", LAUNCHER], environment={APP_MARK: seat.name, MARK: seat.name}
    )
    watch = AppWatch(program, seat.name, "", lambda: ended.append(True), look_every_s=0.05)
    assert fakes.until(lambda: program.exit_status() is not None and games_in(group))
    (game,) = games_in(group)
    assert Path(f"/proc/{game}/environ").read_bytes() == b""
    assert not ended
    assert program.has_left_others()

    os.kill(game, signal.SIGKILL)

    assert fakes.until(lambda: ended)
    watch.close()


def test_a_game_without_our_mark_ends_with_the_session(seat, systemd, group):
    program = seat.start_app([sys.executable, "-c", LAUNCHER], environment={})
    assert fakes.until(lambda: program.exit_status() is not None and games_in(group))

    seat.leave()

    assert fakes.until(lambda: processes_in(group) == [])


def test_processes_below_a_control_group_count_too(group):
    below = group / "below"
    below.mkdir()
    with subprocess.Popen(["sleep", "300"]) as program:
        (below / "cgroup.procs").write_text(str(program.pid))

        assert processes_in(group) == [program.pid]

        program.kill()
    assert fakes.until(lambda: processes_in(group) == [])
    below.rmdir()
    assert processes_in(below) == []
