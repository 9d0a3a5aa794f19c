"""What never reaches the app: requests that are no plain HTTP requests to this very server.

The framework reads the `Host` header and the path before any of its hooks run, and hooks do
not see WebSockets, so these are looked at here.
"""

import json
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any

AsgiApp = Callable[[Any, Any, Any], Coroutine[Any, Any, None]]

SECURITY_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_HOST = re.compile(
    rb"(?:\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9._-]{1,253}))(?::[0-9]{1,5})?"
)


class Edge:
    """Wraps an ASGI app.

    `GET http://elsewhere/` is 400, a `Host` that is not ours 421, and WebSockets are closed.

    Args:
        names: Host names it may be called by, besides `localhost`.
        prefix: A path that a proxy may leave in front of ours, such as `/punktfunk`.
    """

    def __init__(self, app: AsgiApp, names: Iterable[str] = (), prefix: str = "") -> None:
        self._app = app
        self._prefix = prefix
        self._names = frozenset(name.lower() for name in names) | {"localhost"}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        elif not self.names_us(scope):
            why = "this host is not called that; see mgmt.names in its configuration"
            await _refuse(send, HTTPStatus.MISDIRECTED_REQUEST, why)
        elif not scope["path"].startswith("/"):
            await _refuse(send, HTTPStatus.BAD_REQUEST, "this server is no proxy")
        elif self._prefix and scope["path"] == self._prefix:
            # What a page names relative to itself would be looked for beside it.
            place = f"{self._prefix.rpartition('/')[2]}/"
            await _send(send, HTTPStatus.PERMANENT_REDIRECT, {"Location": place}, b"")
        else:
            if self._prefix and scope["path"].startswith(f"{self._prefix}/"):
                scope = {**scope, "path": scope["path"].removeprefix(self._prefix)}
            await self._app(scope, receive, send)

    def names_us(self, scope: Any) -> bool:
        """Against DNS rebinding: a web page's own name may resolve to our address.

        An address cannot be rebound, so those are ours that are loopback or took the
        connection. The port proves nothing: it may have been forwarded.
        """
        values = [value for name, value in scope["headers"] if name.lower() == b"host"]
        match = _HOST.fullmatch(values[0]) if len(values) == 1 else None
        if match is None:
            return False
        name = (match["v6"] or match["name"]).decode().lower()
        if name in self._names:
            return True
        try:
            address = ip_address(name)
        except ValueError:
            return False
        server = scope.get("server")
        return address.is_loopback or (server is not None and str(address) == server[0])


async def _refuse(send: Any, status: HTTPStatus, why: str) -> None:
    body = json.dumps({"error": why}).encode()
    await _send(send, status, {"Content-Type": "application/json"}, body)


async def _send(send: Any, status: HTTPStatus, more: Mapping[str, str], body: bytes) -> None:
    headers = {**SECURITY_HEADERS, **more, "Content-Length": str(len(body))}
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": int(status), "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": False})
