"""The virtual pointer: motion, buttons, wheel."""

from typing import Any

from punktfunk.plugin import ButtonEvent, PointerMotion, PointerPosition, ScrollEvent
from punktfunk_capture_wlroots.keyboard import now_ms

EXTENT = 65_536

# By the number a client gives a button: BTN_LEFT, BTN_MIDDLE, BTN_RIGHT, BTN_SIDE, BTN_EXTRA.
_EVDEV_BUTTONS = {1: 0x110, 2: 0x112, 3: 0x111, 4: 0x113, 5: 0x114}
_VERTICAL, _HORIZONTAL = 0, 1
_WHEEL = 0
_NOTCH_120THS = 120
_NOTCH_LENGTH = 15.0
"""How far a notch scrolls, in the unit of pointer motion; what libinput says too."""


class Pointer:
    """Turns events into requests. Every event ends with a `frame`."""

    def __init__(self, device: Any) -> None:
        self._device = device
        self._down: set[int] = set()
        self._rest_120ths = {_VERTICAL: 0, _HORIZONTAL: 0}

    def move(self, event: PointerMotion) -> None:
        self._device.motion(now_ms(), float(event.dx), float(event.dy))
        self._device.frame()

    def move_to(self, event: PointerPosition) -> None:
        x, y = round(event.x * EXTENT), round(event.y * EXTENT)
        self._device.motion_absolute(now_ms(), x, y, EXTENT, EXTENT)
        self._device.frame()

    def press(self, event: ButtonEvent) -> None:
        button = _EVDEV_BUTTONS[event.button.value]
        if event.pressed != (button in self._down):
            self._button(button, pressed=event.pressed)

    def scroll(self, event: ScrollEvent) -> None:
        """Scroll smoothly, and count a notch whenever the parts of one are together."""
        # The compositor's axes point down and right, a client's up and right.
        for axis, amount_120ths in (
            (_VERTICAL, -event.vertical_120ths),
            (_HORIZONTAL, event.horizontal_120ths),
        ):
            if amount_120ths:
                self._scroll(axis, amount_120ths)

    @property
    def held(self) -> frozenset[int]:
        return frozenset(self._down)

    def release_all(self) -> None:
        for button in sorted(self._down):
            self._button(button, pressed=False)

    def _button(self, button: int, *, pressed: bool) -> None:
        (self._down.add if pressed else self._down.discard)(button)
        self._device.button(now_ms(), button, int(pressed))
        self._device.frame()

    def _scroll(self, axis: int, amount_120ths: int) -> None:
        rest = self._rest_120ths[axis]
        if rest * amount_120ths < 0:
            rest = 0  # turned back: the begun notch does not count
        rest += amount_120ths
        notches = int(rest / _NOTCH_120THS)
        self._rest_120ths[axis] = rest - notches * _NOTCH_120THS
        value = amount_120ths / _NOTCH_120THS * _NOTCH_LENGTH
        self._device.axis_source(_WHEEL)
        if notches:
            self._device.axis_discrete(now_ms(), axis, value, notches)
        else:
            self._device.axis(now_ms(), axis, value)
        self._device.frame()
