import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from punktfunk.errors import DriverFailed
from punktfunk.model.plugins import Effect
from punktfunk.testing import FakeSeat
from punktfunk.testing.compositor import until


@pytest.fixture
def seat() -> Iterator[FakeSeat]:
    with FakeSeat() as seat:
        yield seat


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_for_log(seat: FakeSeat, name: str, text: str) -> None:
    assert until(lambda: text in seat.log_tail(name)), seat.log_tail(name)


def test_the_runtime_folder_is_private_and_its_path_is_short(seat: FakeSeat) -> None:
    assert stat.S_IMODE(seat.runtime_dir.stat().st_mode) == 0o700
    assert len(str(seat.runtime_dir / "wayland-0.lock")) < 100


def test_programs_see_the_seat_and_not_the_host(
    seat: FakeSeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", "secret")

    seat.spawn("env", ["env"], environment={"WAYLAND_DISPLAY": "wayland-7"})

    wait_for_log(seat, "env", "WAYLAND_DISPLAY=wayland-7")
    log = seat.log_tail("env", lines=100)
    assert f"XDG_RUNTIME_DIR={seat.runtime_dir}" in log
    assert "API_TOKEN" not in log


def test_stopping_a_program_stops_what_it_started(seat: FakeSeat) -> None:
    program = seat.spawn("shell", ["sh", "-c", "sleep 60 & echo child $!; wait"])
    wait_for_log(seat, "shell", "child")
    child = int(seat.log_tail("shell").split()[-1])

    program.stop()

    assert program.exit_status() == -signal.SIGTERM
    assert until(lambda: is_gone(child))


def test_what_a_dead_program_left_running_is_stopped_too(seat: FakeSeat) -> None:
    program = seat.spawn("shell", ["sh", "-c", "sleep 60 & echo child $!"])
    wait_for_log(seat, "shell", "child")
    child = int(seat.log_tail("shell").split()[-1])
    assert until(lambda: program.exit_status() == 0)
    assert not is_gone(child)

    program.stop()

    assert until(lambda: is_gone(child))


def test_a_program_that_will_not_stop_is_killed(seat: FakeSeat) -> None:
    program = seat.spawn(
        "shell", ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]
    )
    wait_for_log(seat, "shell", "ready")

    program.stop(timeout_s=0.1)

    assert program.exit_status() == -signal.SIGKILL


def test_a_program_that_does_not_exist_is_a_failure(seat: FakeSeat) -> None:
    with pytest.raises(DriverFailed, match="nothing could not be started"):
        seat.spawn("nothing", ["punktfunk-no-such-program"])


def test_the_tail_of_a_log_is_the_last_lines(seat: FakeSeat) -> None:
    seat.spawn("seq", ["seq", "100"])

    wait_for_log(seat, "seq", "100")

    assert seat.log_tail("seq", lines=3) == "98\n99\n100"
    assert seat.log_tail("never started") == ""


def test_effects_are_kept_until_they_are_forgotten(seat: FakeSeat) -> None:
    first, second = Effect(kind="a.b", data={"n": 1}), Effect(kind="a.b", data={"n": 2})

    seat.record(first)
    seat.record(second)
    seat.forget(first)

    assert seat.effects == [second]
    assert seat.recorded == [first, second]


def test_closing_stops_everything_and_removes_the_folder() -> None:
    seat = FakeSeat()
    program = seat.spawn("sleep", ["sleep", "60"])

    seat.close()
    seat.close()

    assert program.stopped
    assert not seat.runtime_dir.exists()
    assert not (seat.runtime_dir.parent).exists()
