"""The interactive reference at `/api/docs`: the files of this folder, for anybody.

They hold no secret and know no operation. The page asks for a token, keeps it in memory, and
reads the contract with it.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from punktfunk.mgmt.edge import SECURITY_HEADERS, AsgiApp

PREFIX = "/api/docs"

_TYPES = {
    "page.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "schema.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_POLICY = "; ".join(
    [
        *("default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
        *(f"{kind}-src 'self'" for kind in ("connect", "img", "script", "style")),
        *("require-trusted-types-for 'script'", "trusted-types 'none'"),
    ]
)


class Reference:
    """Wraps an ASGI app; answers for the page's own paths and for no other."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        folder = files(__name__)
        read = {name: folder.joinpath(name).read_bytes() for name in _TYPES}
        self._pages = {f"{PREFIX}/{name}": (_TYPES[name], data) for name, data in read.items()}
        for path in (PREFIX, f"{PREFIX}/"):
            self._pages[path] = self._pages[f"{PREFIX}/page.html"]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        page = self._pages.get(scope["path"]) if scope["type"] == "http" else None
        if page is None:
            await self._app(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD"):
            body = page[1] if scope["method"] == "GET" else b""
            headers = {"Content-Security-Policy": _POLICY, "Content-Length": str(len(page[1]))}
            await _answer(send, 200, {"Content-Type": page[0], **headers}, body)
        else:
            body = json.dumps({"error": "this is a page to be read"}).encode()
            headers = {"Allow": "GET, HEAD", "Content-Length": str(len(body))}
            await _answer(send, 405, {"Content-Type": "application/json", **headers}, body)


async def _answer(send: Any, status: int, headers: Mapping[str, str], body: bytes) -> None:
    told = {**SECURITY_HEADERS, **headers}
    encoded = [(name.lower().encode(), value.encode()) for name, value in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": False})
