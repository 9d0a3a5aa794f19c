"""Which key symbol a character is."""

import ctypes
from functools import cache

_LIBRARY = "libxkbcommon.so.0"
_NAMED = {
    "\b": 0xFF08,
    "\t": 0xFF09,
    "\n": 0xFF0D,
    "\r": 0xFF0D,
    "\x1b": 0xFF1B,
    "\x7f": 0xFFFF,
}
_UNICODE, _LAST_LATIN_1 = 0x0100_0000, 0xFF


@cache
def keysym_of(character: str) -> int:
    """The key that types it, as X11 and Wayland number them; 0 when there is none.

    Keymaps have numbers of their own for some characters, which libxkbcommon knows; where that
    is not installed, every character goes by its Unicode number.
    """
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    if code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000:
        return 0
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return code if code <= _LAST_LATIN_1 else _UNICODE + code
    return int(library.xkb_utf32_to_keysym(ctypes.c_uint32(code)))
