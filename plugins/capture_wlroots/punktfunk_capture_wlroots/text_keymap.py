"""A keymap on which every character we want to type is one plain key. No I/O."""

import string
from collections.abc import Iterator

FIRST_CODE = 1
LAST_CODE = 247
"""evdev codes; X11 programs see none above (255 with the offset)."""

_OFFSET = 8
_NAMED = {
    "\b": "BackSpace",
    "\t": "Tab",
    "\n": "Return",
    "\r": "Return",
    "\x1b": "Escape",
    "\x7f": "Delete",
}
_PRELOADED = string.printable.rstrip("\x0b\x0c\r")


def can_type(character: str) -> bool:
    """False for control characters that no key makes, and for halves of pairs."""
    if character in _NAMED:
        return True
    code = ord(character)
    return not (code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000)


class TextKeymap:
    """Hands out a key for each character; grows by what is asked for.

    Phones send a character a message. Remaking the keymap for each would make every program
    parse a keymap for each, so characters keep their keys until the table is full.
    """

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._preload()

    def _preload(self) -> None:
        self._codes = {
            character: code
            for code, character in enumerate(filter(can_type, _PRELOADED), start=FIRST_CODE)
        }

    def code(self, character: str) -> int | None:
        """The evdev code that types it, None when the keymap has no key for it yet."""
        return self._codes.get(character)

    def add(self, text: str) -> bool:
        """Make keys for what is new in `text`. True when the keymap changed."""
        new = {character for character in text if can_type(character)} - self._codes.keys()
        if not new:
            return False
        if len(self._codes) + len(new) > LAST_CODE - FIRST_CODE + 1:
            self._preload()
            new -= self._codes.keys()
        for code, character in enumerate(sorted(new), start=FIRST_CODE + len(self._codes)):
            self._codes[character] = code
        return True

    def to_text(self) -> str:
        """The keymap as compositors take it."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield "xkb_keymap {"
        yield 'xkb_keycodes "(unnamed)" {'
        yield f"minimum = {_OFFSET}; maximum = 255;"
        for code in self._codes.values():
            yield f"<K{code}> = {code + _OFFSET};"
        yield "};"
        yield 'xkb_types "(unnamed)" { include "complete" };'
        yield 'xkb_compatibility "(unnamed)" { include "complete" };'
        yield 'xkb_symbols "(unnamed)" {'
        for character, code in self._codes.items():
            symbol = _NAMED.get(character) or f"U{ord(character):04X}"
            yield f"key <K{code}> {{ [ {symbol} ] }};"
        yield "};"
        yield "};"
