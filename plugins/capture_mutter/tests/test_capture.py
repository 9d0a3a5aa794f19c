import os
import signal
import time

import pytest

from punktfunk.plugin import (
    DriverFailed,
    DriverUnavailable,
    PixelFormat,
    PointerPosition,
    VideoMode,
)

pytestmark = pytest.mark.desktop

QUARTERS = ((0, 0, 0xC0), (0, 0xC0, 0), (0xC0, 0, 0), (0x80, 0x80, 0x80))
"""Blue, green and red of the guinea pig's four quarters."""


def read_until(capture, wanted, what: str):
    """Read and release frames until one is as wanted; return a copy of its picture."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        frame = capture.read(0.2)
        if frame is None:
            continue
        picture = frame.planes[0].reshape(frame.height_px, frame.width_px, 4).copy()
        frame.release()
        if wanted(picture):
            return picture
    raise AssertionError(f"no frame {what}")


def has_quarters(picture) -> bool:
    height, width = picture.shape[:2]
    places = ((1, 1), (1, 3), (3, 1), (3, 3))
    seen = [tuple(picture[height * y // 4, width * x // 4, :3].tolist()) for y, x in places]
    return seen == list(QUARTERS)


def number(picture) -> int:
    """The frame number that the guinea pig draws in sixteen cells."""
    return sum(1 << bit for bit, value in enumerate(picture[8, 8:256:16, 0]) if value > 128)


def test_an_animated_window_is_seen_pixel_by_pixel(make_desk) -> None:
    desk = make_desk(1280, 720)
    desk.start_client("counter")
    capture = desk.capture()

    read_until(capture, has_quarters, "with the four colours")
    # Mutter 43 sends some pictures twice.
    numbers = [number(read_until(capture, has_quarters, "of the window")) for _ in range(40)]

    assert len(set(numbers)) >= 18
    assert numbers == sorted(numbers)


def test_a_still_desktop_sends_nothing_and_costs_nearly_nothing(make_desk) -> None:
    desk = make_desk()
    desk.start_client("still")
    capture = desk.capture()
    first = capture.read(10.0)
    assert (first.format, first.width_px, first.height_px) == (PixelFormat.BGRX, 640, 360)
    first.release()
    while (frame := capture.read(1.0)) is not None:
        frame.release()

    before_s = time.process_time()
    assert capture.read(1.0) is None

    assert time.process_time() - before_s < 0.1


def test_a_window_that_opens_later_is_shown_and_one_that_closes_is_gone(make_desk, seat) -> None:
    desk = make_desk()
    capture = desk.capture()
    read_until(capture, lambda picture: not has_quarters(picture), "without the window")

    desk.start_client("still")
    read_until(capture, has_quarters, "with the window")
    next(process for process in seat.processes if process.name == "client").stop()

    read_until(capture, lambda picture: not has_quarters(picture), "without the window")


def test_the_cursor_is_in_the_picture_and_moves_on_a_still_desktop(make_desk) -> None:
    desk = make_desk()
    capture, devices = desk.capture(), desk.input()
    devices.handle(PointerPosition(0.1, 0.1))
    plain = read_until(capture, lambda picture: True, "at all")
    near = (slice(260, 300), slice(470, 510))

    devices.handle(PointerPosition(0.75, 0.75))

    read_until(capture, lambda it: bool((it[near] != plain[near]).any()), "with the cursor")


def test_the_screen_has_the_clients_rate(make_desk) -> None:
    desk = make_desk(rate=90_000)

    screen = desk.screen()

    assert (screen.width_px, screen.height_px) == (640, 360)
    assert abs(screen.refresh_mhz - 90_000) < 100


def test_a_resized_screen_keeps_its_window_and_fills_with_it(make_desk) -> None:
    desk = make_desk()
    client = desk.start_client("still")
    capture = desk.capture()
    read_until(capture, has_quarters, "with the window")
    capture.close()

    display = desk.compositor.resize(VideoMode(width_px=800, height_px=600, refresh_mhz=30_000))

    client.wait_for("shown", width=800, height=600)
    capture.open(desk.seat, display, display.mode)
    picture = read_until(capture, has_quarters, "with the window, made larger")
    assert picture.shape == (600, 800, 4)


def test_a_killed_compositor_ends_the_capture(make_desk, seat) -> None:
    desk = make_desk()
    desk.start_client("counter")
    capture = desk.capture()
    read_until(capture, has_quarters, "with the window")

    mutter = next(process for process in seat.processes if process.name == "mutter")
    os.kill(mutter.pid, signal.SIGKILL)

    with pytest.raises(DriverFailed):
        read_until(capture, lambda picture: False, "ever again")
    capture.close()


def test_a_display_that_is_gone_cannot_be_opened(make_desk) -> None:
    desk = make_desk()
    desk.compositor.close()

    with pytest.raises(DriverUnavailable):
        desk.capture()
    with pytest.raises(DriverUnavailable):
        desk.input()
