"""What a gamepad driver promises."""

from collections.abc import Collection, Iterator
from typing import Any

import attrs
import pytest

from punktfunk.drivers.gamepad import GamepadDriver
from punktfunk.model.feedback import Feedback, MotionRequest
from punktfunk.model.input import (
    ContactKind,
    EnableHaptics,
    PadArrival,
    PadBattery,
    PadEvent,
    PadMotion,
    PadRemoved,
    PadState,
    PadTouch,
)
from punktfunk.model.pads import (
    MAX_PADS,
    BatteryState,
    MotionKind,
    PadButtons,
    PadCapabilities,
    PadType,
)
from punktfunk.testing.contract import DriverContract, or_skip
from punktfunk.testing.seat import FakeSeat

_ABLE = PadCapabilities(sum(PadCapabilities))
_PRESSED = PadState(
    pad=0,
    buttons=PadButtons(sum(PadButtons)),
    left_trigger=255,
    right_trigger=1,
    left_x=-32_768,
    left_y=32_767,
    right_x=32_767,
    right_y=-32_768,
)

EVERY_PAD_EVENT: tuple[PadEvent, ...] = (
    EnableHaptics(),
    PadArrival(
        pad=0, type=PadType.PLAYSTATION, capabilities=_ABLE, buttons=PadButtons(sum(PadButtons))
    ),
    _PRESSED,
    PadTouch(pad=0, kind=ContactKind.DOWN, touchpad=0, pointer_id=1, x=0.0, y=1.0, pressure=1.0),
    PadTouch(pad=0, kind=ContactKind.DOWN, touchpad=0, pointer_id=2, x=1.0, y=0.0, pressure=1.0),
    PadTouch(pad=0, kind=ContactKind.DOWN, touchpad=1, pointer_id=3, x=0.5, y=0.5, pressure=1.0),
    PadTouch(pad=0, kind=ContactKind.MOVE, touchpad=0, pointer_id=1, x=0.5, y=0.5, pressure=0.5),
    PadTouch(pad=0, kind=ContactKind.UP, touchpad=0, pointer_id=1, x=0.5, y=0.5, pressure=0.0),
    PadTouch(pad=0, kind=ContactKind.CANCEL_ALL, touchpad=0, pointer_id=0, x=0, y=0, pressure=0),
    PadMotion(pad=0, kind=MotionKind.GYRO, x=10_000.0, y=0.0, z=-10_000.0),
    PadMotion(pad=0, kind=MotionKind.ACCELEROMETER, x=0.0, y=9.8, z=0.0),
    PadMotion(pad=0, kind=MotionKind.GYRO, x=float("nan"), y=float("inf"), z=-float("inf")),
    PadBattery(pad=0, state=BatteryState.DISCHARGING, percent=50),
    PadBattery(pad=0, state=BatteryState.UNKNOWN, percent=None),
    PadRemoved(0),
)


class GamepadDriverContract(DriverContract):
    """Promises of a gamepad driver. Claim `motion` when it wants to know how a pad moves.

    Return what is not in its neutral place from `held`, when your driver can tell, and letting
    go is tested as well.
    """

    driver_base = GamepadDriver
    possible_capabilities = frozenset({"motion"})

    @pytest.fixture
    def feedback(self) -> list[Feedback]:
        """What the driver sent back to the client."""
        return []

    @pytest.fixture
    def pads(self, driver: Any, seat: FakeSeat, feedback: list[Feedback]) -> Iterator[Any]:
        """The opened driver."""
        try:
            or_skip(lambda: driver.open(seat, feedback.append))
            yield driver
        finally:
            driver.close()

    def open_driver(self, driver: Any, seat: FakeSeat) -> None:
        driver.open(seat, lambda _feedback: None)

    def held(self, driver: Any) -> Collection[object] | None:
        """Say which pads have something pressed, pulled or touched; None when nobody can tell."""
        return None

    def test_a_pad_lives_from_arrival_to_removal(self, pads: Any) -> None:
        for event in EVERY_PAD_EVENT:
            pads.handle(event)

    @pytest.mark.parametrize("event", EVERY_PAD_EVENT, ids=lambda event: type(event).__name__)
    def test_every_event_may_come_for_a_pad_that_is_not_there(
        self, pads: Any, event: PadEvent
    ) -> None:
        pads.handle(event)

    def test_an_event_of_a_later_version_is_ignored(self, pads: Any) -> None:
        class EventOfTomorrow:
            pass

        pads.handle(EventOfTomorrow())

    def test_as_many_pads_as_a_client_can_have_find_room(self, pads: Any) -> None:
        for number in range(MAX_PADS):
            pads.handle(PadState(pad=number, buttons=PadButtons.A))
        for number in range(MAX_PADS):
            pads.handle(PadRemoved(number))

    def test_a_pad_may_arrive_again_as_another_kind(self, pads: Any) -> None:
        for kind in PadType:
            arrival = PadArrival(
                pad=1, type=kind, capabilities=_ABLE, buttons=PadButtons(sum(PadButtons))
            )
            pads.handle(arrival)
            pads.handle(attrs.evolve(_PRESSED, pad=1))

    def test_releasing_all_twice_is_fine(self, pads: Any) -> None:
        for event in EVERY_PAD_EVENT[:3]:
            pads.handle(event)

        pads.release_all()
        pads.release_all()

    def test_releasing_all_lets_go_and_keeps_the_pad(self, pads: Any) -> None:
        pads.handle(_PRESSED)
        before = self.held(pads)
        if before is None:
            pytest.skip("nobody can tell what is held")

        assert len(before) == 1

        pads.release_all()

        assert not self.held(pads)

        pads.handle(_PRESSED)

        assert len(self.held(pads) or ()) == 1

    def test_a_pad_with_sensors_is_asked_for_them(
        self, pads: Any, feedback: list[Feedback]
    ) -> None:
        self.claims("motion")

        pads.handle(EVERY_PAD_EVENT[1])

        asked = {it.kind: it.rate_hz for it in feedback if isinstance(it, MotionRequest)}
        assert set(asked) == set(MotionKind)
        assert all(asked.values())
