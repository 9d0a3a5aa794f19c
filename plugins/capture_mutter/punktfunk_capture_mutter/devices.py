"""Keyboard, pointer and fingers: what is down, and the calls that make it so."""

from punktfunk.plugin import (
    ButtonEvent,
    ContactKind,
    KeyEvent,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    TouchEvent,
)
from punktfunk_capture_mutter.keysyms import keysym
from punktfunk_capture_mutter.screen import Screen

MAX_CODE = 247
MAX_FINGERS = 16

_SHIFT, _CTRL, _ALT, _META = 1, 2, 4, 8

# Modifier bit of a client's event: the key to press for it, and every key that is it.
_KEYS_OF_MODIFIER = {
    _SHIFT: (42, frozenset({42, 54})),
    _CTRL: (29, frozenset({29, 97})),
    _ALT: (56, frozenset({56, 100})),
    _META: (125, frozenset({125, 126})),
}
_ALL_MODIFIER_KEYS = frozenset().union(*(keys for _, keys in _KEYS_OF_MODIFIER.values()))

# By the number a client gives a button: BTN_LEFT, BTN_MIDDLE, BTN_RIGHT, BTN_SIDE, BTN_EXTRA.
_EVDEV_BUTTONS = {1: 0x110, 2: 0x112, 3: 0x111, 4: 0x113, 5: 0x114}
_VERTICAL, _HORIZONTAL = 0, 1
_NOTCH_120THS = 120
_NOTCH_LENGTH = 10.0
_END, _CONTINUOUS = 1, 8


class Keyboard:
    """Presses keys by evdev code, and types characters that its layout has."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._down: set[int] = set()

    def handle(self, event: KeyEvent) -> None:
        """Press or release; repeats and keys without a code are ignored.

        A modifier that the event flags and nobody holds is pressed around the key
        (docs/protocol/gamestream.md, section 6.5).
        """
        code = event.evdev
        if code is None or not 0 < code <= MAX_CODE or event.pressed == (code in self._down):
            return
        around = self._missing_modifiers(event) if event.pressed else []
        for modifier in around:
            self._key(modifier, pressed=True)
        self._key(code, pressed=event.pressed)
        for modifier in reversed(around):
            self._key(modifier, pressed=False)

    def type(self, text: str) -> None:
        """Characters that the layout has no key for are left out."""
        for character in text:
            symbol = keysym(character)
            if symbol:
                self._screen.hand.send("NotifyKeyboardKeysym", "ub", symbol, True)
                self._screen.hand.send("NotifyKeyboardKeysym", "ub", symbol, False)

    @property
    def held(self) -> frozenset[int]:
        return frozenset(self._down)

    def release_all(self) -> None:
        for code in sorted(self._down):
            self._key(code, pressed=False)

    def _missing_modifiers(self, event: KeyEvent) -> list[int]:
        if event.evdev in _ALL_MODIFIER_KEYS:
            return []
        return [
            press
            for bit, (press, keys) in _KEYS_OF_MODIFIER.items()
            if event.modifiers & bit and not keys & self._down
        ]

    def _key(self, code: int, *, pressed: bool) -> None:
        (self._down.add if pressed else self._down.discard)(code)
        self._screen.hand.send("NotifyKeyboardKeycode", "ub", code, pressed)


class Pointer:
    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._down: set[int] = set()

    def move(self, event: PointerMotion) -> None:
        self._screen.hand.send(
            "NotifyPointerMotionRelative", "dd", float(event.dx), float(event.dy)
        )

    def move_to(self, event: PointerPosition) -> None:
        place = self._screen.point(event.x, event.y)
        self._screen.hand.send_at("NotifyPointerMotionAbsolute", "dd", *place)

    def press(self, event: ButtonEvent) -> None:
        button = _EVDEV_BUTTONS[event.button.value]
        if event.pressed != (button in self._down):
            self._button(button, pressed=event.pressed)

    def scroll(self, event: ScrollEvent) -> None:
        """Whole notches as such, which games count; parts of one smoothly."""
        # Mutter's axes point down and right, a client's up and right.
        down_120ths, right_120ths = -event.vertical_120ths, event.horizontal_120ths
        if down_120ths % _NOTCH_120THS or right_120ths % _NOTCH_120THS:
            right, down = (it / _NOTCH_120THS * _NOTCH_LENGTH for it in (right_120ths, down_120ths))
            self._screen.hand.send("NotifyPointerAxis", "ddu", right, down, _CONTINUOUS | _END)
            return
        for axis, amount_120ths in ((_VERTICAL, down_120ths), (_HORIZONTAL, right_120ths)):
            if amount_120ths:
                notches = amount_120ths // _NOTCH_120THS
                self._screen.hand.send("NotifyPointerAxisDiscrete", "ui", axis, notches)

    @property
    def held(self) -> frozenset[int]:
        return frozenset(self._down)

    def release_all(self) -> None:
        for button in sorted(self._down):
            self._button(button, pressed=False)

    def _button(self, button: int, *, pressed: bool) -> None:
        (self._down.add if pressed else self._down.discard)(button)
        self._screen.hand.send("NotifyPointerButton", "ib", button, pressed)


class Fingers:
    """A client names its fingers by any number; Mutter wants small ones."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._slots: dict[int, int] = {}

    def handle(self, event: TouchEvent) -> None:
        point = self._screen.point(event.x, event.y)
        slot = self._slots.get(event.pointer_id)
        match event.kind:
            case ContactKind.DOWN | ContactKind.MOVE if slot is None:
                free = set(range(MAX_FINGERS)) - set(self._slots.values())
                if free:
                    slot = self._slots[event.pointer_id] = min(free)
                    self._screen.hand.send_at("NotifyTouchDown", "udd", slot, *point)
            case ContactKind.DOWN | ContactKind.MOVE:
                self._screen.hand.send_at("NotifyTouchMotion", "udd", slot, *point)
            case ContactKind.UP | ContactKind.CANCEL if slot is not None:
                del self._slots[event.pointer_id]
                self._screen.hand.send("NotifyTouchUp", "u", slot)
            case ContactKind.CANCEL_ALL:
                self.lift_all()

    def lift_all(self) -> None:
        for slot in self._slots.values():
            self._screen.hand.send("NotifyTouchUp", "u", slot)
        self._slots.clear()
