"""A connection that says nothing, and ends when who is at its other end does."""

import socket
from pathlib import Path

_CONNECT_S = 1.0


class Witness:
    """Knows whether a server has ended since, also where another one took its place."""

    def __init__(self, path: Path) -> None:
        self._connection: socket.socket | None = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._connection.settimeout(_CONNECT_S)
            self._connection.connect(str(path))
            self._connection.setblocking(False)
        except OSError:  # it was never there
            self.close()

    @property
    def has_ended(self) -> bool:
        if self._connection is None:
            return False
        try:
            return not self._connection.recv(4_096)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
