"""A capture that outlives its display."""

import numpy as np
import pytest

from punktfunk.drivers.capture import CaptureDriver
from punktfunk.errors import DriverFailed
from punktfunk.model.frames import Frame
from punktfunk.model.video import PixelFormat, VideoMode
from punktfunk.session.lasting import LastingCapture

MODE = VideoMode(width_px=64, height_px=32, refresh_mhz=60_000)


class Fragile(CaptureDriver):
    """Lends pictures until it is broken."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = self.closed = False
        self.lent = 0

    def open(self, seat, display, mode):
        self.display = display

    def read(self, timeout_s):
        assert not self.closed
        if self.broken:
            raise DriverFailed("the display is gone")
        self.lent += 1
        return Frame(
            format=PixelFormat.BGRX,
            width_px=MODE.width_px,
            height_px=MODE.height_px,
            planes=(np.zeros((MODE.height_px, 4 * MODE.width_px), np.uint8),),
            captured_ns=1,
            release=self.take_back,
        )

    def take_back(self) -> None:
        assert not self.closed, "given back after the end"
        self.lent -= 1

    def close(self):
        self.closed = True


@pytest.fixture
def drivers() -> list[Fragile]:
    return []


@pytest.fixture
def told() -> list[object]:
    return []


@pytest.fixture
def capture(drivers, told) -> LastingCapture:
    def make() -> Fragile:
        drivers.append(Fragile())
        return drivers[-1]

    capture = LastingCapture(make, lambda error: told.append(str(error)))
    capture.on_new_display = lambda: told.append("new display")
    capture.open(None, "first", MODE)
    return capture


def test_a_capture_that_fails_is_told_once_and_has_no_pictures(capture, drivers, told) -> None:
    drivers[0].broken = True

    assert [capture.read(0.0) for _ in range(3)] == [None] * 3
    assert told == ["the display is gone"]
    assert capture.lost


def test_a_capture_is_closed_only_when_its_pictures_are_given_back(capture, drivers) -> None:
    frame = capture.read(0.0)
    drivers[0].broken = True

    capture.read(0.0)
    capture.read(0.0)
    assert not drivers[0].closed
    frame.release()
    capture.read(0.0)

    assert drivers[0].closed


def test_the_first_picture_of_another_display_is_announced(capture, drivers, told) -> None:
    drivers[0].broken = True
    capture.read(0.0)
    capture.read(0.0)
    capture.hold()
    capture.let_go()

    capture.reopen(None, "second")
    assert told == ["the display is gone"]
    frames = [capture.read(0.0) for _ in range(2)]

    assert all(frame is not None for frame in frames)
    assert told == ["the display is gone", "new display"]
    assert drivers[1].display == "second"


def test_a_capture_that_is_held_fails_in_silence(capture, drivers, told) -> None:
    capture.read(0.0).release()
    capture.hold()
    drivers[0].broken = True

    assert capture.read(0.0) is None

    assert told == []
    assert drivers[0].closed


def test_a_capture_that_nobody_reads_is_let_go_at_once(capture, drivers) -> None:
    capture.hold()

    capture.let_go()

    assert drivers[0].closed


def test_a_capture_that_was_closed_meanwhile_is_not_opened_again(capture, drivers) -> None:
    capture.hold()
    capture.let_go()
    capture.close()

    capture.reopen(None, "second")

    assert drivers[1].closed
