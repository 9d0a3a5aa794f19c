"""Keymaps and modifier states by libxkbcommon, the little of it that we need."""

import ctypes
import re
from typing import ClassVar

from punktfunk.plugin import DriverUnavailable

EVDEV_OFFSET = 8
"""X key codes are evdev's plus eight."""

_LAYOUT = re.compile(r"(?P<layout>[A-Za-z0-9_,-]+)(?:\((?P<variant>[A-Za-z0-9_,-]+)\))?")
_TEXT_V1 = 1
_DEPRESSED, _LATCHED, _LOCKED, _GROUP = 1, 2, 4, 1 << 7


class _RuleNames(ctypes.Structure):
    _fields_: ClassVar = [
        (name, ctypes.c_char_p) for name in ("rules", "model", "layout", "variant", "options")
    ]


def _load() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libxkbcommon.so.0")
    except OSError as error:
        raise DriverUnavailable(
            "wlroots", "libxkbcommon is not installed", hint="apt install libxkbcommon0 xkb-data"
        ) from error
    pointer, number = ctypes.c_void_p, ctypes.c_uint32
    for name, result, arguments in (
        ("xkb_context_new", pointer, [ctypes.c_int]),
        ("xkb_context_set_log_level", None, [pointer, ctypes.c_int]),
        ("xkb_context_unref", None, [pointer]),
        ("xkb_keymap_new_from_names", pointer, [pointer, pointer, ctypes.c_int]),
        ("xkb_keymap_get_as_string", pointer, [pointer, ctypes.c_int]),
        ("xkb_keymap_unref", None, [pointer]),
        ("xkb_state_new", pointer, [pointer]),
        ("xkb_state_update_key", ctypes.c_int, [pointer, number, ctypes.c_int]),
        ("xkb_state_serialize_mods", number, [pointer, ctypes.c_int]),
        ("xkb_state_serialize_layout", number, [pointer, ctypes.c_int]),
        ("xkb_state_unref", None, [pointer]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class KeyboardState:
    """A keymap, and which of its modifiers are on."""

    def __init__(self, layout: str) -> None:
        """Compile the keymap of a layout, such as `us` or `fr(bepo)`.

        Raises:
            DriverUnavailable: no libxkbcommon, or no such layout.
        """
        found = _LAYOUT.fullmatch(layout)
        if found is None:
            raise DriverUnavailable("wlroots", f"{layout!r} is not a keyboard layout")
        self._xkb = _load()
        self._keymap = self._state = None
        self._context = self._xkb.xkb_context_new(0)
        self._xkb.xkb_context_set_log_level(self._context, 10)  # critical only
        names = _RuleNames(
            b"evdev", b"pc105", found["layout"].encode(), (found["variant"] or "").encode(), None
        )
        self._keymap = self._xkb.xkb_keymap_new_from_names(self._context, ctypes.byref(names), 0)
        if not self._keymap:
            self.close()
            raise DriverUnavailable(
                "wlroots",
                f"there is no keyboard layout {layout!r}",
                hint="see `localectl list-x11-keymap-layouts`; xkb-data must be installed",
            )
        self._state = self._xkb.xkb_state_new(self._keymap)

    def keymap_text(self) -> str:
        """The keymap as compositors take it."""
        text = self._xkb.xkb_keymap_get_as_string(self._keymap, _TEXT_V1)
        value = ctypes.cast(text, ctypes.c_char_p).value or b""
        _free(text)
        return value.decode()

    def update(self, evdev: int, *, pressed: bool) -> None:
        self._xkb.xkb_state_update_key(self._state, evdev + EVDEV_OFFSET, int(pressed))

    def modifiers(self) -> tuple[int, int, int, int]:
        """Depressed, latched and locked modifiers, and the group."""
        masks = self._xkb.xkb_state_serialize_mods
        return (
            masks(self._state, _DEPRESSED),
            masks(self._state, _LATCHED),
            masks(self._state, _LOCKED),
            self._xkb.xkb_state_serialize_layout(self._state, _GROUP),
        )

    def close(self) -> None:
        if self._state:
            self._xkb.xkb_state_unref(self._state)
        if self._keymap:
            self._xkb.xkb_keymap_unref(self._keymap)
        if self._context:
            self._xkb.xkb_context_unref(self._context)
        self._state = self._keymap = self._context = None


def _free(pointer: int) -> None:
    """Free what a C library allocated for us."""
    free = ctypes.CDLL(None).free
    free.argtypes, free.restype = [ctypes.c_void_p], None
    free(pointer)
