import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from punktfunk_capture_x11.capture import X11Capture

from punktfunk.plugin import (
    DriverFailed,
    DriverUnavailable,
    PixelFormat,
    PointerPosition,
    VideoMode,
)

pytestmark = pytest.mark.desktop

_HIDE_CURSOR = """
import xcffib, xcffib.xproto
x = xcffib.connect()
pixmap, cursor, root = x.generate_id(), x.generate_id(), x.setup.roots[0].root
x.core.CreatePixmap(1, pixmap, root, 1, 1)
x.core.CreateCursor(cursor, pixmap, pixmap, *(6 * (0,)), 0, 0)
windows = x.core.QueryTree(root).reply().children
for window in (root, *windows):
    for below in (window, *x.core.QueryTree(window).reply().children):
        for leaf in (below, *x.core.QueryTree(below).reply().children):
            x.core.ChangeWindowAttributes(leaf, xcffib.xproto.CW.Cursor, [cursor])
x.core.GetInputFocus().reply()
"""


def read_until(capture, wanted, what: str):
    """Read and release frames until one is as wanted; return a copy of its picture."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        frame = capture.read(0.2)
        if frame is None:
            continue
        picture = frame.planes[0].reshape(frame.height_px, frame.width_px, 4).copy()
        frame.release()
        if wanted(picture):
            return picture
    raise AssertionError(f"no frame {what}")


def rest(capture) -> None:
    """Read until nothing changes any more."""
    for _ in range(100):
        frame = capture.read(0.3)
        if frame is None:
            return
        frame.release()
    raise AssertionError("the desktop never comes to rest")


def test_a_picture_arrives_pixel_by_pixel_as_it_was_drawn(make_desk) -> None:
    desk = make_desk(640, 360)
    desk.input().handle(PointerPosition(1.0, 1.0))
    desk.start_client("still")
    capture = desk.capture()

    picture = read_until(capture, lambda p: p[-30, -30, 0] == 0x80, "with the client")

    # Bytes are blue, green, red; the frame number is zero, so its cells are black.
    assert not picture[:16, :256, :3].any()
    assert (picture[16:180, :320, :3] == [0, 0, 0xC0]).all()
    assert (picture[16:180, 320:, :3] == [0, 0xC0, 0]).all()
    assert (picture[180:, :320, :3] == [0xC0, 0, 0]).all()
    assert (picture[180:330, 320:600, :3] == [0x80, 0x80, 0x80]).all()


def test_the_background_is_the_chosen_colour(make_desk) -> None:
    desk = make_desk(background="#336699")
    capture = desk.capture()

    picture = read_until(capture, lambda p: p[20, 20, 0] == 0x99, "with the background")

    assert tuple(picture[20, 20, :3]) == (0x99, 0x66, 0x33)


def test_the_first_picture_comes_although_nothing_changes(make_desk) -> None:
    desk = make_desk()
    rest(desk.capture())
    second = desk.capture()

    frame = second.read(1.0)

    assert frame is not None
    assert frame.format is PixelFormat.BGRX
    assert (frame.width_px, frame.height_px) == (640, 360)
    assert frame.planes[0].shape == (360, 640 * 4)
    assert abs(time.monotonic_ns() - frame.captured_ns) < 1_000_000_000


def test_a_still_desktop_gives_no_picture_and_a_change_does(make_desk) -> None:
    desk = make_desk()
    capture = desk.capture()
    rest(capture)

    began = time.monotonic()
    nothing = capture.read(0.5)
    waited_s = time.monotonic() - began
    desk.start_client("still")
    something = capture.read(5.0)

    assert nothing is None
    assert 0.45 < waited_s < 2
    assert something is not None


def test_what_changes_between_two_reads_is_not_missed(make_desk) -> None:
    desk = make_desk()
    capture = desk.capture()
    rest(capture)

    desk.start_client("still")
    picture = read_until(capture, lambda p: p[-1, -1, 0] == 0x80, "with the client")

    assert picture[-1, -1, 0] == 0x80


def test_a_moving_picture_gives_distinct_frames_at_about_its_rate(make_desk, frame_number) -> None:
    desk = make_desk(1280, 720)
    desk.start_client("box")
    capture = desk.capture()
    numbers, times_ns = [], []

    began = time.monotonic()
    while time.monotonic() - began < 2:
        frame = capture.read(0.5)
        assert frame is not None
        numbers.append(frame_number(frame))
        times_ns.append(frame.captured_ns)
        frame.release()

    assert numbers[2:] == sorted(numbers[2:])
    assert len(set(numbers)) > len(numbers) * 0.9
    assert 30 < len(numbers) <= 2 * 60 + 3
    assert times_ns == sorted(times_ns)


def test_frames_come_no_faster_than_the_mode(make_desk) -> None:
    desk = make_desk(640, 360, 60_000)
    desk.start_client("box")
    capture = X11Capture()
    desk.closers.append(capture.close)
    capture.open(
        desk.seat, desk.display, VideoMode(width_px=640, height_px=360, refresh_mhz=20_000)
    )

    count, began = 0, time.monotonic()
    while time.monotonic() - began < 2:
        frame = capture.read(0.5)
        assert frame is not None
        frame.release()
        count += 1

    assert 30 <= count <= 42


def test_two_frames_may_be_out_and_stay_as_they_were(make_desk, frame_number) -> None:
    desk = make_desk()
    desk.start_client("counter")
    capture = desk.capture()
    first, second = capture.read(2.0), capture.read(2.0)
    before = first.planes[0].copy(), second.planes[0].copy()

    for _ in range(5):
        capture.read(2.0).release()

    assert np.array_equal(first.planes[0], before[0])
    assert np.array_equal(second.planes[0], before[1])


def test_frames_that_are_never_released_are_an_error(make_desk) -> None:
    desk = make_desk()
    desk.start_client("counter")
    capture = desk.capture()

    with pytest.raises(DriverFailed, match="not released"):
        for _ in range(10):
            capture.read(2.0)


def test_a_borrowed_frame_outlives_the_capture(make_desk) -> None:
    desk = make_desk(background="#336699")
    capture = desk.capture()
    rest(capture)
    capture.close()
    capture = desk.capture()
    frame = capture.read(2.0)

    capture.close()

    assert frame.planes[0].shape == (360, 2560)
    assert frame.planes[0][200, 400] in (0x99, 0)
    frame.release()


def test_frames_follow_the_size_of_the_display(make_desk) -> None:
    desk = make_desk(640, 360)
    desk.start_client("counter")
    capture = desk.capture()
    small = capture.read(2.0)

    desk.compositor.resize(VideoMode(width_px=1024, height_px=768, refresh_mhz=60_000))
    picture = read_until(capture, lambda p: p.shape[:2] == (768, 1024), "of the new size")

    assert picture.shape == (768, 1024, 4)
    assert small.planes[0].shape == (360, 640 * 4)
    small.release()


def test_frames_follow_a_display_that_shrinks_between_a_look_and_its_picture(make_desk) -> None:
    desk = make_desk(1024, 768)
    desk.start_client("counter")
    capture = desk.capture()
    capture.read(2.0).release()
    # As if the news had not come yet: what is asked for is more than there is.
    desk.compositor.resize(VideoMode(width_px=640, height_px=360, refresh_mhz=60_000))
    capture._screen.connection.events()

    picture = read_until(capture, lambda p: p.shape[:2] == (360, 640), "of the new size")

    assert tuple(picture[100, 100, :3]) == (0, 0, 0xC0)


def test_the_cursor_is_in_the_picture_where_it_points_and_nowhere_else(make_desk) -> None:
    desk = make_desk(background="#336699")
    capture = desk.capture()
    devices = desk.input()
    rest(capture)
    middle, corner = np.s_[150:210, 290:350, 0], np.s_[60:120, 130:190, 0]

    devices.handle(PointerPosition(0.25, 0.25))

    picture = read_until(capture, lambda p: (p[corner] != 0x99).any(), "with the cursor")
    assert (picture[middle] == 0x99).all()


def test_a_cursor_that_changes_its_shape_is_shown(make_desk) -> None:
    desk = make_desk(background="#336699")
    capture = desk.capture()
    rest(capture)

    desk.start_client("still")
    plain = read_until(capture, lambda p: p[-1, -1, 0] == 0x80, "with the client")
    rest(capture)
    environment = {**os.environ, **desk.display.environment}
    subprocess.run([sys.executable, "-c", _HIDE_CURSOR], env=environment, check=True, timeout=30)

    around = np.s_[170:200, 310:340]
    picture = read_until(capture, lambda p: (p[around] != plain[around]).any(), "of another shape")
    assert picture.shape == plain.shape


def test_a_frame_says_where_it_differs_from_the_one_before(make_desk) -> None:
    desk = make_desk(640, 360)
    desk.start_client("box")
    devices = desk.input()
    capture = desk.capture()
    before, small = None, 0

    for step in range(120):
        devices.handle(PointerPosition(step / 120, 0.9))
        frame = capture.read(2.0)
        picture = frame.planes[0].reshape(360, 640, 4)[:, :, :3].copy()
        if before is None:
            assert frame.damage is None
        else:
            assert frame.damage is not None
            for area in frame.damage:
                rows = slice(area.top_px, area.top_px + area.height_px)
                columns = slice(area.left_px, area.left_px + area.width_px)
                before[rows, columns] = picture[rows, columns]
            assert (before == picture).all()
            small += sum(a.width_px * a.height_px for a in frame.damage) < 640 * 360 // 2
        before = picture
        frame.release()

    assert small > 60


def test_frames_show_the_newest_although_their_memory_is_used_again(
    make_desk, frame_number
) -> None:
    desk = make_desk(640, 360)
    desk.start_client("counter")
    capture = desk.capture()

    numbers = []
    for _ in range(60):
        frame = capture.read(2.0)
        numbers.append(frame_number(frame))
        # What never changes must be right in each of the ring's pictures.
        picture = frame.planes[0].reshape(360, 640, 4)
        assert tuple(picture[100, 100, :3]) == (0, 0, 0xC0)
        frame.release()

    assert numbers == sorted(numbers)
    assert len(set(numbers)) > 50


def test_a_killed_compositor_ends_the_capture(make_desk, seat) -> None:
    desk = make_desk()
    capture = desk.capture()
    rest(capture)

    os.kill(seat.processes[0].pid, signal.SIGKILL)

    with pytest.raises(DriverFailed):
        for _ in range(10):
            capture.read(1.0)
    capture.close()


def test_a_display_that_is_gone_cannot_be_opened(make_desk) -> None:
    desk = make_desk()
    desk.compositor.close()

    with pytest.raises(DriverUnavailable):
        desk.capture()


@pytest.mark.parametrize(("name", "module"), [("MIT-SHM", "shm"), ("DAMAGE", "damage")])
def test_a_server_that_lacks_something_is_a_reason(make_desk, tmp_path, name, module) -> None:
    xvfb = tmp_path / "Xvfb"
    xvfb.write_text(f'#!/bin/sh\nexec Xvfb "$@" -extension {name}\n')
    xvfb.chmod(0o755)
    desk = make_desk(xvfb=str(xvfb))

    with pytest.raises(DriverUnavailable, match=f"no extension {module}"):
        desk.capture()


def test_a_still_desktop_costs_nothing(make_desk) -> None:
    desk = make_desk()
    capture = desk.capture()
    rest(capture)

    before_s = time.process_time()
    assert capture.read(1.0) is None
    used_s = time.process_time() - before_s

    assert used_s < 0.05
