"""Which key symbol a character is."""

import ctypes
from functools import cache

_LIBRARY = "libxkbcommon.so.0"
_RETURN, _LINE_FEED = 0xFF0D, "\n"
_UNICODE, _LAST_LATIN_1 = 0x0100_0000, 0xFF


@cache
def keysym(character: str) -> int:
    """0 when there is none. Mutter needs the library, so it is where Mutter is."""
    if character == _LINE_FEED:
        return _RETURN
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        code = ord(character)
        return code if 0x20 <= code <= _LAST_LATIN_1 else _UNICODE + code
    return int(library.xkb_utf32_to_keysym(ctypes.c_uint32(ord(character))))
