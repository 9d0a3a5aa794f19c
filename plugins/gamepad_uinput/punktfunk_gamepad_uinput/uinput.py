"""What uinput reads and writes, as bytes. Native sizes: they differ between 32 and 64 bits."""

import struct
from collections.abc import Iterable

import attrs

EV_SYN, EV_KEY, EV_ABS, EV_FF, EV_UINPUT = 0x00, 0x01, 0x03, 0x15, 0x0101
UI_FF_UPLOAD, UI_FF_ERASE = 1, 2
FF_RUMBLE, FF_PERIODIC, FF_SQUARE, FF_TRIANGLE, FF_SINE, FF_GAIN = (
    0x50,
    0x51,
    0x58,
    0x59,
    0x5A,
    0x60,
)

_EVENT = struct.Struct("@llHHi")
_SETUP = struct.Struct("@HHHH80sI")
_ABS_SETUP = struct.Struct("@HxxiiiiiI")
_ERASE = struct.Struct("@IiI")
_REQUEST = struct.Struct("@Ii")
_EFFECT_HEAD = struct.Struct("@HhHHHHH")
# Of the union that follows, the periodic effect is the largest, and has the pointer that
# decides where the union begins.
_PERIODIC = struct.Struct("@HHhhHHHHHIP")
_UNION_AT = struct.calcsize("@HhHHHHH0P")
_EFFECT_BYTES = _UNION_AT + _PERIODIC.size
_UPLOAD_BYTES = _REQUEST.size + 2 * _EFFECT_BYTES

EVENT_BYTES = _EVENT.size
_WRITE, _READ = 1, 2


def _code(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | ord("U") << 8 | number


UI_DEV_CREATE = _code(0, 1, 0)
UI_DEV_DESTROY = _code(0, 2, 0)
UI_DEV_SETUP = _code(_WRITE, 3, _SETUP.size)
UI_ABS_SETUP = _code(_WRITE, 4, _ABS_SETUP.size)
UI_SET_EVBIT = _code(_WRITE, 100, struct.calcsize("i"))
UI_SET_KEYBIT = _code(_WRITE, 101, struct.calcsize("i"))
UI_SET_FFBIT = _code(_WRITE, 107, struct.calcsize("i"))
UI_SET_PHYS = _code(_WRITE, 108, struct.calcsize("P"))
UI_BEGIN_FF_UPLOAD = _code(_WRITE | _READ, 200, _UPLOAD_BYTES)
UI_END_FF_UPLOAD = _code(_WRITE, 201, _UPLOAD_BYTES)
UI_BEGIN_FF_ERASE = _code(_WRITE | _READ, 202, _ERASE.size)
UI_END_FF_ERASE = _code(_WRITE, 203, _ERASE.size)


@attrs.frozen
class Event:
    type: int
    code: int
    value: int


@attrs.frozen(kw_only=True)
class Axis:
    """An axis and its range; `fuzz` and `flat` (dead zone) in the same unit."""

    code: int
    least: int
    most: int
    fuzz: int = 0
    flat: int = 0


@attrs.frozen(kw_only=True)
class Effect:
    """A force that a program left with the device, to play it later.

    Attributes:
        strong: Of the low-frequency motor, 0 to 65535.
        weak: Of the high-frequency motor.
        length_ms: 0 lasts until it is stopped.
    """

    id: int
    strong: int
    weak: int
    length_ms: int
    delay_ms: int


def setup(*, bus: int, vendor: int, product: int, version: int, name: str, effects: int) -> bytes:
    """Pack a `uinput_setup`."""
    return _SETUP.pack(bus, vendor, product, version, name.encode()[:79], effects)


def abs_setup(axis: Axis) -> bytes:
    """Pack a `uinput_abs_setup`."""
    return _ABS_SETUP.pack(axis.code, 0, axis.least, axis.most, axis.fuzz, axis.flat, 0)


def pack(events: Iterable[Event]) -> bytes:
    """Pack `input_event`s. The kernel puts in the time."""
    return b"".join(_EVENT.pack(0, 0, event.type, event.code, event.value) for event in events)


def unpack(data: bytes) -> list[Event]:
    """Read `input_event`s; half of one at the end is left out."""
    whole = len(data) - len(data) % _EVENT.size
    return [Event(*fields[2:]) for fields in _EVENT.iter_unpack(data[:whole])]


def upload_request(number: int) -> bytes:
    """Ask with it what was uploaded."""
    return _REQUEST.pack(number, 0).ljust(_UPLOAD_BYTES, b"\0")


def uploaded(answer: bytes) -> Effect | None:
    """Read the kernel's answer; None for a kind of force that pads have not."""
    head = _EFFECT_HEAD.unpack_from(answer, _REQUEST.size)
    kind, number, _direction, _button, _interval, length_ms, delay_ms = head
    at = _REQUEST.size + _UNION_AT
    if kind == FF_RUMBLE:
        strong, weak = struct.unpack_from("@HH", answer, at)
    elif kind == FF_PERIODIC:
        magnitude = _PERIODIC.unpack_from(answer, at)[2]
        strong = weak = min(abs(magnitude) * 2, 0xFFFF)
    else:
        return None
    return Effect(id=number, strong=strong, weak=weak, length_ms=length_ms, delay_ms=delay_ms)


def refused(answer: bytes, error: int) -> bytes:
    """The same answer, with an error for the program that asked."""
    (number,) = struct.unpack_from("@I", answer)
    return _REQUEST.pack(number, -error) + answer[_REQUEST.size :]


def erase_request(number: int) -> bytes:
    """Ask with it what shall be erased."""
    return _ERASE.pack(number, 0, 0)


def erased(answer: bytes) -> int:
    """Read the kernel's answer: the effect's number."""
    return int(_ERASE.unpack(answer)[2])
