"""Logging in and out: by the token, by a link that `punktfunk console` made, and once more."""

from quart import Blueprint, g, redirect, render_template, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import (
    BadRequest,
    TooManyRequests,
    Unauthorized,
    UnprocessableEntity,
)
from werkzeug.sansio.response import Response

from punktfunk.console.entry import place
from punktfunk.console.language import _, ngettext
from punktfunk.mgmt.access import address_of
from punktfunk.mgmt.callers import Caller
from punktfunk.mgmt.requests import backing, done
from punktfunk.trust.token import TOKEN_VARIABLE

blueprint = Blueprint("login", __name__)


@blueprint.get("/login")
async def show() -> ResponseReturnValue:
    if g.login is not None:
        return redirect(place(request.args.get("next", "")), 303)
    by_link = "link" in request.args  # the code behind its # would not survive another turn
    if request.headers.get("Sec-Fetch-Site") == "cross-site" and not by_link:
        # The browser keeps the cookie back on the way here from another site. From here on
        # it does not, so whoever is logged in does not have to do so again.
        return await render_template("again.html")
    return await _page(request.args.get("next", ""))


@blueprint.post("/login")
async def log_in() -> ResponseReturnValue:
    form = await request.form
    wanted = form.get("next", "")
    try:
        caller = backing().access.with_token(_token(form.get("token", "")), address_of(request))
    except Unauthorized:
        problem = _("That is not the token, or it was revoked or has expired.")
        return await _page(wanted, problem), 401
    except TooManyRequests as error:
        wait_s = int(str(error.retry_after or 1))
        problem = ngettext(
            "Too many wrong tokens. Try again in %(n)s second.",
            "Too many wrong tokens. Try again in %(n)s seconds.",
            wait_s,
        )
        return await _page(wanted, problem), 429, {"Retry-After": str(wait_s)}
    answer = redirect(place(wanted), 303)
    _open(caller, answer)
    return answer


@blueprint.post("/login/code")
async def log_in_by_link() -> ResponseReturnValue:
    caller = backing().access.with_code(await _member("code"), address_of(request))
    answer = done(204)
    _open(caller, answer)
    return answer


@blueprint.post("/login/confirm")
async def confirm() -> ResponseReturnValue:
    """Of a page that was told `confirm_token`. A wrong token is told apart from an ended login."""
    access = backing().access
    try:
        caller = access.with_token(_token(await _member("token")), address_of(request))
    except Unauthorized as error:
        raise UnprocessableEntity(error.description) from None
    if caller != g.login.caller:
        raise UnprocessableEntity("this login was opened with another token")
    access.logins.confirm(g.login)
    return done(204)


@blueprint.post("/logout")
async def log_out() -> ResponseReturnValue:
    access = backing().access
    access.logins.close(g.login)
    answer = redirect("./login", 303)
    access.cookie.take_away(answer, request)
    return answer


def _open(caller: Caller, answer: Response) -> None:
    access = backing().access
    if g.login is not None:
        access.logins.close(g.login)
    cookie, _login = access.logins.open(caller)
    access.cookie.put(answer, cookie, request)


async def _page(wanted: str, problem: str = "") -> str:
    return await render_template(
        "login.html", place=None, wanted=place(wanted).removeprefix("./"), problem=problem
    )


def _token(text: str) -> str:
    """Some take the whole line out of the file."""
    return text.strip().removeprefix(f"{TOKEN_VARIABLE}=")


async def _member(name: str) -> str:
    plain = await request.get_json(silent=True)
    text = plain.get(name) if isinstance(plain, dict) else None
    if not isinstance(text, str):
        raise BadRequest
    return text
