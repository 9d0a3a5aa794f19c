"""sway's own control socket (the i3 IPC protocol)."""

import json
import socket
import struct
from pathlib import Path
from typing import Any

from punktfunk.plugin import DriverFailed

MAX_ANSWER_BYTES = 4 << 20

_MAGIC = b"i3-ipc"
_HEADER = struct.Struct("=6sII")  # magic, payload bytes, kind
_RUN_COMMAND = 0
_GET_WORKSPACES = 1
_GET_OUTPUTS = 3


class SwayIpc:
    """One connection to a sway.

    Raises:
        OSError: from the constructor, while nobody listens yet.
        DriverFailed: from every method, when sway is gone, hangs or says no.
    """

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise

    def outputs(self) -> list[dict[str, Any]]:
        """Every output with its `name`, `active` and `current_mode`."""
        answer: list[dict[str, Any]] = self._ask(_GET_OUTPUTS, "")
        return answer

    def workspaces(self) -> list[dict[str, Any]]:
        """Every workspace with its `name` and, in `focus`, what is on it."""
        answer: list[dict[str, Any]] = self._ask(_GET_WORKSPACES, "")
        return answer

    def command(self, text: str) -> None:
        """Run one line of sway's configuration language."""
        for result in self._ask(_RUN_COMMAND, text):
            if not result.get("success"):
                raise DriverFailed(f"sway refused: {result.get('error', 'no reason given')}")

    def close(self) -> None:
        self._socket.close()

    def _ask(self, kind: int, payload: str) -> Any:
        body = payload.encode()
        try:
            self._socket.sendall(_HEADER.pack(_MAGIC, len(body), kind) + body)
            magic, size, _ = _HEADER.unpack(self._receive(_HEADER.size))
            if magic != _MAGIC or size > MAX_ANSWER_BYTES:
                raise DriverFailed("sway's answer makes no sense")
            return json.loads(self._receive(size))
        except (OSError, ValueError) as error:
            raise DriverFailed(f"sway does not answer: {error}") from error

    def _receive(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise OSError("it closed the connection")
            data += part
        return bytes(data)
