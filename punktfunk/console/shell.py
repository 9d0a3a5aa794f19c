"""What surrounds every page: where things are, who is logged in, and what may load."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import attrs
from quart import Quart, Response, g, render_template, request

from punktfunk.console.assets import Assets
from punktfunk.console.hints import command_of
from punktfunk.console.words import FILTERS
from punktfunk.mgmt.edge import SECURITY_HEADERS
from punktfunk.mgmt.requests import host
from punktfunk.model.access import Scope
from punktfunk.model.events import EVENT_TYPES

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "punktfunk_theme"
PAGE_ROOT_HEADER = "X-Page-Root"

CONTENT_POLICY = "; ".join(
    [
        *("default-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"),
        *(f"{kind}-src 'self'" for kind in ("connect", "font", "img", "script", "style")),
    ]
)

_ROOT = re.compile(r"\./|(?:\.\./){1,3}")


@attrs.frozen
class Place:
    """A page in the navigation.

    Attributes:
        path: From the console's root; empty is home.
        icon: Of `templates/icons.html`.
    """

    name: str
    path: str
    icon: str


def N_(text: str) -> str:  # noqa: N802 (gettext's name for: translated where it is shown)
    return text


PLACES: Sequence[Place] = (
    Place(N_("Home"), "", "home"),
    Place(N_("Devices"), "devices", "devices"),
    Place(N_("Library"), "library", "library"),
    Place(N_("Sessions"), "sessions", "sessions"),
    Place(N_("Performance"), "performance", "performance"),
    Place(N_("Plugins"), "plugins", "plugins"),
    Place(N_("Settings"), "settings", "settings"),
    Place(N_("Logs"), "logs", "logs"),
)


def install_shell(app: Quart, assets: Assets) -> None:
    """Give templates what all of them need, and answers their headers."""
    app.jinja_env.filters.update(FILTERS, command_of=command_of)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(event_types=" ".join(EVENT_TYPES), places=PLACES)

    @app.context_processor
    def around() -> dict[str, Any]:
        login = g.get("login")
        return {
            "root": root(),
            "here": here,
            "asset": lambda name: root() + assets.path(name),
            "csrf": login.csrf if login else "",
            "may_change": bool(login) and login.scope.includes(Scope.ADMIN),
            "may_control": bool(login) and login.scope.includes(Scope.CONTROL),
            "devices_waiting": host().pending_pairings,
            "host_name": host().info().hostname,
            "theme": theme(),
        }

    @app.after_request
    async def head(response: Response) -> Response:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["Content-Security-Policy"] = CONTENT_POLICY
        # With no-referrer, browsers hide the origin of our own forms from us too.
        response.headers["Referrer-Policy"] = "same-origin"
        return response


def root() -> str:
    """The way from this page to the console's root, which a proxy may have put anywhere.

    A part says which page it is for: links in it are followed from there.
    """
    said = request.headers.get(PAGE_ROOT_HEADER, "")
    if _ROOT.fullmatch(said):
        return said
    return "../" * (request.path.count("/") - 1) or "./"


def here() -> str:
    """This page's address from the console's root, the way browsers send it."""
    path = quote(request.path.removeprefix("/"), safe="/:@,+")
    query = quote(request.query_string, safe="/:@,+%?&=")
    return f"{path}?{query}" if query else path


def theme() -> str:
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else THEMES[0]


async def page(template: str, place: str, **values: Any) -> str:
    """Render a page.

    Args:
        place: Its path in the navigation.
    """
    return await render_template(template, place=place, **values)
