"""The way in: who sees a page at all, and which page somebody wanted who is not in yet."""

import re
from urllib.parse import quote, unquote

from quart import Quart, g, redirect, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import Unauthorized

from punktfunk.console.shell import here, root
from punktfunk.mgmt.access import CSRF_HEADER
from punktfunk.mgmt.requests import backing
from punktfunk.mgmt.sites import SAFE_METHODS, check_is_our_page

_FOR_ANYBODY = frozenset(
    {"assets.asset", "assets.favicon", "login.show", "login.log_in", "login.log_in_by_link"}
)
_PLACE = re.compile(r"[\w.~%+,:@/-]+(?:\?[\w.~%+,:@/?&=-]*)?", re.ASCII)
_MAX_PLACE_CHARS = 1_024


def install_entry(app: Quart) -> None:
    """Keep pages from everybody who is not logged in, and changes from pages of others."""

    @app.before_request
    async def check() -> ResponseReturnValue | None:
        access = backing().access
        for_anybody = request.endpoint in _FOR_ANYBODY
        if request.method not in SAFE_METHODS:
            check_is_our_page(request, access.public)
        g.login = access.login_of(request)
        if g.login is None and not for_anybody:
            if request.method not in SAFE_METHODS or "HX-Request" in request.headers:
                raise Unauthorized
            return redirect(f"{root()}login{_asking_for_this()}", 303)
        if request.method not in SAFE_METHODS and not for_anybody:
            in_header = CSRF_HEADER in request.headers
            csrf = None if in_header else (await request.form).get("csrf", "")
            access.check_change(request, g.login, csrf)
        return None


def place(text: str) -> str:
    """Where in the console a browser may be sent, relative to its root; home for all else.

    A redirect to it stays on this origin, whatever it says: it begins with `./`.
    """
    path = unquote(text.partition("?")[0])
    fine = (
        len(text) <= _MAX_PLACE_CHARS
        and _PLACE.fullmatch(text)
        and path.isprintable()
        and "\\" not in path
        and not {"", ".", ".."} & set(path.split("/"))
    )
    return f"./{text}" if fine else "./"


def _asking_for_this() -> str:
    wanted = here()
    return f"?next={quote(wanted, safe='')}" if wanted else ""
