import os
import signal
import time

import pytest
from punktfunk_capture_wlroots.compositor import WlrootsCompositor
from punktfunk_capture_wlroots.ipc import SwayIpc

from punktfunk.plugin import DriverFailed, DriverUnavailable, VideoMode

pytestmark = pytest.mark.desktop


def current_mode(seat) -> tuple[int, int, int]:
    ipc = SwayIpc(seat.runtime_dir / "sway.sock")
    (output,) = ipc.outputs()
    ipc.close()
    mode = output["current_mode"]
    return mode["width"], mode["height"], mode["refresh"]


def test_the_display_has_exactly_the_asked_mode(make_desk, seat) -> None:
    desk = make_desk(1366, 768, 59_940)

    assert current_mode(seat) == (1366, 768, 59_940)
    assert desk.display.output == "HEADLESS-1"
    assert (seat.runtime_dir / desk.display.environment["WAYLAND_DISPLAY"]).is_socket()


def test_the_mode_changes_while_a_program_runs(make_desk, seat) -> None:
    desk = make_desk(640, 360)
    client = desk.start_client("still")

    display = desk.compositor.resize(VideoMode(width_px=800, height_px=600, refresh_mhz=30_000))

    assert display.mode.width_px == 800
    assert display.environment == desk.display.environment
    assert current_mode(seat) == (800, 600, 30_000)
    client.wait_for("size", width=800, height=600)


def test_it_starts_beside_the_leftovers_of_a_crashed_one(make_desk, seat) -> None:
    crashed = make_desk()
    os.kill(seat.processes[0].pid, signal.SIGKILL)
    seat.processes[0].stop()
    assert (seat.runtime_dir / crashed.display.environment["WAYLAND_DISPLAY"]).exists()

    again = make_desk()

    again.compositor.check()
    again.start_client("still")


def test_a_killed_compositor_is_noticed(make_desk, seat, wait) -> None:
    desk = make_desk()
    desk.compositor.check()

    os.kill(seat.processes[0].pid, signal.SIGKILL)
    wait(lambda: seat.processes[0].exit_status() is not None, "sway to end")

    with pytest.raises(DriverFailed, match="sway ended"):
        desk.compositor.check()


def test_closing_leaves_no_process_and_no_file(make_desk, seat) -> None:
    desk = make_desk()
    desk.capture().read(1.0)

    for close in reversed(desk.closers):
        close()
        close()

    assert [process.name for process in seat.processes] == ["sway", "background"]
    assert seat.running == []
    assert list(seat.runtime_dir.iterdir()) == []


def test_its_default_program_is_a_terminal_that_is_installed(make_desk) -> None:
    desk = make_desk()
    launch = desk.compositor.default_app()

    terminal = desk.start("terminal", launch)

    desk.wait_for_window()
    assert terminal.exit_status() is None


def test_the_terminal_can_be_chosen() -> None:
    compositor = WlrootsCompositor({"terminal": ["xterm", "-e", "top"]})

    assert compositor.default_app().argv == ("xterm", "-e", "top")


def test_a_sway_that_is_not_there_is_a_reason_with_a_hint(seat) -> None:
    compositor = WlrootsCompositor({"sway": "/nowhere/sway"})

    with pytest.raises(DriverUnavailable, match="not installed") as error:
        compositor.open(seat, VideoMode(width_px=640, height_px=360, refresh_mhz=60_000))

    assert "install" in error.value.hint
    assert list(seat.runtime_dir.iterdir()) == []


def test_a_sway_that_ends_at_once_says_why(seat, tmp_path) -> None:
    sway = tmp_path / "sway"
    sway.write_text('#!/bin/sh\n[ "$1" = --version ] && echo sway version 1.10 || exit 3\n')
    sway.chmod(0o755)
    compositor = WlrootsCompositor({"sway": str(sway)})

    with pytest.raises(DriverFailed, match="sway ended with status 3"):
        compositor.open(seat, VideoMode(width_px=640, height_px=360, refresh_mhz=60_000))

    assert seat.running == []


def test_an_unprivileged_user_can_run_it(programs, run_unprivileged) -> None:
    programs("sway")

    answer = run_unprivileged(
        """
        mode = VideoMode(width_px=320, height_px=200, refresh_mhz=60_000)
        with FakeSeat() as seat:
            compositor, capture = WlrootsCompositor(), WlrootsCapture()
            try:
                display = compositor.open(seat, mode)
                capture.open(seat, display, mode)
                print(capture.read(2.0).planes[0].shape)
            finally:
                capture.close()
                compositor.close()
        """
    )

    assert answer.strip() == "(200, 1280)"


def test_starting_takes_a_fraction_of_a_second(make_desk, capsys) -> None:
    began = time.monotonic()

    make_desk(1920, 1080)

    took_s = time.monotonic() - began
    with capsys.disabled():
        print(f" [sway up in {took_s * 1_000:.0f} ms] ", end="")
    assert took_s < 5
