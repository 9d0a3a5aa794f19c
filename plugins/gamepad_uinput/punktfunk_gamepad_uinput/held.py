"""What a client's hands do with one pad now."""

import math

import attrs

from punktfunk.plugin import (
    BatteryState,
    ContactKind,
    MotionKind,
    PadBattery,
    PadMotion,
    PadState,
    PadTouch,
)

G = 9.80665
"""Metres a second squared."""
AT_REST = (0.0, G, 0.0)
STILL = (0.0, 0.0, 0.0)
FINGERS = 2
FULL_PERCENT = 100

Sensor = tuple[float, float, float]


@attrs.frozen
class Finger:
    """On a touchpad, x and y from 0 to 1. `number` is 0 to 127, another one each time."""

    number: int
    x: float
    y: float


@attrs.define
class Held:
    """Attributes:
    gyro: Degrees a second around x, y, z.
    acceleration: Metres a second squared; at rest it is what gravity makes of it.
    fingers: Each in its place; None where there is none.
    """

    state: PadState
    gyro: Sensor = STILL
    acceleration: Sensor = AT_REST
    fingers: list[Finger | None] = attrs.Factory(lambda: [None] * FINGERS)
    percent: int = FULL_PERCENT
    battery: BatteryState = BatteryState.UNKNOWN
    _names: list[int] = attrs.Factory(lambda: [0] * FINGERS)
    _touches: int = 0

    @property
    def is_held(self) -> bool:
        """Something is pressed, pulled, touched or turned."""
        neutral = PadState(pad=self.state.pad)
        return self.state != neutral or any(self.fingers) or self.gyro != STILL

    def let_go(self) -> None:
        """Back to a pad that lies on the table."""
        self.state = PadState(pad=self.state.pad)
        self.gyro, self.acceleration = STILL, AT_REST
        self.fingers = [None] * FINGERS

    def apply(self, event: object) -> None:
        """Take what the event says; other kinds change nothing."""
        match event:
            case PadState():
                self.state = event
            case PadMotion(kind=MotionKind.GYRO):
                self.gyro = _finite(event)
            case PadMotion(kind=MotionKind.ACCELEROMETER):
                self.acceleration = _finite(event)
            case PadBattery():
                self.battery = event.state
                self.percent = FULL_PERCENT if event.percent is None else event.percent
            case PadTouch():
                self._touch(event)

    def _touch(self, event: PadTouch) -> None:
        place = self._place(event.pointer_id)
        match event.kind:
            case ContactKind.DOWN | ContactKind.MOVE:
                if place is None:
                    place = self._new_place(event.pointer_id)
                if place is not None:
                    finger = self.fingers[place]
                    number = finger.number if finger else self._next_number()
                    self.fingers[place] = Finger(number, event.x, event.y)
            case ContactKind.UP | ContactKind.CANCEL:
                if place is not None:
                    self.fingers[place] = None
            case ContactKind.CANCEL_ALL:
                self.fingers = [None] * FINGERS

    def _place(self, name: int) -> int | None:
        for place, finger in enumerate(self.fingers):
            if finger is not None and self._names[place] == name:
                return place
        return None

    def _new_place(self, name: int) -> int | None:
        for place, finger in enumerate(self.fingers):
            if finger is None:
                self._names[place] = name
                return place
        return None

    def _next_number(self) -> int:
        self._touches = (self._touches + 1) % 128
        return self._touches


def _finite(event: PadMotion) -> Sensor:
    x, y, z = (value if math.isfinite(value) else 0.0 for value in (event.x, event.y, event.z))
    return x, y, z


def i16(value: float) -> int:
    """The nearest that 16 bits can hold."""
    return min(max(round(value), -0x8000), 0x7FFF)
