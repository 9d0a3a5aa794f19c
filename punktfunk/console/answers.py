"""What went wrong, as a page instead of the API's JSON."""

import logging

from quart import Quart, Response, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError

log = logging.getLogger(__name__)


def install_answers(app: Quart) -> None:
    """Answer every error with a page of our own; a fragment gets a sentence."""

    @app.errorhandler(HTTPException)
    async def refused(error: HTTPException) -> Response:
        return await _page(error)

    @app.errorhandler(Exception)
    async def failed(error: Exception) -> Response:
        log.error("a page could not be made", exc_info=error, extra={"path": request.path})
        return await _page(InternalServerError())


async def _page(error: HTTPException) -> Response:
    status = error.code or 500
    text = await render_template("refused.html", status=status, place=None)
    answer = Response(text, status)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            answer.headers[name] = value
    return answer
