"""Every answer that is not 2xx, in one envelope: `{"error": "…"}`."""

import logging

from quart import Quart, Response, jsonify
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from punktfunk.errors import DriverUnavailable, ProtocolError, PunktfunkError, Refused
from punktfunk.mgmt.contract import DoesNotMatch

_KEPT_HEADERS = frozenset({"retry-after", "www-authenticate"})

log = logging.getLogger(__name__)


def install_refusals(app: Quart) -> None:
    """Turn whatever a route or the framework raises into an answer."""
    app.register_error_handler(HTTPException, _of_the_framework)
    app.register_error_handler(PunktfunkError, _on_purpose)
    app.register_error_handler(OSError, _of_the_system)
    app.register_error_handler(Exception, _unexpected)


async def _of_the_framework(error: HTTPException) -> Response:
    answer = _envelope(error.description or error.name, error.code or 500)
    for name, value in error.get_headers():
        if name.lower() in _KEPT_HEADERS:
            answer.headers[name] = value
    if isinstance(error, MethodNotAllowed):  # werkzeug lists a set, in any order
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return answer


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


def _envelope(message: str, status: int) -> Response:
    answer: Response = jsonify({"error": message})
    answer.status_code = status
    return answer
