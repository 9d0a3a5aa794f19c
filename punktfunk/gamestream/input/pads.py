"""Gamepads: docs/protocol/gamestream.md, section 6.5."""

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.input.values import clamp, contact, finite, unit
from punktfunk.model.input import (
    EnableHaptics,
    PadArrival,
    PadBattery,
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
from punktfunk.wire.reader import Reader

MAX_SENSOR_VALUE = 10_000.0

_ALL_BUTTONS = sum(PadButtons)
_ALL_CAPABILITIES = sum(PadCapabilities)
_PERCENT_UNKNOWN = 0xFF
# Fixed words inside a multi-controller packet; others mean a layout we do not know.
_PAD_STATE_VERSION = 0x001A
_PAD_STATE_MIDDLE = 0x0014


def haptics(_reader: Reader) -> EnableHaptics:
    return EnableHaptics()


def state(reader: Reader) -> PadState | PadRemoved:
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


def arrival(reader: Reader) -> PadArrival:
    pad = _pad(reader.u8())
    kind = reader.u8()
    return PadArrival(
        pad=pad,
        # A kind we have not heard of is still a pad.
        type=PadType(kind) if kind <= PadType.STEAM.value else PadType.UNKNOWN,
        capabilities=PadCapabilities(reader.u16_le() & _ALL_CAPABILITIES),
        buttons=PadButtons(reader.u32_le() & _ALL_BUTTONS),
    )


def touch(reader: Reader) -> PadTouch:
    pad = _pad(reader.u8())
    kind = contact(reader.u8())
    reader.skip(1)
    touchpad = reader.u8()
    if touchpad > 1:
        raise ProtocolError("a pad has at most two touchpads", touchpad=touchpad)
    return PadTouch(
        pad=pad,
        kind=kind,
        touchpad=touchpad,
        pointer_id=reader.u32_le(),
        x=unit(reader),
        y=unit(reader),
        pressure=unit(reader),
    )


def motion(reader: Reader) -> PadMotion:
    pad = _pad(reader.u8())
    number = reader.u8()
    try:
        kind = MotionKind(number)
    except ValueError:
        raise ProtocolError("unknown motion sensor", number=number) from None
    reader.skip(2)
    x, y, z = (clamp(finite(reader), -MAX_SENSOR_VALUE, MAX_SENSOR_VALUE) for _ in range(3))
    return PadMotion(pad=pad, kind=kind, x=x, y=y, z=z)


def battery(reader: Reader) -> PadBattery:
    pad = _pad(reader.u8())
    state, percent = reader.u8(), reader.u8()
    return PadBattery(
        pad=pad,
        state=BatteryState(state) if state <= BatteryState.FULL.value else BatteryState.UNKNOWN,
        percent=None if percent == _PERCENT_UNKNOWN else min(percent, 100),
    )


def _pad(number: int) -> int:
    if number >= MAX_PADS:
        raise ProtocolError("pad number out of range", pad=number)
    return number
