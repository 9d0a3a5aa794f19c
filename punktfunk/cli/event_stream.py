"""Server-sent events as the host tells them, read line by line."""

import http.client
import json
import socket
import time
from collections.abc import Callable
from typing import Any

from punktfunk.cli.target import NoHost

_MAX_LINE_BYTES = 1 << 20


class Silence(NoHost):
    """Nothing came in time."""

    code = "silence"


class EventStream:
    """One connection's events.

    Args:
        is_one: Says whether a JSON object is what this connection tells.

    Attributes:
        last: The token of the last event; empty before the host has named one.
    """

    def __init__(
        self,
        sock: socket.socket,
        answer: http.client.HTTPResponse,
        is_one: Callable[[dict[str, Any]], bool],
    ) -> None:
        self.last = ""
        self._is_one = is_one
        self._sock = sock
        self._answer = answer

    def next(self, silence_s: float) -> dict[str, Any] | None:
        """Wait for an event; None: the host says that it is still there.

        Raises:
            NoHost: nothing came for so long, the stream has ended, or it tells no events. It is
                of no use any more.
        """
        until = time.monotonic() + silence_s
        data, token = "", self.last
        while line := self._line(until - time.monotonic()):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                data = value
            elif name == "id":
                token = value
        self.last = token
        return self._event(data) if data else None

    def _line(self, left_s: float) -> str:
        try:
            self._sock.settimeout(max(left_s, 0.001))
            line = self._answer.readline(_MAX_LINE_BYTES).decode()
        except TimeoutError as error:
            raise Silence("nothing was heard of the host any more") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoHost(f"the host has ended the stream of events: {error}") from error
        if not line.endswith("\n"):
            raise NoHost("the host has ended the stream of events")
        return line.rstrip("\r\n")

    def _event(self, text: str) -> dict[str, Any]:
        try:
            plain = json.loads(text)
            if isinstance(plain, dict) and self._is_one(plain):
                return plain
        except (ValueError, RecursionError):
            pass
        raise NoHost("the host tells of something that is no event")
