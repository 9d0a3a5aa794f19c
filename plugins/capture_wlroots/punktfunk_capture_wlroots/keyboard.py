"""Two virtual keyboards: one of keys by position, one that types text."""

import os
import time
from typing import Any

from punktfunk.plugin import HeldKeys
from punktfunk_capture_wlroots.text_keymap import TextKeymap
from punktfunk_capture_wlroots.xkb import KeyboardState

_XKB_V1 = 1


def now_ms() -> int:
    """The clock of Wayland's input events: milliseconds in 32 bits."""
    return time.monotonic_ns() // 1_000_000 & 0xFFFF_FFFF


class KeyKeyboard(HeldKeys):
    """Presses keys by evdev code and tells the compositor which modifiers result."""

    def __init__(self, device: Any, state: KeyboardState) -> None:
        super().__init__(self._key)
        self._device, self._state = device, state
        self._told = (0, 0, 0, 0)
        _upload(device, state.keymap_text())

    def _key(self, code: int, pressed: bool) -> None:
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
