"""Two apps on one address: the API has its paths, and pages have all others."""

from typing import Any

from punktfunk.mgmt.edge import AsgiApp

_API_PATHS = ("/api", "/metrics")


class Beside:
    """Args:
    api: Answers below `/api`, for `/metrics`, and for what is no HTTP request.
    pages: Answers for the rest.
    """

    def __init__(self, api: AsgiApp, pages: AsgiApp) -> None:
        self._api = api
        self._pages = pages

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        first = "/" + scope.get("path", "/").split("/")[1] if scope["type"] == "http" else "/api"
        await (self._api if first in _API_PATHS else self._pages)(scope, receive, send)
