"""Microsoft's pads, as the kernel's own driver for them lays them out."""

from collections.abc import Iterator

import attrs

from punktfunk.plugin import PadButtons, PadState
from punktfunk_gamepad_uinput.uinput import EV_ABS, EV_KEY, Axis, Event

BUS_USB = 0x03
MICROSOFT = 0x045E

_X, _Y, _LEFT_TRIGGER, _RIGHT_X, _RIGHT_Y, _RIGHT_TRIGGER = range(6)
_HAT_X, _HAT_Y = 0x10, 0x11
_STICK = {"least": -0x8000, "most": 0x7FFF, "fuzz": 16, "flat": 128}

_KEYS = {
    PadButtons.A: 0x130,
    PadButtons.B: 0x131,
    PadButtons.X: 0x133,
    PadButtons.Y: 0x134,
    PadButtons.LEFT_SHOULDER: 0x136,
    PadButtons.RIGHT_SHOULDER: 0x137,
    PadButtons.BACK: 0x13A,
    PadButtons.START: 0x13B,
    PadButtons.GUIDE: 0x13C,
    PadButtons.LEFT_STICK: 0x13D,
    PadButtons.RIGHT_STICK: 0x13E,
}
_SHARE = {PadButtons.MISC: 0x0A7}
_PADDLES = {
    PadButtons.PADDLE1: 0x2C4,
    PadButtons.PADDLE2: 0x2C5,
    PadButtons.PADDLE3: 0x2C6,
    PadButtons.PADDLE4: 0x2C7,
}


@attrs.frozen(kw_only=True)
class XboxModel:
    """Attributes:
    trigger_most: What a pulled trigger says.
    keys: Linux codes of the buttons.
    """

    name: str
    product: int
    version: int
    trigger_most: int
    keys: dict[PadButtons, int]

    @property
    def axes(self) -> tuple[Axis, ...]:
        triggers = {"least": 0, "most": self.trigger_most}
        return (
            *(Axis(code=code, **_STICK) for code in (_X, _Y, _RIGHT_X, _RIGHT_Y)),
            *(Axis(code=code, **triggers) for code in (_LEFT_TRIGGER, _RIGHT_TRIGGER)),
            *(Axis(code=code, least=-1, most=1) for code in (_HAT_X, _HAT_Y)),
        )

    def events(self, state: PadState) -> Iterator[Event]:
        """Everything that the pad's buttons and sticks say. The kernel's Y axes point down."""
        for button, code in self.keys.items():
            yield Event(EV_KEY, code, int(button in state.buttons))
        yield Event(EV_ABS, _X, state.left_x)
        yield Event(EV_ABS, _Y, _down(state.left_y))
        yield Event(EV_ABS, _RIGHT_X, state.right_x)
        yield Event(EV_ABS, _RIGHT_Y, _down(state.right_y))
        yield Event(EV_ABS, _LEFT_TRIGGER, state.left_trigger * self.trigger_most // 255)
        yield Event(EV_ABS, _RIGHT_TRIGGER, state.right_trigger * self.trigger_most // 255)
        yield Event(EV_ABS, _HAT_X, _balance(state, PadButtons.LEFT, PadButtons.RIGHT))
        yield Event(EV_ABS, _HAT_Y, _balance(state, PadButtons.UP, PadButtons.DOWN))


XBOX_360 = XboxModel(
    name="Microsoft X-Box 360 pad", product=0x028E, version=0x0114, trigger_most=255, keys=_KEYS
)
XBOX_SERIES = XboxModel(
    name="Microsoft Xbox Series S|X Controller",
    product=0x0B12,
    version=0x0500,
    trigger_most=1023,
    keys=_KEYS | _SHARE,
)
XBOX_ELITE = XboxModel(
    name="Microsoft X-Box One Elite 2 pad",
    product=0x0B00,
    version=0x0500,
    trigger_most=1023,
    keys=_KEYS | _PADDLES,
)


def model_for(buttons: PadButtons) -> XboxModel:
    """The plainest pad that has all the buttons of the client's."""
    if any(paddle in buttons for paddle in _PADDLES):
        return XBOX_ELITE
    return XBOX_SERIES if PadButtons.MISC in buttons else XBOX_360


def _down(up: int) -> int:
    return min(-up, 0x7FFF)


def _balance(state: PadState, less: PadButtons, more: PadButtons) -> int:
    return int(more in state.buttons) - int(less in state.buttons)
