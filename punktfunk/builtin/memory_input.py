"""Input that goes into a file instead of a display, and what pads feel in return."""

import json
from collections.abc import Callable, Hashable, Iterator, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, TextIO

import attrs

from punktfunk.drivers.compositor import Display
from punktfunk.drivers.input import InputDriver
from punktfunk.drivers.seat import Seat
from punktfunk.errors import DriverFailed, DriverUnavailable
from punktfunk.model.feedback import Feedback, MotionRequest, RgbLed, Rumble, TriggerRumble
from punktfunk.model.input import (
    ButtonEvent,
    ContactKind,
    InputEvent,
    KeyEvent,
    MotionKind,
    PadArrival,
    PadCapabilities,
    PadRemoved,
    PadState,
    TouchEvent,
)

EVENTS_FILE = "input-events.jsonl"

_LIGHT = (255, 64, 0)
_SENSOR_HZ = 100
_SENSORS = (
    (PadCapabilities.ACCELEROMETER, MotionKind.ACCELEROMETER),
    (PadCapabilities.GYRO, MotionKind.GYRO),
)
_FULL_FORCE = 65_535


class MemoryInput(InputDriver):
    """Appends each event to `input-events.jsonl` in the seat's runtime folder.

    A line is an object: `event` is the event's class name, the rest are its fields, enums
    as their numbers. Releasing what is held is written as the events a client would send.

    Pads are answered, so that a person with the test pattern on the screen can check theirs:
    the triggers drive the motors, a pad with a light gets one, and one with sensors is asked
    for their reports.

    Attributes:
        held: What is down now, and the event that would release it.
    """

    _lines: TextIO | None = None

    def __init__(self, settings: Mapping[str, object] = MappingProxyType({})) -> None:
        super().__init__(settings)
        self.held: dict[Hashable, InputEvent] = {}
        self._pads: dict[int, PadCapabilities] = {}
        self._send_feedback: Callable[[Feedback], None] = lambda feedback: None

    def open(self, seat: Seat, display: Display, send_feedback: Callable[[Feedback], None]) -> None:
        self.close()
        self.held.clear()
        self._send_feedback = send_feedback
        try:
            self._lines = (seat.runtime_dir / EVENTS_FILE).open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            raise DriverUnavailable("memory", f"cannot write {EVENTS_FILE}: {error}") from error

    def handle(self, event: InputEvent) -> None:
        if self._lines is None:
            raise DriverFailed("the input driver is not open")
        if not attrs.has(type(event)):
            return  # of a later version of punktfunk
        self._remember(event)
        for feedback in self._answer(event):
            self._send_feedback(feedback)
        fields = attrs.asdict(event, value_serializer=_plain)
        self._lines.write(json.dumps({"event": type(event).__name__, **fields}) + "\n")

    def release_all(self) -> None:
        for event in list(self.held.values()):
            self.handle(event)

    def close(self) -> None:
        lines, self._lines = self._lines, None
        if lines is not None:
            lines.close()

    def _answer(self, event: InputEvent) -> Iterator[Feedback]:
        match event:
            case PadArrival(pad=pad, capabilities=capabilities):
                self._pads[pad] = capabilities
                if PadCapabilities.RGB_LED in capabilities:
                    red, green, blue = _LIGHT
                    yield RgbLed(pad=pad, red=red, green=green, blue=blue)
                for sensor, kind in _SENSORS:
                    if sensor in capabilities:
                        yield MotionRequest(pad=pad, kind=kind, rate_hz=_SENSOR_HZ)
            case PadState(pad=pad, left_trigger=left, right_trigger=right):
                low, high = left * _FULL_FORCE // 255, right * _FULL_FORCE // 255
                yield Rumble(pad=pad, low_frequency=low, high_frequency=high)
                if PadCapabilities.TRIGGER_RUMBLE in self._pads.get(pad, PadCapabilities.NONE):
                    yield TriggerRumble(pad=pad, left=low, right=high)

    def _remember(self, event: InputEvent) -> None:
        match event:
            case KeyEvent(vk=name) | ButtonEvent(button=name):
                self._hold((type(event), name), event.pressed, attrs.evolve(event, pressed=False))
            case TouchEvent(kind=ContactKind.DOWN | ContactKind.MOVE, pointer_id=finger):
                self._hold(("finger", finger), True, attrs.evolve(event, kind=ContactKind.UP))
            case TouchEvent(kind=ContactKind.UP | ContactKind.CANCEL, pointer_id=finger):
                self._hold(("finger", finger), False, event)
            case PadState(pad=pad):
                neutral = PadState(pad=pad)
                self._hold(("pad", pad), event != neutral, neutral)
            case PadRemoved(pad=pad):
                self._hold(("pad", pad), False, event)

    def _hold(self, what: Hashable, down: bool, release: InputEvent) -> None:
        if down:
            self.held[what] = release
        else:
            self.held.pop(what, None)


def _plain(_event: object, _field: object, value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
