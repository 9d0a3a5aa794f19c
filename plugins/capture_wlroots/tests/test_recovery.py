"""A compositor that is shot: noticed at once, closed without a word, and opened again."""

import os
import signal
import time
from pathlib import Path

import pytest

from punktfunk.plugin import DriverFailed, KeyEvent

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.parametrize("sway_program", ["installed", "sid"], indirect=True),
]

A = KeyEvent(vk=0x41, evdev=30, pressed=True, modifiers=0)


def kill_sway(seat) -> None:
    sway = [process for process in seat.running if process.name == "sway"][-1]
    os.kill(sway.pid, signal.SIGKILL)


def test_everything_on_it_fails_and_closes_quickly(make_desk, seat, wait, caplog) -> None:
    desk = make_desk()
    capture, devices = desk.capture(), desk.input()
    devices.handle(A)
    capture.read(5.0).release()

    kill_sway(seat)
    began = time.monotonic()
    with pytest.raises(DriverFailed, match="compositor"):
        capture.read(60.0)
    with pytest.raises(DriverFailed):
        wait(lambda: devices.handle(A) or devices.release_all(), "the end of the connection")
    with pytest.raises(DriverFailed, match="sway ended"):
        wait(desk.compositor.check, "sway to end")
    caplog.clear()
    for close in reversed(desk.closers):
        close()

    assert time.monotonic() - began < 20
    assert caplog.records == []
    assert list(seat.runtime_dir.iterdir()) == []
    assert seat.running == []


def test_it_opens_again_on_the_same_seat(make_desk, seat) -> None:
    desk = make_desk()
    capture = desk.capture()
    capture.read(5.0).release()
    x_display = desk.display.environment.get("DISPLAY", "")  # only where Xwayland is installed
    x_lock = Path(f"/tmp/.X{x_display.removeprefix(':')}-lock")
    assert x_lock.exists() is bool(x_display)
    kill_sway(seat)
    with pytest.raises(DriverFailed):
        capture.read(60.0)
    for close in reversed(desk.closers):
        close()
    assert not x_lock.exists()

    again = desk.compositor.open(seat, desk.display.mode)
    desk.closers.append(desk.compositor.close)
    client = desk.start_client("counter")
    capture, devices = desk.capture(), desk.input()

    assert again == desk.display
    capture.read(5.0).release()
    client.wait_for("focus")
    devices.handle(A)
    client.wait_for("key", key=30, state=1)
    desk.compositor.check()
