"""The way in: who sees a page at all, and the pages for those who are not in yet."""

from quart import Quart, g, redirect, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import Unauthorized

from punktfunk.mgmt.requests import backing

_FOR_ANYBODY = frozenset({"assets.asset", "assets.favicon", "login"})


def install_entry(app: Quart) -> None:
    """Keep pages from everybody who is not logged in."""

    @app.before_request
    async def check() -> ResponseReturnValue | None:
        g.login = backing().access.login_of(request)
        if g.login is not None or request.endpoint in _FOR_ANYBODY:
            return None
        if request.method != "GET" or "HX-Request" in request.headers:
            raise Unauthorized
        return redirect("login", 303)
