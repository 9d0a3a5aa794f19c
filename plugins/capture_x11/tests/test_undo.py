"""What a host that was killed left behind, found by what it wrote down."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import punktfunk_capture_x11 as plugin
import pytest
from punktfunk_capture_x11.compositor import X11Compositor
from punktfunk_capture_x11.displays import (
    display_effect,
    free_numbers,
    lock_path,
    socket_path,
)

from punktfunk.plugin import DriverFailed, Effect, HostFacts, VideoMode
from punktfunk.testing import FakeSeat

pytestmark = pytest.mark.desktop

_OWNER = """
import sys, time
from punktfunk.plugin import VideoMode
from punktfunk.testing import FakeSeat
from punktfunk_capture_x11.compositor import X11Compositor
seat = FakeSeat("seat-left")
X11Compositor().open(seat, VideoMode(width_px=320, height_px=200, refresh_mhz=60_000))
(effect,) = seat.effects
print(effect.data["number"], effect.data["authority"], *(it.pid for it in seat.running), flush=True)
time.sleep(60)
"""


def undo(effect: Effect) -> bool:
    return plugin.effect_undo(effect=effect, host=HostFacts())


@pytest.fixture
def left_behind(programs) -> Iterator[tuple[Effect, list[int]]]:
    """The effect and the processes of a session whose owner was killed without warning."""
    programs("Xvfb", "openbox")
    argv = [sys.executable, "-c", _OWNER]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as owner:
        number, authority, *pids = owner.stdout.readline().split()
        owner.kill()
    processes = [int(pid) for pid in pids]
    yield (
        Effect(kind="x11.display", data={"number": int(number), "authority": authority}),
        processes,
    )
    for pid in filter(is_alive, processes):
        os.kill(pid, signal.SIGKILL)
    folder = Path(authority).parents[1]
    assert folder.name.startswith("pf-")
    subprocess.run(["rm", "-r", str(folder)], check=False)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_display_whose_owner_was_killed_is_taken_down(left_behind, wait) -> None:
    effect, (xvfb, window_manager) = left_behind
    assert is_alive(xvfb)

    assert undo(effect)

    assert not is_alive(xvfb)
    assert not lock_path(effect.data["number"]).exists()
    assert not socket_path(effect.data["number"]).exists()
    wait(lambda: not is_alive(window_manager), "the window manager to end with its display")
    assert undo(effect)


def test_a_display_that_was_killed_too_leaves_neither_lock_nor_socket(left_behind, wait) -> None:
    effect, (xvfb, _) = left_behind
    os.kill(xvfb, signal.SIGKILL)
    wait(lambda: not is_alive(xvfb), "Xvfb to end")
    assert socket_path(effect.data["number"]).exists()

    assert undo(effect)

    assert not lock_path(effect.data["number"]).exists()
    assert not socket_path(effect.data["number"]).exists()


def test_a_display_of_somebody_else_is_left_alone(make_desk, seat, tmp_path) -> None:
    desk = make_desk()
    number = int(desk.display.environment["DISPLAY"].removeprefix(":"))

    assert undo(display_effect(number, tmp_path / "x11.authority"))

    desk.compositor.check()
    assert socket_path(number).exists()


def test_a_socket_without_a_lock_is_left_alone(tmp_path) -> None:
    number = next(free_numbers())
    socket_path(number).parent.mkdir(mode=0o1777, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(socket_path(number)))
        try:
            assert undo(display_effect(number, tmp_path / "x11.authority"))
            assert socket_path(number).exists()
        finally:
            socket_path(number).unlink()


def test_an_effect_that_nobody_caused_is_gone() -> None:
    number = next(free_numbers())

    assert undo(display_effect(number, Path("/run/nobody/x11.authority")))


@pytest.mark.parametrize(
    "data",
    [{}, {"number": "12", "authority": "/x"}, {"number": 120}, {"number": -3, "authority": 1}],
)
def test_a_damaged_effect_is_not_asked_for_again(data) -> None:
    assert undo(Effect(kind="x11.display", data=data))


def test_an_effect_of_another_kind_is_not_ours() -> None:
    assert not undo(Effect(kind="x11.unknown", data={}))


def test_a_seat_that_cannot_start_anything_keeps_no_effect(programs, tmp_path) -> None:
    programs("Xvfb")
    broken = tmp_path / "Xvfb"
    broken.write_text("#!/nowhere/sh\n")
    broken.chmod(0o755)
    with FakeSeat() as seat:
        compositor = X11Compositor({"xvfb": str(broken)})

        with pytest.raises(DriverFailed, match="could not be started"):
            compositor.open(seat, VideoMode(width_px=320, height_px=200, refresh_mhz=60_000))

        assert seat.effects == []
        assert list(seat.runtime_dir.iterdir()) == []
