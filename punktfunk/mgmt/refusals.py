"""Every answer that is not 2xx, in one envelope: `{"error": "…"}`, sometimes with a `code`."""

import logging
from collections.abc import Mapping
from types import MappingProxyType

from quart import Quart, Response, jsonify, request
from werkzeug.exceptions import (
    Forbidden,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
    RequestTimeout,
)

from punktfunk.errors import DriverUnavailable, ProtocolError, PunktfunkError, Refused
from punktfunk.mgmt.contract import DoesNotMatch

_OURS: Mapping[type[HTTPException], str] = MappingProxyType(
    {
        NotFound: "there is nothing at this path",
        RequestEntityTooLarge: "the body is too long",
        RequestTimeout: "the body did not come in time",
    }
)
"""Instead of the framework's own sentences; a route's stay."""
_KEPT_HEADERS = frozenset({"retry-after", "www-authenticate"})

log = logging.getLogger(__name__)


class ConfirmToken(Forbidden):
    """A page that gets this asks for the token again, and then for the same once more."""

    told_code = "confirm_token"


def install_refusals(app: Quart) -> None:
    """Turn whatever a route or the framework raises into an answer."""
    app.register_error_handler(HTTPException, _of_the_framework)
    app.register_error_handler(PunktfunkError, _on_purpose)
    app.register_error_handler(OSError, _of_the_system)
    app.register_error_handler(Exception, _unexpected)


async def _of_the_framework(error: HTTPException) -> Response:
    answer = _envelope(_sentence(error), error.code or 500, getattr(error, "told_code", None))
    for name, value in error.get_headers():
        if name.lower() in _KEPT_HEADERS:
            answer.headers[name] = value
    if isinstance(error, MethodNotAllowed):  # werkzeug lists a set, in any order
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return answer


def _sentence(error: HTTPException) -> str:
    if isinstance(error, MethodNotAllowed):
        return f"this path does not take {request.method}"
    if error.description == type(error).description and type(error) in _OURS:
        return _OURS[type(error)]
    return error.description or error.name


async def _on_purpose(error: PunktfunkError) -> Response:
    status = _status(error)
    if status == 500:
        log.error("the management API could not answer: %s", error)
    return _envelope(str(error), status)


async def _of_the_system(error: OSError) -> Response:
    log.error("the management API could not answer: %s", error)
    return _envelope(f"the system refused: {error.strerror or type(error).__name__}", 503)


async def _unexpected(error: Exception) -> Response:
    log.error("the management API failed", exc_info=error)
    return _envelope("something went wrong here; the host's log says more", 500)


def _status(error: PunktfunkError) -> int:
    match error:
        case DoesNotMatch():
            return 422
        case ProtocolError():
            return 400
        case DriverUnavailable():
            return 503
        case Refused():
            status = error.fields.get("status", 409)
            return status if isinstance(status, int) else 409
    return 500


def _envelope(message: str, status: int, code: str | None = None) -> Response:
    answer: Response = jsonify({"error": message} | ({"code": code} if code else {}))
    answer.status_code = status
    return answer
