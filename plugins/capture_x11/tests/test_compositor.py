import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from punktfunk_capture_x11.compositor import X11Compositor
from punktfunk_capture_x11.connection import Connection
from punktfunk_capture_x11.displays import lock_path, socket_path

from punktfunk.plugin import DriverFailed, DriverUnavailable, KeyEvent, VideoMode

pytestmark = pytest.mark.desktop

MODE = VideoMode(width_px=640, height_px=360, refresh_mhz=60_000)


def number_of(display) -> int:
    return int(display.environment["DISPLAY"].removeprefix(":"))


def rate_of(display) -> float:
    """The refresh rate that programs are told, in hertz."""
    shown = """
import xcffib, xcffib.xproto, xcffib.randr
x = xcffib.connect()
randr, root = x(xcffib.randr.key), x.setup.roots[0].root
resources = randr.GetScreenResources(root).reply()
used = randr.GetCrtcInfo(resources.crtcs[0], 0).reply().mode
mode = next(mode for mode in resources.modes if mode.id == used)
print(mode.dot_clock / mode.htotal / mode.vtotal, mode.width, mode.height, len(resources.modes))
"""
    environment = {**os.environ, **display.environment}
    argv = [sys.executable, "-c", shown]
    out = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True).stdout
    rate, width, height, _ = map(float, out.split())
    assert (width, height) == (display.mode.width_px, display.mode.height_px)
    return rate


def try_to_connect(display) -> subprocess.CompletedProcess[str]:
    """Ask the display for its size as somebody who has no cookie."""
    environment = {"PATH": os.environ["PATH"], "DISPLAY": display.environment["DISPLAY"]}
    environment |= {"XAUTHORITY": "/dev/null", "HOME": "/nonexistent"}
    argv = ["xdpyinfo"]
    if os.geteuid() == 0:
        argv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *argv]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=30)


def listening_tcp_sockets(pid: int) -> list[str]:
    links = (str(it.readlink()) for it in Path(f"/proc/{pid}/fd").iterdir())
    inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes:
                found.append(fields[1])
    return found


def abstract_sockets(number: int) -> list[str]:
    lines = Path("/proc/net/unix").read_text().splitlines()
    return [line for line in lines if line.endswith(f" @/tmp/.X11-unix/X{number}")]


def test_the_display_has_exactly_the_asked_mode(make_desk) -> None:
    desk = make_desk(1366, 768, 59_940)

    connection = Connection(desk.display.environment)

    assert connection.size() == (1366, 768)
    connection.close()
    assert rate_of(desk.display) == pytest.approx(59.94, abs=0.001)


def test_a_display_may_be_larger_than_the_setting_for_later_ones(make_desk) -> None:
    desk = make_desk(1280, 1024, max_width=800, max_height=2000)

    connection = Connection(desk.display.environment)

    assert connection.size() == (1280, 1024)
    connection.close()


def test_the_mode_changes_while_a_program_runs(make_desk) -> None:
    desk = make_desk(640, 360)
    client = desk.start_client("still")

    display = desk.compositor.resize(VideoMode(width_px=1920, height_px=1200, refresh_mhz=30_000))

    assert display.environment == desk.display.environment
    assert rate_of(display) == pytest.approx(30, abs=0.001)
    client.wait_for("size", width=1920, height=1200)


def test_the_same_modes_again_and_again_are_fine(make_desk) -> None:
    desk = make_desk(640, 360)

    for _ in range(3):
        for width in (800, 640):
            mode = VideoMode(width_px=width, height_px=360, refresh_mhz=60_000)
            assert desk.compositor.resize(mode).mode == mode


def test_a_display_that_cannot_grow_says_so_and_lives_on(make_desk) -> None:
    desk = make_desk(640, 360, max_width=800, max_height=600)

    with pytest.raises(DriverFailed, match="max_width"):
        desk.compositor.resize(VideoMode(width_px=1920, height_px=1080, refresh_mhz=60_000))

    desk.compositor.check()
    desk.compositor.resize(VideoMode(width_px=800, height_px=600, refresh_mhz=60_000))


def test_programs_are_told_of_this_display_only(make_desk) -> None:
    desk = make_desk()

    assert sorted(desk.display.environment) == ["DISPLAY", "XAUTHORITY", "XDG_SESSION_TYPE"]
    assert desk.display.environment["XDG_SESSION_TYPE"] == "x11"


def test_only_the_owner_can_read_the_cookie(make_desk) -> None:
    desk = make_desk()

    authority = Path(desk.display.environment["XAUTHORITY"])

    assert authority.stat().st_mode & 0o777 == 0o600
    assert authority.stat().st_uid == os.geteuid()


def test_nobody_is_let_in_without_the_cookie(make_desk, programs) -> None:
    programs("xdpyinfo", "setpriv")
    desk = make_desk()

    refused = try_to_connect(desk.display)

    assert refused.returncode != 0
    assert "unable to open display" in refused.stderr


def test_it_listens_on_its_own_socket_file_and_nowhere_else(make_desk, seat) -> None:
    desk = make_desk()
    xvfb = seat.processes[0]

    assert socket_path(number_of(desk.display)).is_socket()
    assert listening_tcp_sockets(xvfb.pid) == []
    assert abstract_sockets(number_of(desk.display)) == []


def test_the_cookie_of_one_display_does_not_open_another(make_desk, other_seat) -> None:
    first, second = make_desk(640, 360), make_desk(800, 600, seat=other_seat)
    theirs, ours = (number_of(it.display) for it in (second, first))
    crossed = second.seat.runtime_dir / "crossed"
    cookie = Path(first.display.environment["XAUTHORITY"]).read_bytes()
    crossed.write_bytes(cookie.replace(str(ours).encode(), str(theirs).encode(), 1))

    with pytest.raises(DriverFailed, match="does not let us in"):
        Connection({**second.display.environment, "XAUTHORITY": str(crossed)})

    Connection(second.display.environment).close()


def test_a_number_that_somebody_takes_first_is_left_to_them(
    make_desk, other_seat, monkeypatch
) -> None:
    first = make_desk()
    taken = number_of(first.display)
    monkeypatch.setattr(
        "punktfunk_capture_x11.server.free_numbers", lambda: iter([taken, taken + 1])
    )

    second = make_desk(seat=other_seat)

    assert number_of(second.display) == taken + 1
    assert len(other_seat.effects) == 1
    first.compositor.check()
    first.start_client("still")


def test_it_starts_beside_the_leftovers_of_a_crashed_one(make_desk, seat) -> None:
    crashed = make_desk()
    os.kill(seat.processes[0].pid, signal.SIGKILL)
    seat.processes[0].stop()
    assert lock_path(number_of(crashed.display)).exists()

    again = make_desk()

    again.compositor.check()
    again.start_client("still")


def test_a_killed_display_is_noticed_and_leaves_nothing(make_desk, seat, wait) -> None:
    desk = make_desk()
    desk.compositor.check()
    number = number_of(desk.display)

    os.kill(seat.processes[0].pid, signal.SIGKILL)
    wait(lambda: seat.processes[0].exit_status() is not None, "Xvfb to end")

    with pytest.raises(DriverFailed, match="Xvfb ended with status -9"):
        desk.compositor.check()
    desk.compositor.close()
    assert not lock_path(number).exists()
    assert not socket_path(number).exists()


def test_closing_leaves_no_process_no_file_and_no_socket(make_desk, seat) -> None:
    desk = make_desk()
    desk.capture().read(1.0)
    number = number_of(desk.display)

    for close in reversed(desk.closers):
        close()
        close()

    assert [process.name for process in seat.processes] == ["xvfb", "window-manager"]
    assert seat.running == []
    assert seat.effects == []
    assert list(seat.runtime_dir.iterdir()) == []
    assert not lock_path(number).exists()
    assert not socket_path(number).exists()


def test_the_display_is_written_down_before_it_is_started(make_desk, seat) -> None:
    desk = make_desk()

    (effect,) = seat.recorded

    assert effect.kind == "x11.display"
    assert effect.data["number"] == number_of(desk.display)


def test_its_default_program_is_a_terminal_that_fills_the_screen(make_desk) -> None:
    desk = make_desk(640, 360)
    launch = desk.compositor.default_app()

    terminal = desk.start("terminal", launch)

    desk.wait_for_focus()
    assert launch.argv[0] == "xterm"
    assert terminal.exit_status() is None
    connection = Connection(desk.display.environment)
    focus = connection.reply(connection.core.GetInputFocus()).focus
    geometry = connection.reply(connection.core.GetGeometry(focus))
    connection.close()
    assert geometry.width > 600
    assert geometry.height > 330


def test_it_works_without_a_window_manager(make_desk) -> None:
    desk = make_desk(window_manager=["true"])
    devices = desk.input()

    client = desk.start_client("still")
    devices.handle(KeyEvent(vk=0x41, evdev=30, pressed=True))

    client.wait_for("key", key=30, state=1)


def test_the_terminal_can_be_chosen() -> None:
    compositor = X11Compositor({"terminal": ["xterm", "-e", "top"]})

    assert compositor.default_app().argv == ("xterm", "-e", "top")


def test_a_server_that_is_not_there_is_a_reason_with_a_hint(seat) -> None:
    compositor = X11Compositor({"xvfb": "/nowhere/Xvfb"})

    with pytest.raises(DriverUnavailable, match="not installed") as error:
        compositor.open(seat, MODE)

    assert "install" in error.value.hint
    assert list(seat.runtime_dir.iterdir()) == []


def test_a_server_that_ends_at_once_says_why(seat, tmp_path) -> None:
    xvfb = tmp_path / "Xvfb"
    xvfb.write_text("#!/bin/sh\necho no memory\nexit 3\n")
    xvfb.chmod(0o755)
    compositor = X11Compositor({"xvfb": str(xvfb)})

    with pytest.raises(DriverFailed, match="Xvfb ended with status 3: no memory"):
        compositor.open(seat, MODE)

    assert seat.running == []
    assert seat.effects == []


def test_a_background_that_is_no_colour_is_a_reason(seat, programs) -> None:
    programs("Xvfb")
    compositor = X11Compositor({"background": "blue; rm"})

    with pytest.raises(DriverUnavailable, match="not a colour"):
        compositor.open(seat, MODE)

    assert seat.running == []
    assert seat.effects == []


def test_an_unprivileged_user_can_run_it(programs, run_unprivileged) -> None:
    programs("Xvfb")

    answer = run_unprivileged(
        """
        mode = VideoMode(width_px=320, height_px=200, refresh_mhz=60_000)
        with FakeSeat() as seat:
            compositor, capture = X11Compositor(), X11Capture()
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
        print(f" [Xvfb up in {took_s * 1_000:.0f} ms] ", end="")
    assert took_s < 10
