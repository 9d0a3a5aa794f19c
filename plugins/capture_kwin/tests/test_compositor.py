import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from punktfunk_capture_kwin.capture import KwinCapture
from punktfunk_capture_kwin.compositor import KwinCompositor
from punktfunk_capture_kwin.input import KwinInput
from punktfunk_capture_kwin.own import command_line, copy_without_capability, write_config
from punktfunk_capture_kwin.permission import desktop_file
from punktfunk_capture_kwin.probe import attach_availability
from punktfunk_capture_kwin.settings import PICTURES, KwinSettings
from punktfunk_capture_kwin.wayland import Connection

from punktfunk.plugin import DriverFailed, DriverUnavailable, KeyEvent, VideoMode
from punktfunk.testing import FakeSeat

pytestmark = pytest.mark.desktop

MENU = (
    "<Menu><Name>Programs</Name><DefaultAppDirs/><DefaultDirectoryDirs/>"
    "<Include><All/></Include></Menu>"
)
MODE = VideoMode(width_px=640, height_px=360, refresh_mhz=60_000)


def process(seat, name: str):
    return next(process for process in seat.processes if process.name == name)


@pytest.fixture
def plasma(make_desk, monkeypatch):
    """A KWin that takes the part of the user's own session."""
    desk = make_desk()
    runtime = desk.seat.runtime_dir
    (runtime / "pipewire-0").symlink_to(Path(desk.display.environment[PICTURES]) / "pipewire-0")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-kwin")
    return desk


@pytest.fixture
def guest_seat():
    with FakeSeat("seat-guest") as seat:
        yield seat


def test_the_display_has_the_asked_size(make_desk) -> None:
    desk = make_desk(1366, 768)

    connection = Connection(desk.display.environment)
    desk.closers.append(connection.close)

    assert connection.output_names() == [desk.display.output]
    assert desk.capture().read(2.0).width_px == 1366


def test_closing_leaves_no_process_and_no_file(make_desk, seat) -> None:
    desk = make_desk()
    desk.capture().read(1.0)

    for close in reversed(desk.closers):
        close()
        close()

    assert seat.running == []
    assert list(seat.runtime_dir.iterdir()) == []


@pytest.mark.parametrize("part", ["kwin", "pictures-pipewire", "pictures-wireplumber"])
def test_a_part_that_is_killed_is_noticed_and_named(make_desk, seat, wait, part: str) -> None:
    desk = make_desk()
    desk.compositor.check()

    os.kill(process(seat, part).pid, signal.SIGKILL)
    wait(lambda: process(seat, part).exit_status() is not None, "it to end")

    with pytest.raises(DriverFailed, match=f"(?i){part.removeprefix('pictures-')} ended"):
        desk.compositor.check()


def test_it_starts_beside_the_leftovers_of_a_crashed_one(make_desk, seat) -> None:
    make_desk()
    for each in seat.running:
        os.kill(each.pid, signal.SIGKILL)
        each.stop()

    again = make_desk()

    again.compositor.check()
    again.start_client("still")


def test_it_leaves_the_users_settings_alone(make_desk, seat) -> None:
    desk = make_desk()
    desk.start_client("still")

    touched = [path.name for path in Path(seat.environment["HOME"]).rglob("*kwin*")]

    assert touched == []


def test_a_headless_kwin_keeps_its_size_and_says_so(make_desk, caplog) -> None:
    desk = make_desk()

    display = desk.compositor.resize(VideoMode(width_px=800, height_px=600, refresh_mhz=30_000))

    assert display == desk.display
    assert "keeps its size" in caplog.text


def test_a_layout_that_is_none_is_a_reason(seat, programs) -> None:
    programs("kwin_wayland")
    compositor = KwinCompositor({"keyboard_layout": "us; rm"})

    with pytest.raises(DriverUnavailable, match="not a keyboard layout"):
        compositor.open(seat, MODE)

    assert seat.running == []


def test_attached_it_shows_and_steers_the_running_session(plasma, guest_seat) -> None:
    client = plasma.start_client("still")
    compositor = KwinCompositor()
    capture, devices = KwinCapture(), KwinInput()
    try:
        display = compositor.attach(guest_seat, MODE)
        capture.open(guest_seat, display, MODE)
        devices.open(guest_seat, display, lambda feedback: None)
        devices.handle(KeyEvent(vk=0, evdev=30, pressed=True))
        devices.release_all()
        client.wait_for("key", key=30, state=0)
        deadline = time.monotonic() + 20
        while True:
            frame = capture.read(0.2)
            if frame is not None and frame.planes[0][90, 640 - 4] == 0:
                break
            assert time.monotonic() < deadline

        assert display.output == plasma.display.output
        assert frame.planes[0][90, 640 : 640 + 3].tolist() == [0, 0, 0xC0]
        assert guest_seat.running == []
    finally:
        devices.close()
        capture.close()
        compositor.close()

    plasma.compositor.check()
    assert guest_seat.effects == []


def test_attached_it_notices_that_the_session_ended(plasma, guest_seat, wait) -> None:
    compositor = KwinCompositor()
    compositor.attach(guest_seat, MODE)
    compositor.check()

    os.kill(process(plasma.seat, "kwin").pid, signal.SIGKILL)
    wait(lambda: process(plasma.seat, "kwin").exit_status() is not None, "KWin to end")

    with pytest.raises(DriverFailed, match=r"gone|closed"):
        compositor.check()
    compositor.close()


def test_a_screen_that_is_not_there_is_a_reason_with_the_names(plasma, guest_seat) -> None:
    compositor = KwinCompositor({"output": "HDMI-A-9"})

    with pytest.raises(DriverUnavailable, match="HDMI-A-9") as error:
        compositor.attach(guest_seat, MODE)

    assert plasma.display.output in error.value.hint


def test_without_a_session_attaching_is_refused(guest_seat, monkeypatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(guest_seat.runtime_dir))
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

    with pytest.raises(DriverUnavailable, match="no Plasma session"):
        KwinCompositor().attach(guest_seat, MODE)


def test_permission_is_a_desktop_file_with_our_interpreter(seat, programs, wait) -> None:
    programs("kwin_wayland")
    folder = seat.runtime_dir / "kwin"
    write_config(folder, "us")
    program = copy_without_capability("/usr/bin/kwin_wayland", folder)
    wishes = KwinSettings.read({"xwayland": False})
    environment = {
        "XDG_CONFIG_HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_DATA_HOME": str(folder / "data"),
        "KWIN_COMPOSE": "O2",
    }
    # Without a menu KDE's libraries find no programs at all.
    (folder / "menus").mkdir()
    (folder / "menus" / "kf5-applications.menu").write_text(MENU)
    session = {"XDG_RUNTIME_DIR": str(seat.runtime_dir), "WAYLAND_DISPLAY": "wayland-kwin"}

    def answer() -> object:
        argv = command_line(program, MODE, "wayland-kwin", wishes, None)
        kwin = seat.spawn("kwin", argv, environment=environment)

        def is_up() -> bool:
            try:
                connection = Connection(session)
            except DriverFailed:
                return False
            has_output = bool(connection.output_names())
            connection.close()
            return has_output

        wait(is_up, lambda: seat.log_tail("kwin", 20))
        found = attach_availability(session)
        kwin.stop()
        return found

    refused = answer()
    file = folder / "data" / "applications" / "punktfunk-kwin.desktop"
    file.parent.mkdir(parents=True)
    file.write_text(desktop_file())
    allowed = answer()

    assert not refused.available
    assert "does not let us use zkde_screencast_unstable_v1" in refused.reason
    assert "punktfunk_capture_kwin.permission" in refused.hint
    assert allowed.available, allowed.reason


def test_the_desktop_file_is_written_by_one_command(tmp_path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "punktfunk_capture_kwin.permission"],
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    written = tmp_path / "applications" / "punktfunk-kwin.desktop"
    assert str(written) in ran.stdout
    assert f"Exec={Path(sys.executable).resolve()}" in written.read_text()


def test_starting_takes_about_a_second(make_desk, capsys) -> None:
    began = time.monotonic()

    make_desk(1920, 1080)

    took_s = time.monotonic() - began
    with capsys.disabled():
        print(f" [KWin up in {took_s * 1_000:.0f} ms] ", end="")
    assert took_s < 20
