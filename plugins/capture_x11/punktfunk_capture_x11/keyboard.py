"""Keys by position, and text by spare keys, through XTEST."""

from collections.abc import Sequence

from punktfunk.plugin import KeyEvent
from punktfunk_capture_x11.connection import Connection
from punktfunk_capture_x11.fake_input import FakeInput
from punktfunk_capture_x11.text_keys import TextKeys, keysym_of

MAX_CODE = 247
"""X's key codes are evdev's plus eight, and end at 255."""

_OFFSET = 8
_SHIFT, _CTRL, _ALT, _META = 1, 2, 4, 8

# Modifier bit of a client's event: the key to press for it, and every key that is it.
_KEYS_OF_MODIFIER = {
    _SHIFT: (42, frozenset({42, 54})),
    _CTRL: (29, frozenset({29, 97})),
    _ALT: (56, frozenset({56, 100})),
    _META: (125, frozenset({125, 126})),
}
_ALL_MODIFIER_KEYS = frozenset().union(*(keys for _, keys in _KEYS_OF_MODIFIER.values()))


class Keyboard:
    """Presses keys by evdev code, and types characters whatever the layout.

    Args:
        spare: Key codes that mean nothing, see `spare_keys`; text is typed with them.
    """

    def __init__(self, device: FakeInput, spare: Sequence[int]) -> None:
        self.spare = spare
        self._device = device
        self._down: set[int] = set()
        self._text = TextKeys(spare)

    @property
    def held(self) -> frozenset[int]:
        return frozenset(self._down)

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
        """Type characters as they are; modifiers that are held are let go meanwhile."""
        held = sorted(self._down & _ALL_MODIFIER_KEYS)
        for modifier in held:
            self._key(modifier, pressed=False)
        for character in text:
            keysym = keysym_of(character)
            if keysym is not None:
                self._type(keysym)
        for modifier in held:
            self._key(modifier, pressed=True)

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
        self._device.key(code + _OFFSET, pressed=pressed)

    def _type(self, keysym: int) -> None:
        try:
            code, new = self._text.use(keysym)
        except LookupError:
            return
        if new:
            # On both levels, so that it does not depend on Shift or Caps Lock.
            self._device.connection.core.ChangeKeyboardMapping(1, code, 2, [keysym, keysym])
        self._device.key(code, pressed=True)
        self._device.key(code, pressed=False)


def spare_keys(connection: Connection) -> list[int]:
    """Key codes without a meaning in the present layout."""
    setup = connection.x.setup
    first, last = setup.min_keycode, setup.max_keycode
    answer = connection.reply(connection.core.GetKeyboardMapping(first, last - first + 1))
    width, keysyms = answer.keysyms_per_keycode, list(answer.keysyms)
    return [
        code
        for code in range(first, last + 1)
        if not any(keysyms[(code - first) * width :][:width])
    ]
