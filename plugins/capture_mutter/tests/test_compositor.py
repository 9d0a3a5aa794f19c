import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import attrs
import pytest
from punktfunk_capture_mutter.capture import MutterCapture
from punktfunk_capture_mutter.compositor import MutterCompositor
from punktfunk_capture_mutter.input import MutterInput
from punktfunk_capture_mutter.mutter import screens
from punktfunk_capture_mutter.probe import attach_availability

from punktfunk.plugin import (
    Bus,
    DisplayWithdrawn,
    DriverFailed,
    DriverUnavailable,
    KeyEvent,
    VideoMode,
)
from punktfunk.testing import FakeSeat

pytestmark = pytest.mark.desktop

MODE = VideoMode(width_px=800, height_px=600, refresh_mhz=60_000)
PARTS = ("mutter", "mutter-bus", "pictures-pipewire", "pictures-wireplumber")


def process(seat, name: str):
    return next(process for process in seat.processes if process.name == name)


def address(desk) -> str:
    return f"unix:path={desk.seat.runtime_dir}/mutter/bus"


@pytest.fixture
def gnome(make_desk, monkeypatch):
    """A Mutter that takes the part of the user's own session, with a screen already."""
    desk = make_desk()
    for name in ("WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    runtime = desk.seat.runtime_dir
    (runtime / "pipewire-0").symlink_to(runtime / "pictures" / "pipewire-0")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address(desk))
    return desk


@pytest.fixture
def guest_seat():
    with FakeSeat("seat-guest") as seat:
        yield seat


@pytest.fixture
def bus(gnome):
    bus = Bus(address(gnome))
    yield bus
    bus.close()


@pytest.fixture
def stand_in(tmp_path, monkeypatch, programs):
    """`stand_in(answer)`: a bus where somebody of GNOME's names gives these answers."""
    programs("dbus-daemon")
    where = f"unix:path={tmp_path}/bus"
    argv = ["dbus-daemon", "--session", "--nofork", "--print-address", f"--address={where}"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as daemon:
        daemon.stdout.readline()
        script = Path(__file__).with_name("stand_in.py")
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", where)
        started = []

        def start(**answers: str) -> None:
            words = [f"{name}={text}" for name, text in answers.items()]
            started.append(
                subprocess.Popen(
                    [sys.executable, str(script), where, *words], stdout=subprocess.PIPE
                )
            )
            assert started[0].stdout.readline() == b"ready\n"

        yield start
        for it in started:
            it.kill()
            it.wait()
            it.stdout.close()
        daemon.kill()


def test_closing_leaves_no_process_and_no_file(make_desk, seat) -> None:
    desk = make_desk(xwayland=True)
    desk.capture().read(1.0)

    for close in reversed(desk.closers):
        close()
        close()

    assert seat.running == []
    assert list(seat.runtime_dir.iterdir()) == []


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_killed_is_noticed_and_named(make_desk, seat, wait, part: str) -> None:
    desk = make_desk()
    desk.compositor.check()

    os.kill(process(seat, part).pid, signal.SIGKILL)
    wait(lambda: process(seat, part).exit_status() is not None, "it to end")

    with pytest.raises(DriverFailed, match=f"{part.removeprefix('pictures-')} ended"):
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

    assert list(Path(seat.environment["HOME"]).iterdir()) == []


def test_two_at_a_time_show_and_steer_each_their_own(make_desk, guest_seat) -> None:
    first, second = make_desk(), make_desk(seat=guest_seat)
    clients = [desk.start_client("still") for desk in (first, second)]
    devices = [desk.input() for desk in (first, second)]

    for code, it in zip((30, 31), devices, strict=True):
        it.handle(KeyEvent(vk=0, evdev=code, pressed=True))
        it.handle(KeyEvent(vk=0, evdev=code, pressed=False))

    for code, client in zip((30, 31), clients, strict=True):
        client.wait_for("key", key=code, state=0)
        assert {event["key"] for event in client.events("key")} == {code}


def test_a_layout_that_is_none_is_a_reason(seat, programs) -> None:
    programs("mutter")
    compositor = MutterCompositor({"keyboard_layout": "us; rm"})

    with pytest.raises(DriverUnavailable, match="not a keyboard layout"):
        compositor.open(seat, MODE)

    assert seat.running == []


def test_attached_the_client_gets_a_screen_of_its_own_until_it_goes(gnome, bus, guest_seat) -> None:
    before = screens(bus)
    compositor, capture, devices = MutterCompositor(), MutterCapture(), MutterInput()
    try:
        display = compositor.attach(guest_seat, MODE)
        capture.open(guest_seat, display, MODE)
        devices.open(guest_seat, display, lambda feedback: None)
        frame = capture.read(10)

        assert display.environment["WAYLAND_DISPLAY"] == "wayland-mutter"
        assert set(screens(bus)) - set(before) == {display.output}
        assert (frame.width_px, frame.height_px) == (800, 600)
        assert guest_seat.running == []
        frame.release()
    finally:
        devices.close()
        capture.close()
        compositor.close()

    assert screens(bus) == before
    assert guest_seat.recorded == []


def test_a_host_that_is_killed_leaves_no_screen(gnome, bus, wait) -> None:
    before = screens(bus)
    script = Path(__file__).with_name("attach_and_wait.py")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE) as host:
        assert host.stdout.readline() == b"attached\n"
        assert len(screens(bus)) == len(before) + 1

        host.kill()

    wait(lambda: screens(bus) == before, lambda: f"{before}; there are {screens(bus)}")


def test_attached_an_existing_screen_is_shown_and_steered(gnome, bus, guest_seat) -> None:
    client = gnome.start_client("still")
    before = screens(bus)
    compositor = MutterCompositor({"output": gnome.display.output})
    capture, devices = MutterCapture(), MutterInput()
    try:
        display = compositor.attach(guest_seat, MODE)
        capture.open(guest_seat, display, MODE)
        devices.open(guest_seat, display, lambda feedback: None)
        devices.handle(KeyEvent(vk=0, evdev=30, pressed=True))
        client.wait_for("key", key=30, state=1)
        devices.release_all()
        client.wait_for("key", key=30, state=0)
        deadline = time.monotonic() + 20
        while True:
            frame = capture.read(0.2)
            if frame is not None and frame.planes[0][150, 800:803].tolist() == [0, 0, 0xC0]:
                break
            assert time.monotonic() < deadline

        assert display.mode == before[display.output] == compositor.resize(MODE).mode
        assert (frame.width_px, frame.height_px) == (640, 360)
        assert screens(bus) == before
    finally:
        devices.close()
        capture.close()
        compositor.close()


def test_attached_it_notices_that_the_session_ended(gnome, guest_seat, wait) -> None:
    compositor = MutterCompositor()
    compositor.attach(guest_seat, MODE)
    compositor.check()

    os.kill(process(gnome.seat, "mutter").pid, signal.SIGKILL)
    wait(lambda: process(gnome.seat, "mutter").exit_status() is not None, "Mutter to end")

    def is_noticed() -> bool:
        try:
            compositor.check()
        except DriverFailed as error:
            return "gone" in str(error)
        return False

    wait(is_noticed, "the end to be noticed")
    compositor.close()


@pytest.mark.parametrize("own", [True, False], ids=["own screen", "existing screen"])
def test_attached_what_the_user_ended_is_withdrawn(gnome, guest_seat, wait, own) -> None:
    compositor = MutterCompositor({} if own else {"output": gnome.display.output})
    compositor.attach(guest_seat, MODE)
    compositor.check()

    compositor._screen.cast._stop()  # what the panel's button does as well

    def is_withdrawn() -> bool:
        try:
            compositor.check()
        except DisplayWithdrawn:
            return True
        return False

    wait(is_withdrawn, "the end to be noticed")
    with pytest.raises(DisplayWithdrawn):
        compositor.check()
    compositor.close()


def test_attached_a_screen_that_changes_its_size_is_not_withdrawn(gnome, guest_seat, wait) -> None:
    compositor = MutterCompositor({"output": gnome.display.output})
    compositor.attach(guest_seat, MODE)
    compositor.check()
    errors: list[DriverFailed] = []

    gnome.compositor.resize(attrs.evolve(MODE, width_px=1_024, height_px=768))

    def is_noticed() -> bool:
        try:
            compositor.check()
        except DriverFailed as error:
            errors.append(error)
        return bool(errors)

    wait(is_noticed, "the end to be noticed")
    assert not isinstance(errors[0], DisplayWithdrawn)
    compositor.close()
    assert compositor.attach(guest_seat, MODE).mode.width_px == 1_024
    compositor.close()


def test_attached_a_pipewire_that_dies_withdraws_nothing(gnome, guest_seat, wait) -> None:
    compositor = MutterCompositor()
    compositor.attach(guest_seat, MODE)
    compositor.check()
    errors: list[DriverFailed] = []

    os.kill(process(gnome.seat, "pictures-pipewire").pid, signal.SIGKILL)

    def is_noticed() -> bool:
        try:
            compositor.check()
        except DriverFailed as error:
            errors.append(error)
        return bool(errors)

    wait(is_noticed, "the end to be noticed")
    assert not isinstance(errors[0], DisplayWithdrawn)
    compositor.close()


def test_a_screen_that_is_not_there_is_a_reason_with_the_names(gnome, guest_seat) -> None:
    compositor = MutterCompositor({"output": "HDMI-9"})

    with pytest.raises(DriverUnavailable, match="HDMI-9") as error:
        compositor.attach(guest_seat, MODE)

    assert gnome.display.output in error.value.hint


def test_the_running_session_is_offered(gnome) -> None:
    assert attach_availability(os.environ).available


def test_a_locked_session_is_refused(stand_in) -> None:
    stand_in(locked="1", version="4")

    found = attach_availability(os.environ)

    assert (found.reason, found.hint) == (
        "the GNOME session is locked",
        "unlock the GNOME session",
    )


def test_an_old_gnome_is_refused(stand_in) -> None:
    stand_in(version="3")

    found = attach_availability(os.environ)

    assert (found.reason, found.hint) == ("this GNOME is too old", "use GNOME 42 or newer")


def test_a_denied_call_is_a_reason(stand_in, guest_seat) -> None:
    stand_in(version="4")

    with pytest.raises(DriverUnavailable, match="Session creation inhibited") as error:
        MutterCompositor().attach(guest_seat, MODE)

    assert error.value.hint == "unlock the GNOME session"


def test_another_desktop_is_no_gnome(stand_in) -> None:
    stand_in(names="org.kde.KWin")

    assert attach_availability(os.environ).reason == "no GNOME session runs for this user"
