"""Two virtual keyboards: one of keys by position, one that types text."""

import os
import time
from typing import Any

from punktfunk.plugin import KeyEvent
from punktfunk_capture_wlroots.text_keymap import TextKeymap
from punktfunk_capture_wlroots.xkb import KeyboardState

MAX_CODE = 247
"""Key codes above do not fit the keymap format."""

_XKB_V1 = 1
_SHIFT, _CTRL, _ALT, _META = 1, 2, 4, 8

# Modifier bit of a client's event: the key to press for it, and every key that is it.
_KEYS_OF_MODIFIER = {
    _SHIFT: (42, frozenset({42, 54})),
    _CTRL: (29, frozenset({29, 97})),
    _ALT: (56, frozenset({56, 100})),
    _META: (125, frozenset({125, 126})),
}
_ALL_MODIFIER_KEYS = frozenset().union(*(keys for _, keys in _KEYS_OF_MODIFIER.values()))


def now_ms() -> int:
    """The clock of Wayland's input events: milliseconds in 32 bits."""
    return time.monotonic_ns() // 1_000_000 & 0xFFFF_FFFF


class KeyKeyboard:
    """Presses keys by evdev code and tells the compositor which modifiers result."""

    def __init__(self, device: Any, state: KeyboardState) -> None:
        self._device, self._state = device, state
        self._down: set[int] = set()
        self._told = (0, 0, 0, 0)
        _upload(device, state.keymap_text())

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
        self._device.key(now_ms(), code, int(pressed))
        self._state.update(code, pressed=pressed)
        modifiers = self._state.modifiers()
        if modifiers != self._told:
            self._device.modifiers(*modifiers)
            self._told = modifiers


class TextKeyboard:
    """Types characters as they are, whatever the layout and whatever is held elsewhere.

    It is a device of its own: the compositor shows programs the keymap of the keyboard that
    was used last, so theirs is back with the next ordinary key.
    """

    def __init__(self, device: Any) -> None:
        self._device = device
        self._keymap = TextKeymap()
        _upload(device, self._keymap.to_text())

    def type(self, text: str) -> None:
        if self._keymap.add(text):
            _upload(self._device, self._keymap.to_text())
        for character in text:
            code = self._keymap.code(character)
            if code is not None:
                self._device.key(now_ms(), code, 1)
                self._device.key(now_ms(), code, 0)


def _upload(device: Any, keymap: str) -> None:
    data = keymap.encode() + b"\0"
    fd = os.memfd_create("punktfunk-keymap", os.MFD_CLOEXEC)
    try:
        os.write(fd, data)
        device.keymap(_XKB_V1, fd, len(data))
    finally:
        # libwayland sends a duplicate.
        os.close(fd)
