import os
import signal
import time

import numpy as np
import pytest
from punktfunk_capture_wlroots.capture import WlrootsCapture
from user_sway import SWAYS

from punktfunk.plugin import (
    DriverFailed,
    DriverUnavailable,
    PixelFormat,
    PointerPosition,
    VideoMode,
)

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.parametrize("sway_program", SWAYS, indirect=True),
]


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


def test_the_newer_protocol_is_taken_where_it_is_offered_and_the_log_says_which(
    make_desk, request, caplog
) -> None:
    caplog.set_level("INFO")
    desk = make_desk()

    capture = desk.capture()

    newer = request.node.callspec.params["sway_program"] == "sid"
    assert capture.protocol == ("ext-image-copy-capture" if newer else "wlr-screencopy")
    assert f"pictures come over {capture.protocol}" in caplog.text


def test_a_picture_arrives_pixel_by_pixel_as_it_was_drawn(make_desk) -> None:
    desk = make_desk(640, 360)
    desk.start_client("still")
    capture = desk.capture()

    picture = read_until(capture, lambda p: p[-1, -1, 0] == 0x80, "with the client")

    # Bytes are blue, green, red; the frame number is zero, so its cells are black.
    assert not picture[:16, :256, :3].any()
    assert (picture[16:180, :320, :3] == [0, 0, 0xC0]).all()
    assert (picture[16:180, 320:, :3] == [0, 0xC0, 0]).all()
    assert (picture[180:, :320, :3] == [0xC0, 0, 0]).all()
    assert (picture[180:, 320:, :3] == [0x80, 0x80, 0x80]).all()


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
    capture = WlrootsCapture()
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


def test_frames_follow_the_display_when_it_changes_its_size(make_desk) -> None:
    desk = make_desk(640, 360)
    client = desk.start_client("counter")
    capture = desk.capture()
    before = capture.read(2.0)

    desk.compositor.resize(VideoMode(width_px=1024, height_px=768, refresh_mhz=60_000))
    client.wait_for("shown", width=1024, height=768)
    picture = read_until(
        capture, lambda p: p.shape[0] == 768 and (p[-1, :512, 0] == 0xC0).all(), "of the new size"
    )

    assert picture.shape == (768, 1024, 4)
    assert before.planes[0].shape == (360, 640 * 4)
    before.release()


def test_a_size_change_in_the_middle_of_a_copy_is_survived(make_desk) -> None:
    desk = make_desk(640, 360)
    capture = desk.capture()
    rest(capture)

    for width in (800, 640, 1024, 320):
        desk.compositor.resize(VideoMode(width_px=width, height_px=360, refresh_mhz=60_000))
        read_until(capture, lambda p, width=width: p.shape[1] == width, f"{width} pixels wide")


def test_the_cursor_is_in_the_picture(make_desk) -> None:
    desk = make_desk(background="#336699")
    capture = desk.capture()
    devices = desk.input()
    read_until(capture, lambda p: p[20, 20, 0] == 0x99, "with the background")
    rest(capture)

    devices.handle(PointerPosition(0.5, 0.5))

    def has_cursor(picture) -> bool:
        return bool((picture[180:200, 320:340, 0] != 0x99).any())

    read_until(capture, has_cursor, "with the cursor")


def test_the_damage_of_a_small_change_is_small_and_leaves_nothing_out(make_desk) -> None:
    desk = make_desk(background="#336699")
    capture = desk.capture()
    devices = desk.input()
    devices.handle(PointerPosition(0.25, 0.25))
    before = read_until(capture, lambda p: p[20, 20, 0] == 0x99, "with the background")
    rest(capture)
    damaged_px = []

    for step in range(8):
        devices.handle(PointerPosition(0.25 + step / 16, 0.5))
        frame = capture.read(5.0)
        picture = frame.planes[0].reshape(frame.height_px, frame.width_px, 4).copy()
        frame.release()
        if frame.damage is None:  # the first after a picture that was copied without damage
            before = picture
            continue
        damaged_px.append(sum(area.width_px * area.height_px for area in frame.damage))
        for area in frame.damage:
            rows = slice(area.top_px, area.top_px + area.height_px)
            columns = slice(area.left_px, area.left_px + area.width_px)
            before[rows, columns] = picture[rows, columns]
        assert np.array_equal(before[..., :3], picture[..., :3])

    assert damaged_px
    assert min(damaged_px) < 640 * 360 // 4


def test_a_killed_compositor_ends_the_capture(make_desk, seat) -> None:
    desk = make_desk()
    capture = desk.capture()
    rest(capture)

    os.kill(seat.processes[0].pid, signal.SIGKILL)

    began = time.monotonic()
    with pytest.raises(DriverFailed, match="compositor"):
        capture.read(30.0)
    assert time.monotonic() - began < 10
    capture.close()


def test_a_display_that_is_gone_cannot_be_opened(make_desk) -> None:
    desk = make_desk()
    desk.compositor.close()

    with pytest.raises(DriverUnavailable):
        desk.capture()


def test_a_still_desktop_costs_nothing(make_desk) -> None:
    desk = make_desk()
    capture = desk.capture()
    rest(capture)

    before_s = time.process_time()
    assert capture.read(1.0) is None
    used_s = time.process_time() - before_s

    assert used_s < 0.05
