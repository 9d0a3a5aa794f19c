"""Sony's DualSense on a cable: the reports that the kernel and games know it by."""

import struct
from collections.abc import Sequence

import attrs

from punktfunk.plugin import (
    AdaptiveTriggers,
    BatteryState,
    Feedback,
    MotionKind,
    MotionRequest,
    PadButtons,
    RgbLed,
    Rumble,
    TriggerEffect,
)
from punktfunk_gamepad_uinput.held import Finger, G, Held, i16
from punktfunk_gamepad_uinput.hid import (
    DATA,
    END,
    FEATURE,
    GAME_PAD,
    INPUT,
    NULL_STATE,
    OUTPUT,
    Response,
    fields,
    item,
    opaque,
    usage_page,
)
from punktfunk_gamepad_uinput.uhid import HidDevice

_IN, _OUT, _CALIBRATION, _PAIRING, _FIRMWARE = 0x01, 0x02, 0x05, 0x09, 0x20
_IN_BYTES, _OUT_BYTES = 64, 48
SENSOR_HZ = 100
TOUCHPAD = (1_920, 1_080)

# What the sensors' numbers mean; the calibration report tells the same.
_GYRO_PER_DEGREE = 16
_GYRO_SPEED = 540
_ACCELERATION_PER_G = 8_192
_TICKS_PER_US = 3

_NO_FINGER = 0x80
_HAT = {
    (0, 1): 0, (1, 1): 1, (1, 0): 2, (1, -1): 3, (0, -1): 4, (-1, -1): 5, (-1, 0): 6, (-1, 1): 7,
}  # fmt: skip
_HAT_NEUTRAL = 8
_FACE_AND_HAT = (
    (PadButtons.X, 0x10), (PadButtons.A, 0x20), (PadButtons.B, 0x40), (PadButtons.Y, 0x80),
)  # fmt: skip
_SHOULDERS = (
    (PadButtons.LEFT_SHOULDER, 0x01),
    (PadButtons.RIGHT_SHOULDER, 0x02),
    (PadButtons.BACK, 0x10),
    (PadButtons.START, 0x20),
    (PadButtons.LEFT_STICK, 0x40),
    (PadButtons.RIGHT_STICK, 0x80),
)
_LEFT_TRIGGER_PULLED, _RIGHT_TRIGGER_PULLED = 0x04, 0x08
_REST = ((PadButtons.GUIDE, 0x01), (PadButtons.TOUCHPAD, 0x02), (PadButtons.MISC, 0x04))

# Bits of an output report that say what of it counts, and where it is.
_MOTORS, _RIGHT_TRIGGER, _LEFT_TRIGGER = 0x03, 0x04, 0x08
_LIGHT = 0x04
_MOTORS_TOO = 0x04
_MOTOR_RIGHT, _MOTOR_LEFT = 3, 4
_TRIGGER_BYTES = 11
_RIGHT_EFFECT, _LEFT_EFFECT = 11, 22
_FLAGS_2 = 39
_RGB = slice(45, 48)

DESCRIPTOR = (
    GAME_PAD
    + item(0x84, _IN)
    + b"".join(item(0x08, axis) for axis in (0x30, 0x31, 0x32, 0x35, 0x33, 0x34))
    + fields(INPUT, DATA, count=6, bits=8, most=255)
    + usage_page(0xFF00)
    + item(0x08, 0x20)
    + fields(INPUT, DATA, count=1, bits=8, most=255)
    + usage_page(0x01)
    + item(0x08, 0x39)
    + fields(INPUT, NULL_STATE, count=1, bits=4, most=7)
    + usage_page(0x09)
    + item(0x18, 1)
    + item(0x28, 15)
    + fields(INPUT, DATA, count=15, bits=1, most=1)
    + usage_page(0xFF00)
    + item(0x08, 0x21)
    + fields(INPUT, DATA, count=13, bits=1, most=1)
    + item(0x08, 0x22)
    + fields(INPUT, DATA, count=52, bits=8, most=255)
    + opaque(_OUT, OUTPUT, _OUT_BYTES - 1)
    + opaque(_CALIBRATION, FEATURE, 40)
    + opaque(_PAIRING, FEATURE, 19)
    + opaque(_FIRMWARE, FEATURE, 63)
    + END
)
DEVICE = HidDevice(
    name="Sony Interactive Entertainment DualSense Wireless Controller",
    bus=0x03,
    vendor=0x054C,
    product=0x0CE6,
    version=0x8111,
    descriptor=DESCRIPTOR,
)


class DualSense:
    """A `HidModel`.

    Args:
        number: The client's pad, for the feedback.
        address: Six bytes that programs know it by.
    """

    device = DEVICE
    period_ms = None

    def __init__(self, number: int, address: bytes) -> None:
        self._number = number
        self._address = address
        self._rumble: Rumble | None = None
        self._light: RgbLed | None = None
        self._triggers: AdaptiveTriggers | None = None
        self._reports = 0

    def report(self, held: Held, now_ns: int) -> bytes:
        state = held.state
        self._reports += 1
        head = struct.pack(
            "<BBBBBBBB",
            _IN,
            _from_left(state.left_x),
            _from_top(state.left_y),
            _from_left(state.right_x),
            _from_top(state.right_y),
            state.left_trigger,
            state.right_trigger,
            self._reports & 0xFF,
        )
        gyro = (i16(value * _GYRO_PER_DEGREE) for value in held.gyro)
        acceleration = (i16(value / G * _ACCELERATION_PER_G) for value in held.acceleration)
        ticks = now_ns * _TICKS_PER_US // 1_000 & 0xFFFF_FFFF
        sensors = struct.pack("<6hI", *gyro, *acceleration, ticks)
        touches = b"".join(_touch(finger) for finger in held.fingers)
        body = head + _buttons(held) + bytes(4) + sensors + bytes(1) + touches + bytes(12)
        return (body + bytes([_battery(held)])).ljust(_IN_BYTES, b"\0")

    def feature(self, number: int) -> bytes | None:
        match number:
            case 0x05:
                return _calibration()
            case 0x09:
                return (bytes([_PAIRING]) + self._address[::-1]).ljust(20, b"\0")
            case 0x20:
                return _firmware()
        return None

    def on_output(self, data: bytes, held: Held) -> Response:
        if len(data) < _OUT_BYTES or data[0] != _OUT:
            return Response()
        feedback: list[Feedback] = []
        which, more, yet_more = data[1], data[2], data[_FLAGS_2]
        if which & _MOTORS or yet_more & _MOTORS_TOO:
            rumble = Rumble(
                pad=self._number,
                low_frequency=data[_MOTOR_LEFT] * 257,
                high_frequency=data[_MOTOR_RIGHT] * 257,
            )
            if rumble != (self._rumble or Rumble(pad=self._number, **_STILL)):
                feedback.append(rumble)
            self._rumble = rumble
        if more & _LIGHT:
            red, green, blue = data[_RGB]
            light = RgbLed(pad=self._number, red=red, green=green, blue=blue)
            if light != self._light:
                feedback.append(light)
            self._light = light
        if which & (_RIGHT_TRIGGER | _LEFT_TRIGGER):
            triggers = AdaptiveTriggers(
                pad=self._number,
                left=_effect(data, _LEFT_EFFECT) if which & _LEFT_TRIGGER else None,
                right=_effect(data, _RIGHT_EFFECT) if which & _RIGHT_TRIGGER else None,
            )
            feedback.append(triggers)
            self._triggers = _later(self._triggers, triggers)
        return Response(feedback=feedback)

    def greeting(self) -> Sequence[Feedback]:
        asks = (
            MotionRequest(pad=self._number, kind=kind, rate_hz=SENSOR_HZ) for kind in MotionKind
        )
        now = (self._rumble, self._light, self._triggers)
        return (*asks, *(feedback for feedback in now if feedback is not None))


_STILL = {"low_frequency": 0, "high_frequency": 0}


def _from_left(x: int) -> int:
    return (x + 0x8000) >> 8


def _from_top(up: int) -> int:
    return _from_left(min(-up, 0x7FFF))


def _buttons(held: Held) -> bytes:
    state = held.state
    pressed = state.buttons
    right = int(PadButtons.RIGHT in pressed) - int(PadButtons.LEFT in pressed)
    up = int(PadButtons.UP in pressed) - int(PadButtons.DOWN in pressed)
    shoulders = _bits(pressed, _SHOULDERS)
    shoulders |= _LEFT_TRIGGER_PULLED if state.left_trigger else 0
    shoulders |= _RIGHT_TRIGGER_PULLED if state.right_trigger else 0
    face = _bits(pressed, _FACE_AND_HAT) | _HAT.get((right, up), _HAT_NEUTRAL)
    return bytes([face, shoulders, _bits(pressed, _REST), 0])


def _bits(pressed: PadButtons, table: Sequence[tuple[PadButtons, int]]) -> int:
    return sum(bit for button, bit in table if button in pressed)


def _touch(finger: Finger | None) -> bytes:
    if finger is None:
        return bytes([_NO_FINGER, 0, 0, 0])
    x, y = (round(at * (size - 1)) for at, size in zip((finger.x, finger.y), TOUCHPAD, strict=True))
    return bytes([finger.number, x & 0xFF, x >> 8 | (y & 0x0F) << 4, y >> 4])


def _battery(held: Held) -> int:
    """Tenths below, state above: 0 discharges, 1 charges, 2 is full."""
    state = {BatteryState.CHARGING: 1, BatteryState.FULL: 2}.get(held.battery, 0)
    return state << 4 | min(held.percent // 10, 10)


def _calibration() -> bytes:
    turn = _GYRO_SPEED * _GYRO_PER_DEGREE
    values = (
        *(0, 0, 0),  # the gyro's bias
        *(turn, -turn) * 3,
        *(_GYRO_SPEED, _GYRO_SPEED),
        *(_ACCELERATION_PER_G, -_ACCELERATION_PER_G) * 3,
    )
    return (bytes([_CALIBRATION]) + struct.pack("<17h", *values)).ljust(41, b"\0")


def _firmware() -> bytes:
    """Version numbers of a pad of 2023, which takes every output report that there is."""
    report = bytearray(64)
    report[0] = _FIRMWARE
    report[1:20] = b"Jul 04 202310:00:00"
    struct.pack_into("<II", report, 24, 0x0100_0413, 0x0100_0036)
    struct.pack_into("<H", report, 44, 0x0300)
    return bytes(report)


def _effect(data: bytes, start: int) -> TriggerEffect:
    return TriggerEffect(type=data[start], parameters=data[start + 1 : start + _TRIGGER_BYTES])


def _later(before: AdaptiveTriggers | None, now: AdaptiveTriggers) -> AdaptiveTriggers:
    if before is None:
        return now
    return attrs.evolve(now, left=now.left or before.left, right=now.right or before.right)
