"""The drivers and a stand-in for gamescope, which cannot run without a GPU."""

import os
import signal
import time
from pathlib import Path

import pytest
import xcffib
from punktfunk_capture_gamescope import own
from punktfunk_capture_gamescope.capture import GamescopeCapture
from punktfunk_capture_gamescope.compositor import GamescopeCompositor
from punktfunk_capture_gamescope.probe import attach_availability
from punktfunk_capture_gamescope.settings import NODE, PICTURES, POINTER, GamescopeSettings

from punktfunk.plugin import Display, DriverFailed, DriverUnavailable, PixelFormat, VideoMode
from punktfunk.testing import FakeSeat

pytestmark = pytest.mark.desktop
sweep = pytest.mark.skipif(
    os.environ.get("PUNKTFUNK_DESKTOPS") != "1", reason="slower: ./dev test --desktops"
)

MODE = VideoMode(width_px=640, height_px=360, refresh_mhz=59_940)
PATIENCE_S = 30.0


@pytest.fixture
def open_display(gamescope, seat, request):
    """Open a display on the stand-in."""

    def start(*arguments: str, mode: VideoMode = MODE, **settings: object) -> GamescopeCompositor:
        compositor = GamescopeCompositor(gamescope(*arguments, **settings))
        request.addfinalizer(compositor.close)
        compositor.display = compositor.open(seat, mode)
        return compositor

    return start


@pytest.fixture
def open_capture(seat, request):
    def start(display: Display, mode: VideoMode = MODE) -> GamescopeCapture:
        capture = GamescopeCapture()
        request.addfinalizer(capture.close)
        capture.open(seat, display, mode)
        return capture

    return start


def read_until(capture, wanted):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        frame = capture.read(0.5)
        if frame is None:
            continue
        picture = frame.planes[0].reshape(frame.height_px, frame.width_px, 4).copy()
        frame.release()
        if wanted(picture):
            return picture
    raise AssertionError("no such picture came")


def process(seat, name: str):
    return next(each for each in reversed(seat.processes) if each.name == name)


def test_programs_beside_it_are_told_how_to_reach_it(open_display, seat) -> None:
    display = open_display().display

    environment = display.environment
    assert display.output == environment["GAMESCOPE_WAYLAND_DISPLAY"] == "gamescope-0"
    assert environment["LIBEI_SOCKET"] == "gamescope-0-ei"
    assert Path(f"/tmp/.X11-unix/X{environment['DISPLAY'][1:]}").exists()
    assert (seat.runtime_dir / "gamescope-0").is_socket()
    assert "WAYLAND_DISPLAY" not in environment


@sweep
def test_with_wayland_programs_may_use_it(open_display) -> None:
    environment = open_display(wayland=True).display.environment

    assert environment["WAYLAND_DISPLAY"] == "gamescope-0"
    assert environment["XDG_SESSION_TYPE"] == "wayland"


@sweep
def test_steam_is_told_what_it_can_ask_for(open_display) -> None:
    environment = open_display(steam=True).display.environment

    assert environment["STEAM_MULTIPLE_XWAYLANDS"] == "1"
    assert Path(environment["GAMESCOPE_LIMITER_FILE"]).is_file()


def test_its_picture_arrives(open_display, open_capture) -> None:
    compositor = open_display("--fake-pattern", "red")
    capture = open_capture(compositor.display)

    picture = read_until(capture, lambda p: p.any())

    assert picture.shape == (360, 640, 4)
    assert tuple(picture[180, 320, :3]) == (0, 0, 255)


def warp(display: Display, x: int, y: int) -> None:
    """Put the pointer of the stand-in's X server somewhere on its 640×480."""
    x_server = xcffib.connect(f"unix{display.environment['DISPLAY']}")
    x_server.core.WarpPointer(0, x_server.setup.roots[0].root, 0, 0, 0, 0, x, y)
    x_server.core.GetInputFocus().reply()
    x_server.disconnect()


def has_pointer(picture, x: int, y: int) -> bool:
    """Whether the red is covered there."""
    return bool((picture[y - 4 : y + 4, x - 4 : x + 4, 2] < 128).any())


def test_the_pointer_of_its_x_server_is_seen_until_it_rests(open_display, open_capture) -> None:
    compositor = open_display("--fake-pattern", "red")
    capture = open_capture(compositor.display)
    assert not has_pointer(read_until(capture, lambda p: p.any()), 320, 180)
    os.kill(process(compositor._seat, "gamescope").pid, signal.SIGSTOP)  # the picture is still

    warp(compositor.display, 500, 100)
    read_until(capture, lambda p: has_pointer(p, 500, 75))
    warp(compositor.display, 100, 400)

    picture = read_until(capture, lambda p: has_pointer(p, 100, 300))
    assert not has_pointer(picture, 500, 75)
    read_until(capture, lambda p: not has_pointer(p, 100, 300))


def test_a_pointer_that_gamescope_draws_itself_is_not_drawn_again(
    open_display, monkeypatch
) -> None:
    monkeypatch.setenv("FAKE_POINTER", "1")
    compositor = open_display()

    assert POINTER not in compositor.display.environment


@sweep
def test_it_is_black_until_there_is_a_picture(open_display, open_capture) -> None:
    compositor = open_display()
    gamescope = process(compositor._seat, "gamescope")
    os.kill(gamescope.pid, signal.SIGSTOP)
    capture = open_capture(compositor.display)

    first = capture.read(5.0)
    assert first is not None
    assert not first.planes[0].any()
    assert (first.format, first.width_px, first.height_px) == (PixelFormat.BGRX, 640, 360)
    assert capture.read(0.1) is None
    os.kill(gamescope.pid, signal.SIGCONT)

    read_until(capture, lambda p: p.any())


@sweep
def test_a_client_of_another_size_gets_the_displays(open_display, open_capture) -> None:
    compositor = open_display("--fake-pattern", "red")

    capture = open_capture(
        compositor.display, VideoMode(width_px=800, height_px=600, refresh_mhz=30_000)
    )

    picture = read_until(capture, lambda p: p.any())
    assert picture.shape == (360, 640, 4)
    assert (picture[..., 2] == 255).all()


@sweep
def test_a_killed_gamescope_is_noticed_by_both(open_display, open_capture, seat, wait) -> None:
    compositor = open_display()
    capture = open_capture(compositor.display)
    read_until(capture, lambda p: p.any())
    compositor.check()

    os.kill(process(seat, "gamescope").pid, signal.SIGKILL)
    wait(lambda: process(seat, "gamescope").exit_status() is not None, "it to end")

    with pytest.raises(DriverFailed, match="gamescope ended with status -9"):
        compositor.check()
    with pytest.raises(DriverFailed):
        read_until(capture, lambda p: False)


def test_closing_leaves_no_process_and_no_file(open_display, seat) -> None:
    compositor = open_display()

    compositor.close()
    compositor.close()

    assert seat.running == []
    assert list(seat.runtime_dir.iterdir()) == []


@sweep
def test_it_starts_beside_the_leftovers_of_a_crashed_one(open_display, seat) -> None:
    open_display()
    for each in seat.running:
        os.kill(each.pid, signal.SIGKILL)
        each.stop()

    again = open_display()

    again.check()
    assert again.display.output == "gamescope-0"


def test_one_that_ends_at_once_says_why(open_display) -> None:
    with pytest.raises(DriverUnavailable, match="ended with status 7: gamescope version") as error:
        open_display("--fake-exit", "7")

    assert "Vulkan" in error.value.hint


@sweep
@pytest.mark.parametrize("argument", ["--fake-mute", "--fake-no-node"])
def test_one_that_never_gets_ready_is_given_up(open_display, seat, monkeypatch, argument) -> None:
    monkeypatch.setattr(own, "START_S", 5.0)

    with pytest.raises(DriverFailed, match="does not become ready"):
        open_display(argument)

    assert seat.running == []


@sweep
@pytest.mark.parametrize("line", ["hello there\n", ":0 ../../etc\n", "x" * 5_000])
def test_names_that_are_none_are_refused(open_display, seat, line) -> None:
    with pytest.raises(DriverFailed, match="in a way we do not know"):
        open_display("--fake-ready", line)

    assert seat.running == []


@sweep
def test_it_keeps_its_size_and_says_so(open_display, caplog) -> None:
    compositor = open_display()

    display = compositor.resize(VideoMode(width_px=800, height_px=600, refresh_mhz=30_000))

    assert display == compositor.display
    assert "keeps its size" in caplog.text


@sweep
def test_without_steam_mode_there_is_no_desktop(open_display) -> None:
    with pytest.raises(DriverUnavailable, match="has no desktop") as error:
        open_display().default_app()

    assert "steam = true" in error.value.hint


@sweep
def test_steam_that_is_not_there_is_a_reason(open_display) -> None:
    with pytest.raises(DriverUnavailable, match="Steam is not installed"):
        open_display(steam=True).default_app()


@pytest.fixture
def running(open_display, seat, monkeypatch):
    """A stand-in that takes the part of the user's own gamescope."""
    compositor = open_display("--fake-pattern", "red")
    pictures = Path(compositor.display.environment[PICTURES])
    (seat.runtime_dir / "pipewire-0").symlink_to(pictures / "pipewire-0")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(seat.runtime_dir))
    return compositor


@pytest.fixture
def guest(request):
    """A session that looks at what runs, on a seat of its own."""
    driver = GamescopeCompositor()
    request.addfinalizer(driver.close)
    with FakeSeat("seat-guest") as seat:
        yield seat, driver


@sweep
def test_a_running_one_is_shown_as_it_is(running, guest, open_capture) -> None:
    seat, driver = guest
    wanted = VideoMode(width_px=800, height_px=600, refresh_mhz=30_000)

    display = driver.attach(seat, wanted)

    assert (display.mode.width_px, display.mode.height_px) == (640, 360)
    assert display.environment[NODE] == running.display.environment[NODE]
    picture = read_until(open_capture(display, wanted), lambda p: p.any())
    assert picture.shape == (360, 640, 4)
    assert seat.processes == []
    assert seat.recorded == []
    driver.check()
    driver.close()
    running.check()


@sweep
def test_a_running_one_that_ends_is_noticed(running, guest) -> None:
    seat, driver = guest
    driver.attach(seat, MODE)

    running.close()

    with pytest.raises(DriverFailed, match="gamescope-0 ended"):
        driver.check()


@sweep
def test_of_several_the_wanted_one_is_shown(running, guest) -> None:
    seat, _ = guest

    with pytest.raises(DriverUnavailable, match="no gamescope called gamescope-3"):
        GamescopeCompositor({"display": "gamescope-3"}).attach(seat, MODE)


@sweep
def test_the_probe_says_of_a_running_one_whether_it_can_be_steered(running, libei, seat) -> None:
    environment = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(seat.runtime_dir)}

    found = attach_availability(environment, GamescopeSettings.read({}))
    (seat.runtime_dir / "gamescope-0-ei").unlink()
    without = attach_availability(environment, GamescopeSettings.read({}))

    assert found.available
    assert found.reason == "gamescope-0"
    assert without.reason == "gamescope-0 takes no input"
