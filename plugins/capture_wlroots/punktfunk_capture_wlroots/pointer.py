"""The virtual pointer: motion, buttons, wheel."""

from typing import Any

from punktfunk.plugin import (
    NOTCH_120THS,
    HeldButtons,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    WholeNotches,
)
from punktfunk_capture_wlroots.keyboard import now_ms

EXTENT = 65_536

_VERTICAL, _HORIZONTAL = 0, 1
_WHEEL = 0
_NOTCH_LENGTH = 15.0
"""How far a notch scrolls, in the unit of pointer motion; what libinput says too."""


class Pointer:
    """Turns events into requests. Every event ends with a `frame`."""

    def __init__(self, device: Any) -> None:
        self._device = device
        self._notches = {_VERTICAL: WholeNotches(), _HORIZONTAL: WholeNotches()}
        self.buttons = HeldButtons(self._button)

    def move(self, event: PointerMotion) -> None:
        self._device.motion(now_ms(), float(event.dx), float(event.dy))
        self._device.frame()

    def move_to(self, event: PointerPosition) -> None:
        x, y = round(event.x * EXTENT), round(event.y * EXTENT)
        self._device.motion_absolute(now_ms(), x, y, EXTENT, EXTENT)
        self._device.frame()

    def scroll(self, event: ScrollEvent) -> None:
        """Scroll smoothly, and count a notch whenever the parts of one are together."""
        # The compositor's axes point down and right, a client's up and right.
        for axis, amount_120ths in (
            (_VERTICAL, -event.vertical_120ths),
            (_HORIZONTAL, event.horizontal_120ths),
        ):
            if amount_120ths:
                self._scroll(axis, amount_120ths)

    def _button(self, button: int, pressed: bool) -> None:
        self._device.button(now_ms(), button, int(pressed))
        self._device.frame()

    def _scroll(self, axis: int, amount_120ths: int) -> None:
        notches = self._notches[axis].add(amount_120ths)
        value = amount_120ths / NOTCH_120THS * _NOTCH_LENGTH
        self._device.axis_source(_WHEEL)
        if notches:
            self._device.axis_discrete(now_ms(), axis, value, notches)
        else:
            self._device.axis(now_ms(), axis, value)
        self._device.frame()
