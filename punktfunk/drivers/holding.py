"""What a client holds down: keys, buttons and fingers, for drivers that bring input in."""

from collections.abc import Callable, Collection, Mapping

import attrs

from punktfunk.model.input import (
    ButtonEvent,
    ContactKind,
    KeyEvent,
    Modifiers,
    PointerButton,
    TouchEvent,
)

MAX_KEY_CODE = 247
"""The highest evdev code that X11 programs, and so all keymaps, know: theirs are 8 more."""

MAX_FINGERS = 16
"""At once; more are left out."""

NOTCH_120THS = 120
"""A wheel's notch in the unit of `ScrollEvent`."""

EVDEV_BUTTONS: Mapping[PointerButton, int] = {
    PointerButton.LEFT: 0x110,
    PointerButton.RIGHT: 0x111,
    PointerButton.MIDDLE: 0x112,
    PointerButton.BACK: 0x113,
    PointerButton.FORWARD: 0x114,
}
"""BTN_LEFT and so on."""

_MODIFIERS = {
    Modifiers.SHIFT: (42, frozenset({42, 54})),
    Modifiers.CTRL: (29, frozenset({29, 97})),
    Modifiers.ALT: (56, frozenset({56, 100})),
    Modifiers.META: (125, frozenset({125, 126})),
}
"""The key to press for each, and every key that is it."""

_MODIFIER_KEYS = frozenset().union(*(keys for _, keys in _MODIFIERS.values()))


def modifiers_around(event: KeyEvent, held: Collection[int]) -> list[int]:
    """Keys to press for a press: the modifiers it flags that are not among those held."""
    if not event.pressed or event.evdev in _MODIFIER_KEYS:
        return []
    return [
        press
        for modifier, (press, keys) in _MODIFIERS.items()
        if event.modifiers & modifier and keys.isdisjoint(held)
    ]


class HeldKeys:
    """Presses keys by evdev code.

    Args:
        send: Makes a key go down or up.
    """

    def __init__(self, send: Callable[[int, bool], object]) -> None:
        self._send = send
        self._down: set[int] = set()

    @property
    def held(self) -> frozenset[int]:
        return frozenset(self._down)

    @property
    def held_modifiers(self) -> frozenset[int]:
        """Both Shifts, Ctrls, Alts and Metas, as far as they are down."""
        return _MODIFIER_KEYS & self._down

    def handle(self, event: KeyEvent) -> None:
        """Press or release; repeats and keys without a code are ignored.

        A modifier that the event flags and nobody holds is pressed around the key
        (docs/protocol/gamestream.md, section 6.5).
        """
        code = event.evdev
        if code is None or not 0 < code <= MAX_KEY_CODE or event.pressed == (code in self._down):
            return
        around = modifiers_around(event, self._down)
        for modifier in around:
            self.set(modifier, pressed=True)
        self.set(code, pressed=event.pressed)
        for modifier in reversed(around):
            self.set(modifier, pressed=False)

    def set(self, code: int, *, pressed: bool) -> None:
        """Press or release, whatever it was before."""
        (self._down.add if pressed else self._down.discard)(code)
        self._send(code, pressed)

    def release_all(self) -> None:
        for code in sorted(self._down):
            self.set(code, pressed=False)


class HeldButtons:
    """Presses a pointer's buttons, each once.

    Args:
        send: Makes a button go down or up.
        codes: What each is called by whom it is sent to.
    """

    def __init__(
        self,
        send: Callable[[int, bool], object],
        codes: Mapping[PointerButton, int] = EVDEV_BUTTONS,
    ) -> None:
        self._send, self._codes = send, codes
        self._down: set[int] = set()

    @property
    def held(self) -> frozenset[int]:
        return frozenset(self._down)

    def handle(self, event: ButtonEvent) -> None:
        button = self._codes[event.button]
        if event.pressed != (button in self._down):
            self._set(button, pressed=event.pressed)

    def release_all(self) -> None:
        for button in sorted(self._down):
            self._set(button, pressed=False)

    def _set(self, button: int, *, pressed: bool) -> None:
        (self._down.add if pressed else self._down.discard)(button)
        self._send(button, pressed)


class HeldFingers:
    """A client names its fingers by any number; desktops want small ones. Hovering is ignored.

    Args:
        down: Called with the finger's number, 0 to 15, and its place on the picture.
        move: Called as `down` is.
        lift: Called with its number.
    """

    def __init__(
        self,
        down: Callable[[int, float, float], object],
        move: Callable[[int, float, float], object],
        lift: Callable[[int], object],
    ) -> None:
        self._put_down, self._move, self._lift = down, move, lift
        self._numbers: dict[int, int] = {}

    def handle(self, event: TouchEvent) -> None:
        number = self._numbers.get(event.pointer_id)
        match event.kind:
            case ContactKind.DOWN | ContactKind.MOVE if number is None:
                free = set(range(MAX_FINGERS)) - set(self._numbers.values())
                if free:
                    number = self._numbers[event.pointer_id] = min(free)
                    self._put_down(number, event.x, event.y)
            case ContactKind.DOWN | ContactKind.MOVE if number is not None:
                self._move(number, event.x, event.y)
            case ContactKind.UP | ContactKind.CANCEL if number is not None:
                del self._numbers[event.pointer_id]
                self._lift(number)
            case ContactKind.CANCEL_ALL:
                self.lift_all()

    def lift_all(self) -> None:
        for number in self._numbers.values():
            self._lift(number)
        self._numbers.clear()


class WholeNotches:
    """Counts a notch of one wheel whenever the parts of one are together."""

    def __init__(self) -> None:
        self._rest_120ths = 0

    def add(self, amount_120ths: int) -> int:
        """How many there are now; what is left counts the next time."""
        if self._rest_120ths * amount_120ths < 0:
            self._rest_120ths = 0  # turned back: the begun notch does not count
        self._rest_120ths += amount_120ths
        notches = int(self._rest_120ths / NOTCH_120THS)
        self._rest_120ths -= notches * NOTCH_120THS
        return notches


@attrs.frozen
class PointerArea:
    """Where the streamed picture is among all that a pointer can point at, in its units."""

    left: float
    top: float
    width: float
    height: float

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where a place on the picture (0..1) is."""
        return (
            self.left + min(x * self.width, self.width - 1),
            self.top + min(y * self.height, self.height - 1),
        )
