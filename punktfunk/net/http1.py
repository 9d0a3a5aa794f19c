"""One HTTP/1.1 request and its answer: all that GameStream clients ever do on a connection."""

from typing import Protocol

import attrs
import h11

MAX_HEAD_BYTES = 32_768
_CHUNK_BYTES = 16_384


class Stream(Protocol):
    """Plain TCP or TLS."""

    async def read(self, limit: int) -> bytes: ...

    async def write(self, data: bytes) -> None: ...


@attrs.frozen
class HttpRequest:
    """Attributes: `headers` have lower-case names; of a repeated one, all values are there."""

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]

    def header(self, name: bytes) -> list[bytes]:
        return [value for other, value in self.headers if other == name]


class HttpConnection:
    """Reads one request. Pipelined ones are never looked at, so nothing can be smuggled."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._head_only = False

    async def request(self) -> HttpRequest | None:
        """The request, or None when the peer closed without sending one.

        Raises:
            h11.RemoteProtocolError: it is not HTTP, or its head is too long. There may
                still be an answer.
        """
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._stream.read(_CHUNK_BYTES))
            elif isinstance(event, h11.Request):
                self._head_only = event.method == b"HEAD"
                return HttpRequest(event.method, event.target, tuple(event.headers))
            else:
                return None

    async def answer(self, content_type: str, body: bytes) -> None:
        """Always HTTP 200 and the end of the connection."""
        headers = [
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        response = h11.Response(status_code=200, reason=b"OK", headers=headers)
        out = self._http.send(response) or b""
        if not self._head_only:
            out += self._http.send(h11.Data(data=body)) or b""
        await self._stream.write(out)
