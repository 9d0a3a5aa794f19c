import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from punktfunk_capture_kwin.protocols import Screencast
from punktfunk_capture_kwin.screencast import Cast
from punktfunk_capture_kwin.settings import PICTURES
from punktfunk_capture_kwin.wayland import Connection
from punktfunk_capture_kwin.windows import Windows

from punktfunk.plugin import (
    DriverFailed,
    DriverUnavailable,
    LaunchSpec,
    PipeWireVideo,
    PixelFormat,
    PointerPosition,
    VideoMode,
)

pytestmark = pytest.mark.desktop

QUARTERS = ((0, 0, 0xC0), (0, 0xC0, 0), (0xC0, 0, 0), (0x80, 0x80, 0x80))
"""Blue, green and red of the guinea pig's four quarters."""
POINTER_BESIDE = 4
MAXIMIZED = 4


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


def quarters(picture) -> list[tuple[int, ...]]:
    """The colours in the middle of each quarter."""
    height, width = picture.shape[:2]
    places = ((1, 1), (1, 3), (3, 1), (3, 3))
    return [tuple(picture[height * y // 4, width * x // 4, :3].tolist()) for y, x in places]


def has_quarters(picture) -> bool:
    return quarters(picture) == list(QUARTERS)


def number(picture) -> int:
    """The frame number that the guinea pig draws in sixteen cells."""
    return sum(1 << bit for bit, value in enumerate(picture[8, 8:256:16, 0]) if value > 128)


def test_an_empty_desktop_is_black_and_still(make_desk) -> None:
    capture = make_desk().capture()

    first = capture.read(2.0)
    began = time.monotonic()

    assert first is not None
    assert (first.format, first.width_px, first.height_px) == (PixelFormat.BGRX, 640, 360)
    assert not first.planes[0].any()
    assert capture.read(0.5) is None
    assert time.monotonic() - began < 5


def test_an_animated_window_is_seen_pixel_by_pixel(make_desk) -> None:
    desk = make_desk(1280, 720)
    desk.start_client("counter")
    capture = desk.capture()

    read_until(capture, has_quarters, "with the four colours")
    numbers = [number(read_until(capture, has_quarters, "of the window")) for _ in range(20)]

    assert len(set(numbers)) >= 18
    assert numbers == sorted(numbers)


def test_a_window_that_opens_later_is_shown_and_one_that_closes_is_gone(make_desk, seat) -> None:
    desk = make_desk()
    capture = desk.capture()
    read_until(capture, lambda p: not p.any(), "that is black")

    desk.start_client("still")
    read_until(capture, has_quarters, "with the window")
    next(process for process in seat.processes if process.name == "client").stop()

    read_until(capture, lambda p: not p.any(), "without the window")


BLUE = [0x60, 0x40, 0x20]


def is_blue(picture) -> bool:
    return picture[-20, -20, :3].tolist() == BLUE


@pytest.fixture
def terminal(programs) -> LaunchSpec:
    """An X11 one: foot of Debian 12 crashes on screens that are no millimetre large."""
    programs("xterm", "Xwayland")
    busy = ("sh", "-c", "while :; do date; sleep 0.1; done")  # a still one gives no new picture
    return LaunchSpec(argv=("xterm", "-bg", "#204060", "-b", "0", "+sb", "-e", *busy))


def test_the_window_in_front_is_shown(make_desk) -> None:
    desk = make_desk()
    desk.start_client("still")
    capture = desk.capture()
    read_until(capture, has_quarters, "with the window")

    desk.start_client("counter", "second")

    read_until(capture, lambda p: has_quarters(p) and number(p) > 3, "of the second window")


def test_a_window_that_changes_its_size_is_shown_where_it_is(make_desk, terminal) -> None:
    desk = make_desk(xwayland=True)
    connection = Connection(desk.display.environment)
    desk.closers.append(connection.close)
    windows = Windows(connection)
    desk.start("terminal", terminal)
    capture = desk.capture()
    read_until(capture, is_blue, "that is full")
    connection.roundtrip()

    windows.front.proxy._marshal(0, MAXIMIZED, 0)
    connection.roundtrip()

    def is_smaller(picture) -> bool:
        return not picture[2, 2, :3].any() and picture[180, 540, :3].tolist() == BLUE

    read_until(capture, is_smaller, "of the smaller window")


def test_the_cursor_is_in_the_picture(make_desk) -> None:
    desk = make_desk()
    desk.start_client("still")
    capture, devices = desk.capture(), desk.input()
    plain = read_until(capture, has_quarters, "with the window")

    devices.handle(PointerPosition(0.75, 0.75))

    def has_cursor(picture) -> bool:
        near = (slice(260, 300), slice(470, 510))
        return bool((picture[near] != plain[near]).any())

    read_until(capture, has_cursor, "with the cursor")


def test_a_cursor_that_comes_beside_the_picture_is_drawn_into_it(make_desk) -> None:
    desk = make_desk()
    desk.start_client("still")
    devices = desk.input()
    connection = Connection(desk.display.environment)
    windows = Windows(connection)
    stream = connection.bind(Screencast, 3).stream_window(windows.front.uuid, POINTER_BESIDE)
    cast = Cast(connection, stream)
    runtime = Path(desk.display.environment[PICTURES])
    video = PipeWireVideo(runtime, cast.node, desk.display.mode, cursor=True)
    desk.closers += [connection.close, cast.close, video.close]
    plain = read_until(video, has_quarters, "with the window")

    devices.handle(PointerPosition(0.75, 0.75))

    def has_cursor(picture) -> bool:
        near = (slice(260, 300), slice(470, 510))
        return bool((picture[near] != plain[near]).any())

    moved = read_until(video, has_cursor, "with the cursor")
    assert np.array_equal(moved[:150], plain[:150])
    assert (moved[185:200, 325:340, :3] == 0x80).all()  # where it was at first


def test_a_picture_has_the_displays_size_whatever_was_asked_for(make_desk) -> None:
    desk = make_desk(1280, 720)
    desk.start_client("still")

    capture = desk.capture(VideoMode(width_px=640, height_px=480, refresh_mhz=30_000))

    assert read_until(capture, has_quarters, "with the window").shape == (720, 1280, 4)


def test_a_killed_compositor_ends_the_capture(make_desk, seat) -> None:
    desk = make_desk()
    desk.start_client("counter")
    capture = desk.capture()
    read_until(capture, has_quarters, "with the window")

    kwin = next(process for process in seat.processes if process.name == "kwin")
    os.kill(kwin.pid, signal.SIGKILL)

    with pytest.raises(DriverFailed):
        read_until(capture, lambda picture: False, "ever again")
    capture.close()


def test_a_display_that_is_gone_cannot_be_opened(make_desk) -> None:
    desk = make_desk()
    desk.compositor.close()

    with pytest.raises(DriverUnavailable):
        desk.capture()


def test_a_still_desktop_costs_nearly_nothing(make_desk) -> None:
    desk = make_desk()
    desk.start_client("still")
    capture = desk.capture()
    read_until(capture, has_quarters, "with the window")
    while (frame := capture.read(1.0)) is not None:
        frame.release()

    before_s = time.process_time()
    assert capture.read(1.0) is None

    assert time.process_time() - before_s < 0.1
