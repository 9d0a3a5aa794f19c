"""Pads that go into a file instead of the kernel, and what they feel in return."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import attrs

from punktfunk.builtin.event_lines import EventLines
from punktfunk.drivers.gamepad import GamepadDriver
from punktfunk.drivers.seat import Seat
from punktfunk.errors import DriverFailed
from punktfunk.model.feedback import Feedback, MotionRequest, RgbLed, Rumble, TriggerRumble
from punktfunk.model.input import (
    MotionKind,
    PadArrival,
    PadCapabilities,
    PadEvent,
    PadRemoved,
    PadState,
)

_LIGHT = (255, 64, 0)
_SENSOR_HZ = 100
_SENSORS = (
    (PadCapabilities.ACCELEROMETER, MotionKind.ACCELEROMETER),
    (PadCapabilities.GYRO, MotionKind.GYRO),
)
_FULL_FORCE = 65_535


class MemoryGamepads(GamepadDriver):
    """Appends each event to `input-events.jsonl` in the seat's runtime folder, see `EventLines`.

    Pads are answered, so that a person with the test pattern on the screen can check theirs:
    the triggers drive the motors, a pad with a light gets one, and one with sensors is asked
    for their reports.

    Attributes:
        held: The pads that are not in their neutral place, as they are.
    """

    _lines: EventLines | None = None

    def __init__(self, settings: Mapping[str, object] = MappingProxyType({})) -> None:
        super().__init__(settings)
        self.held: dict[int, PadState] = {}
        self._abilities: dict[int, PadCapabilities] = {}
        self._send_feedback: Callable[[Feedback], None] = lambda feedback: None

    def open(self, seat: Seat, send_feedback: Callable[[Feedback], None]) -> None:
        self.close()
        self.held.clear()
        self._send_feedback = send_feedback
        self._lines = EventLines(seat)

    def handle(self, event: PadEvent) -> None:
        if self._lines is None:
            raise DriverFailed("the gamepad driver is not open")
        if not attrs.has(type(event)):
            return  # of a later version of punktfunk
        self._remember(event)
        for feedback in self._answer(event):
            self._send_feedback(feedback)
        self._lines.write(event)

    def release_all(self) -> None:
        for pad in list(self.held):
            self.handle(PadState(pad=pad))

    def close(self) -> None:
        lines, self._lines = self._lines, None
        if lines is not None:
            lines.close()

    def _answer(self, event: PadEvent) -> Iterator[Feedback]:
        match event:
            case PadArrival(pad=pad, capabilities=capabilities):
                self._abilities[pad] = capabilities
                if PadCapabilities.RGB_LED in capabilities:
                    red, green, blue = _LIGHT
                    yield RgbLed(pad=pad, red=red, green=green, blue=blue)
                for sensor, kind in _SENSORS:
                    if sensor in capabilities:
                        yield MotionRequest(pad=pad, kind=kind, rate_hz=_SENSOR_HZ)
            case PadState(pad=pad, left_trigger=left, right_trigger=right):
                low, high = left * _FULL_FORCE // 255, right * _FULL_FORCE // 255
                yield Rumble(pad=pad, low_frequency=low, high_frequency=high)
                if PadCapabilities.TRIGGER_RUMBLE in self._abilities.get(pad, PadCapabilities.NONE):
                    yield TriggerRumble(pad=pad, left=low, right=high)

    def _remember(self, event: PadEvent) -> None:
        match event:
            case PadState(pad=pad) if event != PadState(pad=pad):
                self.held[pad] = event
            case PadState(pad=pad) | PadRemoved(pad=pad):
                self.held.pop(pad, None)
