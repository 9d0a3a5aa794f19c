"""Keys by position, and text by spare keys, through XTEST."""

from collections.abc import Sequence

from punktfunk.plugin import HeldKeys
from punktfunk_capture_x11.connection import Connection
from punktfunk_capture_x11.fake_input import FakeInput
from punktfunk_capture_x11.text_keys import TextKeys, keysym_of

_OFFSET = 8
"""X's key codes are evdev's and this."""


class Keyboard(HeldKeys):
    """Presses keys by evdev code, and types characters whatever the layout.

    Args:
        spare: Key codes that mean nothing, see `spare_keys`; text is typed with them.
    """

    def __init__(self, device: FakeInput, spare: Sequence[int]) -> None:
        super().__init__(lambda code, pressed: device.key(code + _OFFSET, pressed=pressed))
        self.spare = spare
        self._device = device
        self._text = TextKeys(spare)

    def type(self, text: str) -> None:
        """Type characters as they are; modifiers that are held are let go meanwhile."""
        held = sorted(self.held_modifiers)
        for modifier in held:
            self.set(modifier, pressed=False)
        for character in text:
            keysym = keysym_of(character)
            if keysym is not None:
                self._type(keysym)
        for modifier in held:
            self.set(modifier, pressed=True)

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
