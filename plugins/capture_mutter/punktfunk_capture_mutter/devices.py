"""Keyboard, pointer and fingers: the calls to Mutter that they are made of."""

from functools import partial

from punktfunk.plugin import (
    NOTCH_120THS,
    HeldButtons,
    HeldFingers,
    HeldKeys,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    keysym_of,
)
from punktfunk_capture_mutter.screen import Screen

_VERTICAL, _HORIZONTAL = 0, 1
_NOTCH_LENGTH = 10.0
_END, _CONTINUOUS = 1, 8


class Devices:
    """Come with the screen; there is nothing to close."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.keys = HeldKeys(partial(self._send, "NotifyKeyboardKeycode", "ub"))
        self.buttons = HeldButtons(partial(self._send, "NotifyPointerButton", "ib"))
        self.fingers = HeldFingers(
            partial(self._touch, "NotifyTouchDown"),
            partial(self._touch, "NotifyTouchMotion"),
            partial(self._send, "NotifyTouchUp", "u"),
        )

    @property
    def held(self) -> frozenset[int]:
        """Evdev codes of the keys and buttons that are down."""
        return self.keys.held | self.buttons.held

    def release_all(self) -> None:
        self.keys.release_all()
        self.buttons.release_all()
        self.fingers.lift_all()

    def type(self, text: str) -> None:
        """Characters that the layout has no key for are left out."""
        for symbol in filter(None, map(keysym_of, text)):
            for pressed in (True, False):
                self._send("NotifyKeyboardKeysym", "ub", symbol, pressed)

    def move(self, event: PointerMotion) -> None:
        self._send("NotifyPointerMotionRelative", "dd", float(event.dx), float(event.dy))

    def move_to(self, event: PointerPosition) -> None:
        place = self._screen.point(event.x, event.y)
        self._screen.hand.send_at("NotifyPointerMotionAbsolute", "dd", *place)

    def scroll(self, event: ScrollEvent) -> None:
        """Whole notches as such, which games count; parts of one smoothly."""
        # Mutter's axes point down and right, a client's up and right.
        down_120ths, right_120ths = -event.vertical_120ths, event.horizontal_120ths
        if down_120ths % NOTCH_120THS or right_120ths % NOTCH_120THS:
            right, down = (it / NOTCH_120THS * _NOTCH_LENGTH for it in (right_120ths, down_120ths))
            self._send("NotifyPointerAxis", "ddu", right, down, _CONTINUOUS | _END)
            return
        for axis, amount_120ths in ((_VERTICAL, down_120ths), (_HORIZONTAL, right_120ths)):
            if amount_120ths:
                notches = amount_120ths // NOTCH_120THS
                self._send("NotifyPointerAxisDiscrete", "ui", axis, notches)

    def _touch(self, member: str, finger: int, x: float, y: float) -> None:
        self._screen.hand.send_at(member, "udd", finger, *self._screen.point(x, y))

    def _send(self, member: str, signature: str, *arguments: object) -> None:
        # The hand is another one after a change of the screen's size.
        self._screen.hand.send(member, signature, *arguments)
