"""How a person likes the pages: language and colours, kept by the browser."""

from urllib.parse import urlsplit

from quart import Blueprint, Response, g, request

from punktfunk.console import language, shell
from punktfunk.mgmt.requests import backing

A_YEAR_S = 365 * 86_400

blueprint = Blueprint("preferences", __name__)


@blueprint.post("/preferences")
async def change() -> Response:
    form = await request.form
    backing().access.check_change(request, g.login, form.get("csrf", ""))
    answer = Response(status=303, headers={"Location": _back(form.get("back", ""))})
    _keep(answer, language.COOKIE, form.get("language", ""), tuple(language.LANGUAGES))
    _keep(answer, shell.THEME_COOKIE, form.get("theme", ""), shell.THEMES)
    return answer


def _back(path: str) -> str:
    """Relative, as the page saw it: only the part below our root may be followed."""
    parts = urlsplit(path)
    ours = path.startswith("/") and not path.startswith("//") and not (parts.scheme or parts.netloc)
    return "." + parts.path if ours and "\\" not in path else "."


def _keep(answer: Response, cookie: str, chosen: str, choices: tuple[str, ...]) -> None:
    if chosen in choices:
        answer.set_cookie(cookie, chosen, max_age=A_YEAR_S, samesite="Lax", httponly=True)
