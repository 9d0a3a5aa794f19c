"""Keyboard, pointer and fingers: what is down, and the portal's calls that make it so."""

from punktfunk.plugin import (
    ButtonEvent,
    ContactKind,
    KeyEvent,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    TextEvent,
    TouchEvent,
)
from punktfunk_capture_portal.session import PortalSession

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

_KEYSYMS = {"\n": 0xFF0D, "\r": 0xFF0D, "\t": 0xFF09, "\b": 0xFF08}
_UNICODE_KEYSYM = 0x0100_0000


class Keyboard:
    """Presses keys by evdev code; which letters they are is the desktop's layout."""

    def __init__(self, session: PortalSession) -> None:
        self._session = session
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

    def type(self, event: TextEvent) -> None:
        for character in event.text:
            keysym = keysym_of(character)
            if keysym:
                for state in (1, 0):
                    self._session.notify("KeyboardKeysym", "iu", keysym, state)

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
        self._session.notify("KeyboardKeycode", "iu", code, int(pressed))


class Pointer:
    def __init__(self, session: PortalSession) -> None:
        self._session = session
        self._down: set[int] = set()

    def move(self, event: PointerMotion) -> None:
        self._session.notify("PointerMotion", "dd", float(event.dx), float(event.dy))

    def move_to(self, event: PointerPosition) -> None:
        node, point = self._session.shared.node, self._session.point(event.x, event.y)
        self._session.notify("PointerMotionAbsolute", "udd", node, *point)

    def press(self, event: ButtonEvent) -> None:
        button = _EVDEV_BUTTONS[event.button.value]
        if event.pressed != (button in self._down):
            self._button(button, pressed=event.pressed)

    def scroll(self, event: ScrollEvent) -> None:
        """Whole notches as such, for programs that count them; less than one as a way."""
        # A desktop's axes point down and right, a client's up and right.
        amounts = (_VERTICAL, -event.vertical_120ths), (_HORIZONTAL, event.horizontal_120ths)
        rest = [0.0, 0.0]
        for axis, amount_120ths in amounts:
            if amount_120ths % _NOTCH_120THS:
                rest[1 - axis] = amount_120ths / _NOTCH_120THS * _NOTCH_LENGTH
            elif amount_120ths:
                notches = amount_120ths // _NOTCH_120THS
                self._session.notify("PointerAxisDiscrete", "ui", axis, notches)
        if any(rest):
            self._session.notify("PointerAxis", "dd", *rest)

    @property
    def held(self) -> frozenset[int]:
        return frozenset(self._down)

    def release_all(self) -> None:
        for button in sorted(self._down):
            self._button(button, pressed=False)

    def _button(self, button: int, *, pressed: bool) -> None:
        (self._down.add if pressed else self._down.discard)(button)
        self._session.notify("PointerButton", "iu", button, int(pressed))


class Fingers:
    """A client names its fingers by any number; a desktop wants small ones."""

    def __init__(self, session: PortalSession) -> None:
        self._session = session
        self._slots: dict[int, int] = {}

    def handle(self, event: TouchEvent) -> None:
        slot = self._slots.get(event.pointer_id)
        match event.kind:
            case ContactKind.DOWN | ContactKind.MOVE if slot is None:
                free = set(range(MAX_FINGERS)) - set(self._slots.values())
                if free:
                    slot = self._slots[event.pointer_id] = min(free)
                    self._place("TouchDown", slot, event)
            case ContactKind.DOWN | ContactKind.MOVE if slot is not None:
                self._place("TouchMotion", slot, event)
            case ContactKind.UP | ContactKind.CANCEL if slot is not None:
                del self._slots[event.pointer_id]
                self._session.notify("TouchUp", "u", slot)
            case ContactKind.CANCEL_ALL:
                self.lift_all()

    def lift_all(self) -> None:
        for slot in self._slots.values():
            self._session.notify("TouchUp", "u", slot)
        self._slots.clear()

    def _place(self, member: str, slot: int, event: TouchEvent) -> None:
        node, point = self._session.shared.node, self._session.point(event.x, event.y)
        self._session.notify(member, "uudd", node, slot, *point)


def keysym_of(character: str) -> int:
    """The keysym that types a character; 0 where none does."""
    code = ord(character)
    if character in _KEYSYMS:
        return _KEYSYMS[character]
    if not character.isprintable():
        return 0
    return code if 0x20 <= code <= 0x7E or 0xA0 <= code <= 0xFF else _UNICODE_KEYSYM | code
