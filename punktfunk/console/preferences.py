"""How a person likes the pages: language and colours, kept by the browser."""

from quart import Blueprint, Response, request

from punktfunk.console import language, shell
from punktfunk.console.entry import place

A_YEAR_S = 365 * 86_400

blueprint = Blueprint("preferences", __name__)


@blueprint.post("/preferences")
async def change() -> Response:
    form = await request.form
    answer = Response(status=303, headers={"Location": place(form.get("back", ""))})
    _keep(answer, language.COOKIE, form.get("language", ""), tuple(language.LANGUAGES))
    _keep(answer, shell.THEME_COOKIE, form.get("theme", ""), shell.THEMES)
    return answer


def _keep(answer: Response, cookie: str, chosen: str, choices: tuple[str, ...]) -> None:
    if chosen in choices:
        answer.set_cookie(cookie, chosen, max_age=A_YEAR_S, samesite="Lax", httponly=True)
