"""Which spare key types which character. No I/O."""

from collections.abc import Iterable

_NAMED = {
    "\b": 0xFF08,
    "\t": 0xFF09,
    "\n": 0xFF0D,
    "\r": 0xFF0D,
    "\x1b": 0xFF1B,
    "\x7f": 0xFFFF,
}
_UNICODE = 0x0100_0000


def keysym_of(character: str) -> int | None:
    """X's number for a character; None for what no key makes, and for halves of pairs."""
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    if code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000:
        return None
    return code if code < 0x100 else _UNICODE | code


class TextKeys:
    """Hands out keys; a character keeps its key until all others were used after it.

    Programs read a changed key when they come to it: one that is changed again too soon would
    type the wrong character.
    """

    def __init__(self, spare: Iterable[int]) -> None:
        # Key by keysym, the one used longest ago first; unused keys have made-up keysyms.
        self._keys = {-code: code for code in spare}

    def use(self, keysym: int) -> tuple[int, bool]:
        """A key for a keysym, and whether it has to be told what it means.

        Raises:
            LookupError: there are no spare keys at all.
        """
        known = keysym in self._keys
        if not known and not self._keys:
            raise LookupError("no spare keys")
        code = self._keys.pop(keysym if known else next(iter(self._keys)))
        self._keys[keysym] = code
        return code, not known
