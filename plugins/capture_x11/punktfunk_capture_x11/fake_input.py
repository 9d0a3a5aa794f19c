"""The requests of XTEST that we use."""

from typing import Any

import xcffib.xtest

from punktfunk_capture_x11.connection import Connection

_KEY_PRESS, _KEY_RELEASE, _BUTTON_PRESS, _BUTTON_RELEASE, _MOTION = 2, 3, 4, 5, 6
_ABSOLUTE, _RELATIVE = 0, 1


class FakeInput:
    """Sends events as if a device had. Nothing waits for an answer."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._xtest: Any = connection.extension(xcffib.xtest, 2, 2)

    def key(self, code: int, *, pressed: bool) -> None:
        self._send(_KEY_PRESS if pressed else _KEY_RELEASE, code)

    def button(self, number: int, *, pressed: bool) -> None:
        self._send(_BUTTON_PRESS if pressed else _BUTTON_RELEASE, number)

    def move(self, dx: int, dy: int) -> None:
        self._send(_MOTION, _RELATIVE, dx, dy)

    def move_to(self, x: int, y: int) -> None:
        self._send(_MOTION, _ABSOLUTE, x, y)

    def _send(self, kind: int, detail: int, x: int = 0, y: int = 0) -> None:
        self._xtest.FakeInput(kind, detail, 0, self.connection.root, x, y, 0)
