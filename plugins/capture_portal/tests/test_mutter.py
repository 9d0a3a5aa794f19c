"""A real desktop behind the real portal: Mutter shows a window, and a key arrives in it."""

import os
import signal
import subprocess

import pytest
from portal_pictures import read_until

from punktfunk.plugin import (
    ButtonEvent,
    DriverFailed,
    DriverUnavailable,
    KeyEvent,
    PointerButton,
    PointerPosition,
    VideoMode,
)

pytestmark = [pytest.mark.desktop, pytest.mark.usefixtures("slower_sweep")]

QUARTERS = ((0, 0, 0xC0), (0, 0xC0, 0), (0xC0, 0, 0), (0x80, 0x80, 0x80))
SMALL = VideoMode(width_px=320, height_px=240, refresh_mhz=30_000)
KEY_A, BUTTON_LEFT = 30, 0x110


def has_quarters(picture) -> bool:
    height, width = picture.shape[:2]
    places = ((1, 1), (1, 3), (3, 1), (3, 3))
    seen = [tuple(picture[height * y // 4, width * x // 4, :3].tolist()) for y, x in places]
    return seen == list(QUARTERS)


def number(picture) -> int:
    """The frame number that the guinea pig draws in sixteen cells."""
    return sum(1 << bit for bit, value in enumerate(picture[8, 8:256:16, 0]) if value > 128)


@pytest.mark.usefixtures("window")
def test_an_animated_window_is_seen_pixel_by_pixel(guest) -> None:
    display, _ = guest.attach()
    capture = guest.capture(display)

    read_until(capture, has_quarters, "with the four colours")
    numbers = [number(read_until(capture, has_quarters, "of the window")) for _ in range(20)]

    assert (display.mode.width_px, display.mode.height_px) == (640, 360)
    assert len(set(numbers)) >= 10
    assert numbers == sorted(numbers)


@pytest.mark.usefixtures("window")
def test_a_client_with_another_size_gets_the_screen_as_it_is(guest) -> None:
    display, compositor = guest.attach(SMALL)
    compositor.resize(SMALL)

    capture = guest.capture(display, SMALL)

    assert read_until(capture, has_quarters, "of the window").shape == (360, 640, 4)


def test_a_screen_of_the_clients_own_has_its_size(make_mutter, guest) -> None:
    user, _ = make_mutter(virtual=True)
    display, _ = guest.attach(SMALL)

    capture = guest.capture(display, SMALL)

    assert display.mode == SMALL
    assert read_until(capture, lambda picture: True, "at all").shape == (240, 320, 4)
    environment = {**os.environ, **user.environment}
    screens = subprocess.run(["wayland-info"], env=environment, capture_output=True, text=True)
    assert "width: 320 px, height: 240 px" in screens.stdout


def test_a_screen_of_ones_own_may_keep_its_size(make_mutter, guest) -> None:
    make_mutter(claims_virtual=True)
    display, _ = guest.attach(SMALL)

    capture = guest.capture(display, SMALL)

    assert read_until(capture, lambda picture: True, "at all").shape == (360, 640, 4)


def test_keys_and_clicks_arrive_in_a_window(window, guest, wait) -> None:
    display, _ = guest.attach()
    devices = guest.input(display)
    wait(lambda: window("focus"), "the keyboard to be there")

    for pressed in (True, False):
        devices.handle(KeyEvent(vk=0, evdev=KEY_A, pressed=pressed))

    def is_there() -> bool:
        # Mutter interpolates a motion that it has no second event for.
        devices.handle(PointerPosition(0.25, 0.5))
        return (160.0, 180.0) in [(it["x"], it["y"]) for it in window("motion")]

    wait(is_there, lambda: f"the pointer: {window('motion')}")
    for pressed in (True, False):
        devices.handle(ButtonEvent(PointerButton.LEFT, pressed))

    wait(lambda: len(window("button")) == 2, lambda: f"a click: {window('button')}")
    keys = [(it["key"], it["state"]) for it in window("key") if it["key"] == KEY_A]
    assert keys == [(KEY_A, 1), (KEY_A, 0)]
    clicks = [(it["button"], it["state"]) for it in window("button")]
    assert clicks == [(BUTTON_LEFT, 1), (BUTTON_LEFT, 0)]


@pytest.mark.usefixtures("window")
def test_a_client_that_comes_back_is_asked_nothing(mutter, guest) -> None:
    _, backend = mutter
    display, _ = guest.attach()
    capture = guest.capture(display)
    read_until(capture, has_quarters, "with the window")
    capture.close()

    again = guest.capture(display)

    numbers = {number(read_until(again, has_quarters, "of the window")) for _ in range(5)}
    assert len(numbers) >= 4
    assert backend.members().count("Start") == 1


@pytest.mark.usefixtures("window")
@pytest.mark.parametrize("part", ["mutter", "pictures-pipewire"])
def test_a_part_that_is_killed_ends_the_pictures(mutter, guest, part: str) -> None:
    user, _ = mutter
    display, _ = guest.attach()
    capture = guest.capture(display)
    read_until(capture, has_quarters, "with the window")

    os.kill(user.process(part).pid, signal.SIGKILL)

    with pytest.raises(DriverFailed):
        read_until(capture, lambda picture: False, "ever again")


@pytest.mark.usefixtures("mutter")
def test_sharing_that_was_ended_has_no_pictures_any_more(guest) -> None:
    display, compositor = guest.attach()
    compositor.close()

    with pytest.raises(DriverUnavailable, match="shares no screen"):
        guest.capture(display)


@pytest.mark.usefixtures("window")
def test_nothing_stays_open_after_a_session(guest, wait) -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    def once() -> None:
        display, _ = guest.attach()
        read_until(guest.capture(display), has_quarters, "with the window")
        guest.leave()

    once()
    before = open_files()
    once()

    wait(lambda: open_files() == before, lambda: f"{open_files()} to become {before}")
    assert guest.seat.effects == []
    assert guest.seat.running == []
