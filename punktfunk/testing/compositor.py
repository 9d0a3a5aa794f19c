"""What a compositor promises."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import attrs
import pytest

from punktfunk.drivers.compositor import CompositorDriver, Display
from punktfunk.errors import DriverFailed
from punktfunk.model.apps import LaunchSpec
from punktfunk.model.video import VideoMode
from punktfunk.testing.contract import DriverContract, or_skip
from punktfunk.testing.seat import FakeSeat

MODE = VideoMode(width_px=1_280, height_px=720, refresh_mhz=60_000)
_PATIENCE_S = 5.0


class CompositorDriverContract(DriverContract):
    """Promises of a compositor.

    Attributes:
        name: The driver's entry-point name, which its displays carry.
    """

    driver_base = CompositorDriver
    name: ClassVar[str]
    mode: ClassVar[VideoMode] = MODE

    @pytest.fixture
    def display(self, driver: Any, seat: FakeSeat) -> Iterator[Display]:
        """The display of the opened driver."""
        try:
            yield or_skip(lambda: driver.open(seat, self.mode))
        finally:
            driver.close()

    def open_driver(self, driver: Any, seat: FakeSeat) -> None:
        driver.open(seat, self.mode)

    def test_the_display_has_exactly_the_mode(self, display: Display) -> None:
        assert display.mode == self.mode

    def test_the_display_says_who_made_it(self, display: Display) -> None:
        assert display.compositor == self.name

    def test_the_display_says_how_to_reach_it(self, display: Display) -> None:
        assert all(isinstance(text, str) for pair in display.environment.items() for text in pair)

    def test_a_resized_display_has_the_new_mode(self, driver: Any, display: Display) -> None:
        smaller = VideoMode(width_px=800, height_px=600, refresh_mhz=30_000)

        resized = driver.resize(smaller)

        assert resized == attrs.evolve(display, mode=smaller)

    def test_a_living_display_passes_its_check(self, driver: Any, display: Display) -> None:
        driver.check()

    def test_the_desktop_is_started_from_an_argument_list(
        self, driver: Any, display: Display
    ) -> None:
        app = driver.default_app()

        assert isinstance(app, LaunchSpec)
        assert all(isinstance(argument, str) for argument in app.argv)

    def test_a_display_that_died_fails_its_check(
        self, driver: Any, seat: FakeSeat, display: Display
    ) -> None:
        if not seat.running:
            pytest.skip("it starts nothing that could die")
        for process in seat.running:
            os.killpg(process.pid, signal.SIGKILL)

        assert until(lambda: _check_fails(driver))

    def test_two_displays_live_side_by_side(
        self, driver: Any, seat: FakeSeat, display: Display
    ) -> None:
        other = self.another(driver)
        with FakeSeat("seat-other") as other_seat:
            try:
                second = other.open(other_seat, self.mode)

                if display.environment:
                    assert {**seat.environment, **display.environment} != {
                        **other_seat.environment,
                        **second.environment,
                    }
                driver.check()
                other.check()
            finally:
                other.close()
        driver.check()


def until(condition: Callable[[], bool]) -> bool:
    """Wait until something is so, a few seconds at most."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def _check_fails(driver: Any) -> bool:
    try:
        driver.check()
    except DriverFailed:
        return True
    return False
