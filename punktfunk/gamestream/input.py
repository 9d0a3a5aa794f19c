"""Input packets, as they lie inside control messages of type 0x0206.

One table says every packet's size, so nothing is read before its length was checked. Byte
orders are mixed: see docs/protocol/gamestream.md, section 6.5.
"""

import math
from collections.abc import Callable
from functools import partial

import attrs

from punktfunk.errors import ProtocolError
from punktfunk.model.input import (
    MAX_TEXT_CHARS,
    ButtonEvent,
    ContactKind,
    EnableHaptics,
    InputEvent,
    KeyEvent,
    Modifiers,
    PadArrival,
    PadBattery,
    PadMotion,
    PadRemoved,
    PadState,
    PadTouch,
    PenButtons,
    PenEvent,
    PenTool,
    PointerButton,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    TextEvent,
    TouchEvent,
)
from punktfunk.model.keys import evdev_code
from punktfunk.model.pads import (
    MAX_PADS,
    BatteryState,
    MotionKind,
    PadButtons,
    PadCapabilities,
    PadType,
)
from punktfunk.wire.reader import Reader

HEADER_BYTES = 8
MAX_TEXT_BYTES = 4 * MAX_TEXT_CHARS
MAX_SENSOR_VALUE = 10_000.0

_ALL_BUTTONS = sum(PadButtons)
_ALL_CAPABILITIES = sum(PadCapabilities)
_ROTATION_UNKNOWN = 0xFFFF
_TILT_UNKNOWN = 0xFF
_PERCENT_UNKNOWN = 0xFF
# Fixed words inside a multi-controller packet; others mean a layout we do not know.
_PAD_STATE_VERSION = 0x001A
_PAD_STATE_MIDDLE = 0x0014


def decode_input(packet: bytes) -> InputEvent:
    """Turn one packet into what happened.

    Raises:
        ProtocolError: unknown, longer or shorter than its kind or its own size field says,
            or with a value that means nothing. Drop it and go on.
    """
    reader = Reader(packet)
    announced = reader.u32_be()
    if announced != reader.left:
        raise ProtocolError("input packet lies about its size", announced=announced)
    magic = reader.u32_le()
    shape = _PACKETS.get(magic)
    if shape is None:
        raise ProtocolError("unknown input packet", magic=magic)
    if not shape.min_bytes <= reader.left <= shape.max_bytes:
        raise ProtocolError("input packet has the wrong size", magic=magic, size=reader.left)
    return shape.decode(reader)


def _key(reader: Reader, *, pressed: bool) -> KeyEvent:
    flags = reader.u8()
    vk = reader.u16_le() & 0xFF
    modifiers = Modifiers(reader.u8() & 0x0F)
    return KeyEvent(
        vk=vk,
        evdev=evdev_code(vk),
        pressed=pressed,
        modifiers=modifiers,
        us_layout=not flags & 1,
    )


def _text(reader: Reader) -> TextEvent:
    try:
        text = reader.rest().decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolError("text is not UTF-8") from None
    if len(text) > MAX_TEXT_CHARS or "\0" in text:
        raise ProtocolError("text is too long or has a NUL", length=len(text))
    return TextEvent(text)


def _motion(reader: Reader) -> PointerMotion:
    return PointerMotion(reader.i16_be(), reader.i16_be())


def _position(reader: Reader) -> PointerPosition:
    x, y = reader.i16_be(), reader.i16_be()
    reader.skip(2)
    right, bottom = reader.i16_be(), reader.i16_be()
    if right <= 0 or bottom <= 0:
        raise ProtocolError("pointer position in an area of no size", right=right, bottom=bottom)
    return PointerPosition(_clamp(x / right), _clamp(y / bottom))


def _button(reader: Reader, *, pressed: bool) -> ButtonEvent:
    number = reader.u8()
    try:
        return ButtonEvent(PointerButton(number), pressed)
    except ValueError:
        raise ProtocolError("unknown pointer button", number=number) from None


def _scroll(reader: Reader) -> ScrollEvent:
    return ScrollEvent(vertical_120ths=reader.i16_be())


def _horizontal_scroll(reader: Reader) -> ScrollEvent:
    return ScrollEvent(horizontal_120ths=reader.i16_be())


def _haptics(_reader: Reader) -> EnableHaptics:
    return EnableHaptics()


def _pad_state(reader: Reader) -> PadState | PadRemoved:
    version = reader.u16_le()
    pad = _pad(reader.u16_le())
    connected = reader.u16_le()
    middle = reader.u16_le()
    if (version, middle) != (_PAD_STATE_VERSION, _PAD_STATE_MIDDLE):
        raise ProtocolError("pad state of an unknown version", version=version, middle=middle)
    buttons = reader.u16_le()
    left_trigger, right_trigger = reader.u8(), reader.u8()
    left_x, left_y = reader.i16_le(), reader.i16_le()
    right_x, right_y = reader.i16_le(), reader.i16_le()
    reader.skip(2)
    buttons |= reader.u16_le() << 16
    if not connected & 1 << pad:
        return PadRemoved(pad)
    return PadState(
        pad=pad,
        buttons=PadButtons(buttons & _ALL_BUTTONS),
        left_trigger=left_trigger,
        right_trigger=right_trigger,
        left_x=left_x,
        left_y=left_y,
        right_x=right_x,
        right_y=right_y,
    )


def _pad_arrival(reader: Reader) -> PadArrival:
    pad = _pad(reader.u8())
    kind = reader.u8()
    return PadArrival(
        pad=pad,
        # A kind we have not heard of is still a pad.
        type=PadType(kind) if kind <= PadType.STEAM.value else PadType.UNKNOWN,
        capabilities=PadCapabilities(reader.u16_le() & _ALL_CAPABILITIES),
        buttons=PadButtons(reader.u32_le() & _ALL_BUTTONS),
    )


def _pad_touch(reader: Reader) -> PadTouch:
    pad = _pad(reader.u8())
    kind = _contact(reader.u8())
    reader.skip(1)
    touchpad = reader.u8()
    if touchpad > 1:
        raise ProtocolError("a pad has at most two touchpads", touchpad=touchpad)
    return PadTouch(
        pad=pad,
        kind=kind,
        touchpad=touchpad,
        pointer_id=reader.u32_le(),
        x=_unit(reader),
        y=_unit(reader),
        pressure=_unit(reader),
    )


def _pad_motion(reader: Reader) -> PadMotion:
    pad = _pad(reader.u8())
    number = reader.u8()
    try:
        kind = MotionKind(number)
    except ValueError:
        raise ProtocolError("unknown motion sensor", number=number) from None
    reader.skip(2)
    x, y, z = (_clamp(_finite(reader), -MAX_SENSOR_VALUE, MAX_SENSOR_VALUE) for _ in range(3))
    return PadMotion(pad=pad, kind=kind, x=x, y=y, z=z)


def _pad_battery(reader: Reader) -> PadBattery:
    pad = _pad(reader.u8())
    state, percent = reader.u8(), reader.u8()
    return PadBattery(
        pad=pad,
        state=BatteryState(state) if state <= BatteryState.FULL.value else BatteryState.UNKNOWN,
        percent=None if percent == _PERCENT_UNKNOWN else min(percent, 100),
    )


def _touch(reader: Reader) -> TouchEvent:
    kind = _contact(reader.u8())
    reader.skip(1)
    rotation_deg = _rotation(reader.u16_le())
    pointer_id = reader.u32_le()
    x, y, pressing, major, minor = (_unit(reader) for _ in range(5))
    return TouchEvent(
        kind=kind,
        pointer_id=pointer_id,
        x=x,
        y=y,
        pressure=0.0 if kind.hovers else pressing,
        distance=pressing if kind.hovers else 0.0,
        contact_major=major,
        contact_minor=minor,
        rotation_deg=rotation_deg,
    )


def _pen(reader: Reader) -> PenEvent:
    kind = _contact(reader.u8())
    tool = reader.u8()
    buttons = PenButtons(reader.u8() & 0x07)
    reader.skip(1)
    x, y, pressing = (_unit(reader) for _ in range(3))
    rotation_deg = _rotation(reader.u16_le())
    tilt_deg = reader.u8()
    reader.skip(1)
    return PenEvent(
        kind=kind,
        tool=PenTool(tool) if tool <= PenTool.ERASER.value else PenTool.UNKNOWN,
        buttons=buttons,
        x=x,
        y=y,
        pressure=0.0 if kind.hovers else pressing,
        distance=pressing if kind.hovers else 0.0,
        contact_major=_unit(reader),
        contact_minor=_unit(reader),
        rotation_deg=rotation_deg,
        tilt_deg=None if tilt_deg == _TILT_UNKNOWN else min(tilt_deg, 90),
    )


def _pad(number: int) -> int:
    if number >= MAX_PADS:
        raise ProtocolError("pad number out of range", pad=number)
    return number


def _contact(number: int) -> ContactKind:
    try:
        return ContactKind(number)
    except ValueError:
        raise ProtocolError("unknown touch event", number=number) from None


def _rotation(degrees: int) -> int | None:
    return None if degrees == _ROTATION_UNKNOWN else degrees % 360


def _finite(reader: Reader) -> float:
    value = reader.f32_le()
    if not math.isfinite(value):
        raise ProtocolError("input packet holds a number that is not finite")
    return value


def _unit(reader: Reader) -> float:
    return _clamp(_finite(reader))


def _clamp(value: float, low: float = 0.0, high: float = 1.0) -> float:
    return min(max(value, low), high)


@attrs.frozen
class _Shape:
    """How many bytes follow the header, and who reads them."""

    min_bytes: int
    max_bytes: int
    decode: Callable[[Reader], InputEvent]


def _sized(size: int, decode: Callable[[Reader], InputEvent]) -> _Shape:
    return _Shape(size, size, decode)


_PACKETS = {
    0x03: _sized(6, partial(_key, pressed=True)),
    0x04: _sized(6, partial(_key, pressed=False)),
    0x05: _sized(10, _position),
    0x07: _sized(4, _motion),
    0x08: _sized(1, partial(_button, pressed=True)),
    0x09: _sized(1, partial(_button, pressed=False)),
    0x0A: _sized(6, _scroll),
    0x0C: _sized(26, _pad_state),
    0x0D: _sized(2, _haptics),
    0x17: _Shape(1, MAX_TEXT_BYTES, _text),
    0x5500_0001: _sized(2, _horizontal_scroll),
    0x5500_0002: _sized(28, _touch),
    0x5500_0003: _sized(28, _pen),
    0x5500_0004: _sized(8, _pad_arrival),
    0x5500_0005: _sized(20, _pad_touch),
    0x5500_0006: _sized(16, _pad_motion),
    0x5500_0007: _sized(4, _pad_battery),
}
