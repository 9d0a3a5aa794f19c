"""Who may ask at all: decided before any route is looked at, for every path there is."""

import hmac
import logging
import re
import time
from collections.abc import Callable

import attrs
from quart import Quart, Request, Response, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import (
    Forbidden,
    HTTPException,
    RequestEntityTooLarge,
    TooManyRequests,
    Unauthorized,
)

from punktfunk.mgmt.audit import OWN_TOKEN_ID, AuditEntry
from punktfunk.mgmt.backoff import WrongTokens
from punktfunk.mgmt.contract import Contract, Operation
from punktfunk.mgmt.host import MgmtHost
from punktfunk.model.access import Scope

MAX_BODY_BYTES = 65_536

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_SAME_SITE = frozenset({"same-origin", "none"})
_BEARER = re.compile(r"bearer +([\x21-\x7e]+)", re.IGNORECASE)

log = logging.getLogger(__name__)


@attrs.frozen
class Caller:
    """Whose token came with a request."""

    token_id: str
    name: str
    scope: Scope


class Gate:
    """Checks which site's page made the request, the size of its body, the token and its scope.

    Args:
        token: Of `mgmt-token`.
        host: Has the other tokens, and keeps the audit file.
        now_ns: A monotonic clock.
    """

    def __init__(
        self,
        token: str,
        host: MgmtHost,
        contract: Contract,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._token = token.encode()
        self._host = host
        self._contract = contract
        self._wrong_tokens = WrongTokens(now_ns)

    def guard(self, app: Quart) -> None:
        """Put the gate before all routes of an app, unknown paths included."""

        @app.before_request
        async def check() -> None:
            self.check(request)

        @app.after_request
        async def note(response: Response) -> Response:
            self._note(request, response)
            return response

    def check(self, asked: Request) -> None:
        """Raises HTTPException: 403, 413, 401 or 429."""
        _check_origin(asked)
        if (asked.content_length or 0) > MAX_BODY_BYTES:
            raise RequestEntityTooLarge(f"the body is longer than {MAX_BODY_BYTES} bytes")
        needed = self._needed(asked)
        if needed is None:
            return
        g.caller = self._caller(asked)
        if not g.caller.scope.includes(needed):
            raise Forbidden(
                f"this token's scope is {g.caller.scope.value}; this needs {needed.value}"
            )

    def _caller(self, asked: Request) -> Caller:
        values = asked.headers.getlist("Authorization")
        match = _BEARER.fullmatch(values[0].strip()) if len(values) == 1 else None
        if match is None:
            raise _unauthorized("a bearer token is needed; it is in the file mgmt-token")
        if hmac.compare_digest(match[1].encode(), self._token):
            return Caller(OWN_TOKEN_ID, OWN_TOKEN_ID, Scope.ADMIN)
        if token := self._host.tokens.match(match[1]):
            return Caller(token.id, token.name, token.scope)
        address = _address(asked)
        if wait_s := self._wrong_tokens.wait_s(address):
            raise TooManyRequests("too many wrong tokens", retry_after=wait_s)
        log.warning("a request came with a wrong token", extra={"address": address})
        raise _unauthorized("wrong token, or one that was revoked or has expired")

    def _needed(self, asked: Request) -> Scope | None:
        """What the operation says. A path that is none does nothing: whoever reads may know."""
        operation = self._operation(asked)
        if operation is not None:
            return operation.scope
        return (
            Scope.READ if asked.routing_exception or asked.method in _SAFE_METHODS else Scope.ADMIN
        )

    def _operation(self, asked: Request) -> Operation | None:
        return self._contract.operations.get((asked.endpoint or "").rpartition(".")[2])

    def _note(self, asked: Request, response: Response) -> None:
        caller: Caller | None = g.get("caller")
        operation = self._operation(asked)
        if caller is None or operation is None or asked.method in _SAFE_METHODS:
            return
        self._host.audit.note(
            AuditEntry(
                token=caller.token_id,
                name=caller.name,
                address=_address(asked),
                operation=operation.id,
                path=asked.path,
                query={name: asked.args[name] for name in operation.query if name in asked.args},
                status=response.status_code,
            )
        )


def _address(asked: Request) -> str:
    return str((asked.scope.get("client") or ("",))[0])


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
