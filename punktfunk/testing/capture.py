"""What a capture promises."""

import time
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from punktfunk.drivers.capture import CaptureDriver
from punktfunk.drivers.compositor import Display
from punktfunk.model.frames import Frame
from punktfunk.model.video import PACKED, PixelFormat, VideoMode
from punktfunk.pixels.coefficients import first_byte
from punktfunk.testing.contract import DriverContract, or_skip
from punktfunk.testing.seat import FakeSeat

MODE = VideoMode(width_px=640, height_px=360, refresh_mhz=30_000)
_PATIENCE_S = 5.0


class CaptureDriverContract(DriverContract):
    """Promises of a capture. Supply the fixture `display` when it needs a real one.

    Claim `animated` when the display of the tests changes all the time by itself.
    """

    driver_base = CaptureDriver
    possible_capabilities = frozenset({"animated"})
    mode: ClassVar[VideoMode] = MODE

    @pytest.fixture
    def display(self, seat: FakeSeat) -> Iterator[Display]:
        """What to take pictures of, of the size of `mode`; a display that is none."""
        yield Display(compositor="null", mode=self.mode)

    @pytest.fixture(autouse=True)
    def _keep_request(self, request: pytest.FixtureRequest) -> None:
        self._request = request  # a display costs time: only tests that open a driver get one

    @pytest.fixture
    def capture(self, driver: Any, seat: FakeSeat, display: Display) -> Iterator[Any]:
        """The opened driver."""
        try:
            or_skip(lambda: driver.open(seat, display, self.mode))
            yield driver
        finally:
            driver.close()

    def open_driver(self, driver: Any, seat: FakeSeat) -> None:
        driver.open(seat, self._request.getfixturevalue("display"), self.mode)

    def test_a_first_picture_comes_without_any_change(self, capture: Any) -> None:
        read_frame(capture).release()

    def test_pictures_are_in_cpu_memory_unless_other_memory_is_taken(
        self, driver: Any, seat: FakeSeat, display: Display
    ) -> None:
        driver.take_dmabufs(())
        try:
            or_skip(lambda: driver.open(seat, display, self.mode))
            frame = read_frame(driver)

            assert frame.dmabuf is None
            frame.release()
        finally:
            driver.close()

    def test_pictures_have_the_size_of_the_mode(self, capture: Any) -> None:
        frame = read_frame(capture)

        assert (frame.width_px, frame.height_px) == (self.mode.width_px, self.mode.height_px)
        assert [plane.shape for plane in frame.planes] == _shapes(frame)
        assert all(plane.strides[1] == 1 for plane in frame.planes)
        frame.release()

    def test_pictures_are_stamped_when_they_are_taken(self, capture: Any) -> None:
        frame = read_frame(capture)
        now_ns = time.monotonic_ns()

        assert now_ns - 2_000_000_000 < frame.captured_ns <= now_ns
        frame.release()

    def test_reading_does_not_wait_longer_than_it_may(self, capture: Any) -> None:
        read_frame(capture).release()

        started = time.monotonic()
        frame = capture.read(0.05)

        assert time.monotonic() - started < 1.0
        if frame is not None:
            frame.release()

    def test_two_pictures_may_be_out_at_once(self, capture: Any) -> None:
        self.claims("animated")
        first, second = read_frame(capture), read_frame(capture)
        kept = [plane.copy() for plane in first.planes]

        assert first.captured_ns < second.captured_ns
        assert all((plane == copy).all() for plane, copy in zip(first.planes, kept, strict=True))
        first.release()
        second.release()
        read_frame(capture).release()

    def test_time_never_runs_backwards_and_pictures_never_stop(self, capture: Any) -> None:
        self.claims("animated")
        stamps = []
        for _ in range(20):
            frame = read_frame(capture)
            stamps.append(frame.captured_ns)
            frame.release()

        assert stamps == sorted(set(stamps))

    def test_nothing_changes_outside_of_the_damage(self, capture: Any) -> None:
        self.claims("animated")
        shown = read_frame(capture)
        kept = [plane.copy() for plane in shown.planes]
        shown.release()

        for _ in range(20):
            frame = read_frame(capture)
            if frame.damage is not None and frame.format in PACKED:
                pixels, before = (
                    plane.reshape(frame.height_px, frame.width_px, 4)
                    for plane in (frame.planes[0], kept[0])
                )
                for area in frame.damage:
                    rows = slice(area.top_px, area.top_px + area.height_px)
                    columns = slice(area.left_px, area.left_px + area.width_px)
                    before[rows, columns] = pixels[rows, columns]
                first = first_byte(frame.format)
                colours = slice(first, first + 3)
                assert (pixels[..., colours] == before[..., colours]).all()
            kept = [plane.copy() for plane in frame.planes]
            frame.release()

    def test_pictures_come_no_faster_than_the_mode(self, capture: Any) -> None:
        self.claims("animated")
        read_frame(capture).release()

        started_ns = time.monotonic_ns()
        for _ in range(15):
            read_frame(capture).release()
        took_ns = time.monotonic_ns() - started_ns

        # Two frames' grace: one may have been waiting, and a clock may be a little fast.
        assert took_ns > 13 * self.mode.frame_interval_ns


def read_frame(capture: Any) -> Frame:
    """Read until there is a picture; a capture that shows none is a failure."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        frame: Frame | None = capture.read(0.5)
        if frame is not None:
            return frame
    pytest.fail(f"no picture came within {_PATIENCE_S:g} s")


def _shapes(frame: Frame) -> list[tuple[int, int]]:
    width, height = frame.width_px, frame.height_px
    chroma_width, chroma_height = (width + 1) // 2, (height + 1) // 2
    if frame.format is PixelFormat.I420:
        return [(height, width), (chroma_height, chroma_width), (chroma_height, chroma_width)]
    if frame.format is PixelFormat.NV12:
        return [(height, width), (chroma_height, 2 * chroma_width)]
    return [(height, 4 * width)]
