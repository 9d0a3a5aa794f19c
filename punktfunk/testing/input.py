"""What an input driver promises."""

from collections.abc import Collection, Iterator
from typing import Any, ClassVar

import pytest

from punktfunk.drivers.compositor import Display
from punktfunk.drivers.input import InputDriver
from punktfunk.model.feedback import Feedback
from punktfunk.model.input import (
    ButtonEvent,
    ContactKind,
    InputEvent,
    KeyEvent,
    PenEvent,
    PenTool,
    PointerButton,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    TextEvent,
    TouchEvent,
)
from punktfunk.model.video import VideoMode
from punktfunk.testing.contract import DriverContract, or_skip
from punktfunk.testing.seat import FakeSeat

MODE = VideoMode(width_px=1_280, height_px=720, refresh_mhz=60_000)

EVERY_EVENT: tuple[InputEvent, ...] = (
    KeyEvent(vk=0x41, evdev=30, pressed=True),
    KeyEvent(vk=0x41, evdev=30, pressed=False),
    KeyEvent(vk=0x07, evdev=None, pressed=True),
    KeyEvent(vk=0x07, evdev=None, pressed=False),
    TextEvent("hé ☃"),
    PointerMotion(5, -7),
    PointerPosition(0.0, 1.0),
    ButtonEvent(PointerButton.FORWARD, True),
    ButtonEvent(PointerButton.FORWARD, False),
    ScrollEvent(vertical_120ths=-120, horizontal_120ths=40),
    TouchEvent(kind=ContactKind.DOWN, pointer_id=9, x=0.5, y=0.5),
    TouchEvent(kind=ContactKind.UP, pointer_id=9, x=0.5, y=0.5),
    PenEvent(kind=ContactKind.HOVER, tool=PenTool.PEN, x=0.1, y=0.9),
)


class InputDriverContract(DriverContract):
    """Promises of an input driver. Supply the fixture `display` when it needs a real one.

    Claim what it injects. Return what is held down from `held`, when your driver or its
    display can tell, and letting go is tested as well.
    """

    driver_base = InputDriver
    possible_capabilities = frozenset({"pointer", "keyboard", "text", "touch", "pen"})
    mode: ClassVar[VideoMode] = MODE

    @pytest.fixture
    def display(self, seat: FakeSeat) -> Iterator[Display]:
        """Where the input goes; a display that is none."""
        yield Display(compositor="null", mode=self.mode)

    @pytest.fixture(autouse=True)
    def _keep_request(self, request: pytest.FixtureRequest) -> None:
        self._request = request  # a display costs time: only tests that open a driver get one

    @pytest.fixture
    def feedback(self) -> list[Feedback]:
        """What the driver sent back to the client."""
        return []

    @pytest.fixture
    def devices(
        self, driver: Any, seat: FakeSeat, display: Display, feedback: list[Feedback]
    ) -> Iterator[Any]:
        """The opened driver."""
        try:
            or_skip(lambda: driver.open(seat, display, feedback.append))
            yield driver
        finally:
            driver.close()

    def open_driver(self, driver: Any, seat: FakeSeat) -> None:
        driver.open(seat, self._request.getfixturevalue("display"), lambda _feedback: None)

    def held(self, driver: Any) -> Collection[object] | None:
        """Say which keys and buttons are down; None when nobody can tell."""
        return None

    @pytest.mark.parametrize("event", EVERY_EVENT, ids=lambda event: type(event).__name__)
    def test_every_event_is_handled_or_ignored(self, devices: Any, event: InputEvent) -> None:
        devices.handle(event)

    def test_an_event_of_a_later_version_is_ignored(self, devices: Any) -> None:
        class EventOfTomorrow:
            pass

        devices.handle(EventOfTomorrow())

    def test_releasing_all_twice_is_fine(self, devices: Any) -> None:
        for event in EVERY_EVENT:
            devices.handle(event)

        devices.release_all()
        devices.release_all()

    def test_releasing_all_releases_keys(self, devices: Any) -> None:
        self.claims("keyboard")
        devices.handle(KeyEvent(vk=0x41, evdev=30, pressed=True))
        self._assert_release_all_lets_go(devices)

    def test_releasing_all_releases_buttons(self, devices: Any) -> None:
        self.claims("pointer")
        devices.handle(ButtonEvent(PointerButton.LEFT, True))
        self._assert_release_all_lets_go(devices)

    def _assert_release_all_lets_go(self, devices: Any) -> None:
        before = self.held(devices)
        if before is None:
            pytest.skip("nobody can tell what is held")

        assert len(before) == 1

        devices.release_all()

        assert not self.held(devices)
