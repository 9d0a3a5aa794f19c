"""Nintendo's Switch Pro Controller on a cable: its conversation with the kernel's driver.

It does not only report: the driver asks for its address, its calibration and its modes, and
each question ("subcommand") is answered in an input report of its own.
"""

import math
import struct
from collections.abc import Mapping, Sequence

from punktfunk.plugin import (
    BatteryState,
    Feedback,
    MotionKind,
    MotionRequest,
    PadButtons,
    Rumble,
)
from punktfunk_gamepad_uinput.held import G, Held, i16
from punktfunk_gamepad_uinput.hid import END, GAME_PAD, INPUT, OUTPUT, Response, opaque
from punktfunk_gamepad_uinput.uhid import HidDevice

_IN_FULL, _IN_ANSWER, _IN_USB = 0x30, 0x21, 0x81
_OUT_ASK, _OUT_RUMBLE, _OUT_USB = 0x01, 0x10, 0x80
_REPORT_BYTES = 64
SENSOR_HZ = 100
PERIOD_MS = 15
TRIGGER_PULLED = 64

_USB_STATUS, _USB_SILENT = 0x01, (0x04, 0x05)
_ASK_INFO, _ASK_FLASH = 0x02, 0x10
_RUMBLE_AT, _ASKED_AT = 2, 10
_RUMBLE_STILL = bytes([0x00, 0x01, 0x40, 0x40])

_STICK_CENTRE = _STICK_MOST = 0x7FF
_ACCELERATION_PER_G = 4_096
_GYRO_PER_DEGREE = 14.247
_SAMPLES = 3

# Nintendo's letters are elsewhere: what lies where Xbox has A is B here.
_BUTTONS: Sequence[Mapping[PadButtons, int]] = (
    {
        PadButtons.X: 0x01,
        PadButtons.Y: 0x02,
        PadButtons.A: 0x04,
        PadButtons.B: 0x08,
        PadButtons.RIGHT_SHOULDER: 0x40,
    },
    {
        PadButtons.BACK: 0x01,
        PadButtons.START: 0x02,
        PadButtons.RIGHT_STICK: 0x04,
        PadButtons.LEFT_STICK: 0x08,
        PadButtons.GUIDE: 0x10,
        PadButtons.MISC: 0x20,
    },
    {
        PadButtons.DOWN: 0x01,
        PadButtons.UP: 0x02,
        PadButtons.RIGHT: 0x04,
        PadButtons.LEFT: 0x08,
        PadButtons.LEFT_SHOULDER: 0x40,
    },
)
_TRIGGER = 0x80

DEVICE = HidDevice(
    name="Nintendo Co., Ltd. Pro Controller",
    bus=0x03,
    vendor=0x057E,
    product=0x2009,
    version=0x0200,
    descriptor=(
        GAME_PAD
        + b"".join(
            opaque(report, INPUT, _REPORT_BYTES - 1) for report in (_IN_FULL, _IN_ANSWER, _IN_USB)
        )
        + b"".join(
            opaque(report, OUTPUT, _REPORT_BYTES - 1)
            for report in (_OUT_ASK, _OUT_RUMBLE, _OUT_USB)
        )
        + END
    ),
)


class SwitchPro:
    """A `HidModel`.

    Args:
        number: The client's pad, for the feedback.
        address: Six bytes that programs know it by.
    """

    device = DEVICE
    period_ms = PERIOD_MS

    def __init__(self, number: int, address: bytes) -> None:
        self._number = number
        self._address = address
        self._rumble = Rumble(pad=number, low_frequency=0, high_frequency=0)
        self._reports = 0
        self._flash = _flash()

    def report(self, held: Held, now_ns: int) -> bytes:
        sample = _sample(held)
        return (self._head(_IN_FULL, held) + sample * _SAMPLES).ljust(_REPORT_BYTES, b"\0")

    def feature(self, number: int) -> bytes | None:
        return None

    def on_output(self, data: bytes, held: Held) -> Response:
        match data[:1]:
            case b"\x80":
                return Response(reports=self._greet_cable(data))
            case b"\x10":
                return Response(feedback=self._shake(data))
            case b"\x01" if len(data) > _ASKED_AT:
                answer = self._head(_IN_ANSWER, held) + self._answer(data)
                reports = [answer.ljust(_REPORT_BYTES, b"\0")[:_REPORT_BYTES]]
                return Response(reports=reports, feedback=self._shake(data))
        return Response()

    def greeting(self) -> Sequence[Feedback]:
        asks = [
            MotionRequest(pad=self._number, kind=kind, rate_hz=SENSOR_HZ) for kind in MotionKind
        ]
        turns = self._rumble.low_frequency or self._rumble.high_frequency
        return (*asks, self._rumble) if turns else asks

    def _greet_cable(self, data: bytes) -> Sequence[bytes]:
        """What is said only on a cable, before anything else."""
        if len(data) < 2 or data[1] in _USB_SILENT:
            return ()
        answer = bytes([_IN_USB, data[1]])
        if data[1] == _USB_STATUS:
            answer += bytes([0, 3]) + self._address[::-1]
        return (answer.ljust(_REPORT_BYTES, b"\0"),)

    def _shake(self, data: bytes) -> Sequence[Feedback]:
        motors = data[_RUMBLE_AT : _RUMBLE_AT + 8]
        if len(motors) < 8:
            return ()
        rumble = Rumble(
            pad=self._number,
            low_frequency=strength(motors[:4]),
            high_frequency=strength(motors[4:]),
        )
        if rumble == self._rumble:
            return ()
        self._rumble = rumble
        return (rumble,)

    def _head(self, report: int, held: Held) -> bytes:
        state = held.state
        self._reports = self._reports + 1 & 0xFF
        pressed = [
            sum(bit for button, bit in table.items() if button in state.buttons)
            for table in _BUTTONS
        ]
        pressed[0] |= _TRIGGER if state.right_trigger >= TRIGGER_PULLED else 0
        pressed[2] |= _TRIGGER if state.left_trigger >= TRIGGER_PULLED else 0
        return (
            bytes([report, self._reports, _battery(held), *pressed])
            + _stick(state.left_x, state.left_y)
            + _stick(state.right_x, state.right_y)
            + bytes(1)
        )

    def _answer(self, data: bytes) -> bytes:
        """To a subcommand: an acknowledgement, its number, and what it asked for."""
        asked, rest = data[_ASKED_AT], data[_ASKED_AT + 1 :]
        if asked == _ASK_INFO:
            return bytes([0x82, asked, 4, 33, 3, 2]) + self._address + bytes([1, 1])
        if asked == _ASK_FLASH and len(rest) >= 5:
            start, size = struct.unpack_from("<IB", rest)
            size = min(size, 29)
            stored = bytes(self._flash.get(start + at, 0xFF) for at in range(size))
            return bytes([0x90, asked]) + rest[:5] + stored
        return bytes([0x80, asked])


def strength(motor: bytes) -> int:
    """How strongly a motor shall shake, 0 to 65535, from its four bytes of a rumble report.

    The strength lies on a curve of its own: 32 steps double it, below a quarter fewer do.
    """
    step = (motor[1] & 0xFE) // 2
    if motor == _RUMBLE_STILL or step == 0:
        return 0
    if step >= 32:
        force = 2 ** (step / 32) / 8.7
    elif step >= 16:
        force = 2 ** (step / 16) / 17
    else:
        force = 0.007843 * math.exp(0.1733 * step)
    return min(round(force * 0xFFFF), 0xFFFF)


def _flash() -> Mapping[int, int]:
    """The calibration that the driver reads, by address: sticks from end to end, true sensors."""
    middle, most = _pair(_STICK_CENTRE, _STICK_CENTRE), _pair(_STICK_MOST, _STICK_MOST)
    sensors = struct.pack("<12h", *(0, 0, 0), *(16_384,) * 3, *(0, 0, 0), *(13_371,) * 3)
    left, right = most + middle + most, middle + most + most
    return {
        start + at: value
        for start, block in ((0x6020, sensors), (0x603D, left + right))
        for at, value in enumerate(block)
    }


def _stick(x: int, up: int) -> bytes:
    return _pair(*(_STICK_CENTRE + i16(value) * _STICK_MOST // 0x7FFF for value in (x, up)))


def _pair(x: int, y: int) -> bytes:
    """Two numbers of 12 bits in three bytes."""
    x, y = (min(max(value, 0), 0xFFF) for value in (x, y))
    return bytes([x & 0xFF, x >> 8 | (y & 0x0F) << 4, y >> 4])


def _battery(held: Held) -> int:
    """Eighths of full in steps of two, bit 4 while it charges; the low bit says: on a cable."""
    level = min(held.percent // 25, 4) * 2
    charges = held.battery is BatteryState.CHARGING
    return (level | charges) << 4 | 0x01


def _sample(held: Held) -> bytes:
    """The sensors lie in the pad otherwise than in Sony's: x ahead, y to the left, z up."""
    x, y, z = (value / G * _ACCELERATION_PER_G for value in held.acceleration)
    pitch, yaw, roll = (value * _GYRO_PER_DEGREE for value in held.gyro)
    return struct.pack("<6h", *(i16(value) for value in (-z, -x, y, -roll, -pitch, yaw)))
