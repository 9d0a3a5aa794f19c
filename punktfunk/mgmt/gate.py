"""Who may ask at all: decided before any route is looked at, for every path there is."""

import hmac
import logging
import re
import time
from collections.abc import Callable

from quart import Quart, Request, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import (
    Forbidden,
    HTTPException,
    RequestEntityTooLarge,
    TooManyRequests,
    Unauthorized,
)

from punktfunk.mgmt.backoff import WrongTokens

HEALTH_PATH = "/api/v1/health"
MAX_BODY_BYTES = 65_536

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_SAME_SITE = frozenset({"same-origin", "none"})
_BEARER = re.compile(r"bearer +([\x21-\x7e]+)", re.IGNORECASE)

log = logging.getLogger(__name__)


class Gate:
    """Checks which site's page made the request, the size of its body, and the token.

    Args:
        token: Of `mgmt-token`.
        now_ns: A monotonic clock.
    """

    def __init__(
        self,
        token: str,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._token = token.encode()
        self._wrong_tokens = WrongTokens(now_ns)

    def guard(self, app: Quart) -> None:
        """Put the gate before all routes of an app, unknown paths included."""

        @app.before_request
        async def check() -> None:
            self.check(request)

    def check(self, asked: Request) -> None:
        """Raises HTTPException: 403, 413, 401 or 429."""
        _check_origin(asked)
        if (asked.content_length or 0) > MAX_BODY_BYTES:
            raise RequestEntityTooLarge(f"the body is longer than {MAX_BODY_BYTES} bytes")
        if asked.path != HEALTH_PATH:
            self._check_token(asked)

    def _check_token(self, asked: Request) -> None:
        values = asked.headers.getlist("Authorization")
        match = _BEARER.fullmatch(values[0].strip()) if len(values) == 1 else None
        if match is None:
            raise _unauthorized("a bearer token is needed; it is in the file mgmt-token")
        if hmac.compare_digest(match[1].encode(), self._token):
            return
        address = (asked.scope.get("client") or ("",))[0]
        if wait_s := self._wrong_tokens.wait_s(address):
            raise TooManyRequests("too many wrong tokens", retry_after=wait_s)
        log.warning("a request came with a wrong token", extra={"address": address})
        raise _unauthorized("wrong token")


def _check_origin(asked: Request) -> None:
    """Keep other sites' pages from doing things here with a person's browser."""
    if asked.method in _SAFE_METHODS:
        return
    sites = asked.headers.getlist("Sec-Fetch-Site")
    origins = asked.headers.getlist("Origin")
    ours = f"{asked.scheme}://{asked.headers['Host']}".lower()
    if any(site not in _SAME_SITE for site in sites) or any(it.lower() != ours for it in origins):
        raise Forbidden("another site's page may not do this")


def _unauthorized(why: str) -> HTTPException:
    return Unauthorized(why, www_authenticate=WWWAuthenticate("bearer"))
