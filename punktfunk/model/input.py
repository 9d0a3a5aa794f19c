"""What a client's hands do: keys, pointer, pads.

Positions are 0..1 of the streamed display area, from the top left. Fingers and pens
(`punktfunk.model.touch`) and what goes back to the client's devices
(`punktfunk.model.feedback`) are offered here too.
"""

from enum import Enum, IntFlag

import attrs
from attrs.validators import and_, ge, le, max_len, min_len

from punktfunk.model.feedback import (
    AdaptiveTriggers,
    Feedback,
    HdrMetadata,
    HdrMode,
    MotionRequest,
    RgbLed,
    Rumble,
    TriggerEffect,
    TriggerRumble,
)
from punktfunk.model.pads import (
    MAX_PADS,
    BatteryState,
    MotionKind,
    PadButtons,
    PadCapabilities,
    PadType,
)
from punktfunk.model.touch import ContactKind, PenButtons, PenEvent, PenTool, TouchEvent

__all__ = [
    "MAX_PADS",
    "MAX_TEXT_CHARS",
    "AdaptiveTriggers",
    "BatteryState",
    "ButtonEvent",
    "ContactKind",
    "EnableHaptics",
    "Feedback",
    "HdrMetadata",
    "HdrMode",
    "InputEvent",
    "KeyEvent",
    "Modifiers",
    "MotionKind",
    "MotionRequest",
    "PadArrival",
    "PadBattery",
    "PadButtons",
    "PadCapabilities",
    "PadEvent",
    "PadMotion",
    "PadRemoved",
    "PadState",
    "PadTouch",
    "PadType",
    "PenButtons",
    "PenEvent",
    "PenTool",
    "PointerButton",
    "PointerMotion",
    "PointerPosition",
    "RgbLed",
    "Rumble",
    "ScrollEvent",
    "TextEvent",
    "TouchEvent",
    "TriggerEffect",
    "TriggerRumble",
]

MAX_TEXT_CHARS = 32

_pad = and_(ge(0), le(MAX_PADS - 1))
_u8 = and_(ge(0), le(0xFF))
_i16 = and_(ge(-0x8000), le(0x7FFF))
_unit = and_(ge(0.0), le(1.0))


class Modifiers(IntFlag):
    NONE = 0
    SHIFT = 1
    CTRL = 2
    ALT = 4
    META = 8


class PointerButton(Enum):
    LEFT = 1
    MIDDLE = 2
    RIGHT = 3
    BACK = 4
    FORWARD = 5


@attrs.frozen(kw_only=True)
class KeyEvent:
    """A key went down or up.

    Attributes:
        vk: Windows virtual-key code, 0 to 255.
        evdev: Linux key code for it, None when the table has none.
        modifiers: What the client believes is held. Informative: if one is set and not
            pressed, press it around the key.
        us_layout: False when the client could not translate the key to a US position.
    """

    vk: int = attrs.field(validator=_u8)
    evdev: int | None
    pressed: bool
    modifiers: Modifiers = Modifiers.NONE
    us_layout: bool = True


@attrs.frozen
class TextEvent:
    """Text to type as it is, such as from a phone's keyboard."""

    text: str = attrs.field(repr=False, validator=[min_len(1), max_len(MAX_TEXT_CHARS)])


@attrs.frozen
class PointerMotion:
    """The pointer moved by so many of the client's mouse counts; +y is down."""

    dx: int = attrs.field(validator=_i16)
    dy: int = attrs.field(validator=_i16)


@attrs.frozen
class PointerPosition:
    x: float = attrs.field(validator=_unit)
    y: float = attrs.field(validator=_unit)


@attrs.frozen
class ButtonEvent:
    button: PointerButton
    pressed: bool


@attrs.frozen(kw_only=True)
class ScrollEvent:
    """A wheel turned, in 1/120 of a notch: up and right are positive."""

    vertical_120ths: int = attrs.field(default=0, validator=_i16)
    horizontal_120ths: int = attrs.field(default=0, validator=_i16)


@attrs.frozen(kw_only=True)
class PadArrival:
    """A pad was plugged in at the client. Comes before its first state."""

    pad: int = attrs.field(validator=_pad)
    type: PadType
    capabilities: PadCapabilities
    buttons: PadButtons


@attrs.frozen(kw_only=True)
class PadState:
    """Everything a pad's buttons and sticks say now. An unknown pad is created by it.

    Triggers are 0 to 255; sticks are -32768 to 32767, +y is up.
    """

    pad: int = attrs.field(validator=_pad)
    buttons: PadButtons = PadButtons.NONE
    left_trigger: int = attrs.field(default=0, validator=_u8)
    right_trigger: int = attrs.field(default=0, validator=_u8)
    left_x: int = attrs.field(default=0, validator=_i16)
    left_y: int = attrs.field(default=0, validator=_i16)
    right_x: int = attrs.field(default=0, validator=_i16)
    right_y: int = attrs.field(default=0, validator=_i16)


@attrs.frozen
class PadRemoved:
    pad: int = attrs.field(validator=_pad)


@attrs.frozen(kw_only=True)
class PadTouch:
    """A finger on a pad's own touchpad; x, y and pressure are 0..1."""

    pad: int = attrs.field(validator=_pad)
    kind: ContactKind
    touchpad: int = attrs.field(validator=[ge(0), le(1)])
    pointer_id: int
    x: float = attrs.field(validator=_unit)
    y: float = attrs.field(validator=_unit)
    pressure: float = attrs.field(validator=_unit)


@attrs.frozen(kw_only=True)
class PadMotion:
    """A pad's sensor: m/s² for the accelerometer, degrees a second for the gyro."""

    pad: int = attrs.field(validator=_pad)
    kind: MotionKind
    x: float
    y: float
    z: float


@attrs.frozen(kw_only=True)
class PadBattery:
    """`percent` is 0 to 100, None if unknown."""

    pad: int = attrs.field(validator=_pad)
    state: BatteryState
    percent: int | None


@attrs.frozen
class EnableHaptics:
    """The client takes rumble from now on."""


PadEvent = PadArrival | PadState | PadRemoved | PadTouch | PadMotion | PadBattery | EnableHaptics
"""What gamepads do; for the gamepad driver. All else is for the input driver."""

InputEvent = (
    KeyEvent
    | TextEvent
    | PointerMotion
    | PointerPosition
    | ButtonEvent
    | ScrollEvent
    | TouchEvent
    | PenEvent
    | PadEvent
)
