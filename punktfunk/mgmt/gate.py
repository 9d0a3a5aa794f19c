"""Who may ask at all: decided before any route is looked at, for every path there is."""

import re

from quart import Quart, Request, Response, g, request
from werkzeug.exceptions import Forbidden, RequestEntityTooLarge

from punktfunk.mgmt.access import Access, address_of, unauthorized
from punktfunk.mgmt.audit import AuditEntry
from punktfunk.mgmt.callers import Caller
from punktfunk.mgmt.contract import ByLogin, Contract, Operation
from punktfunk.mgmt.host import MgmtHost
from punktfunk.mgmt.logins import Login
from punktfunk.mgmt.refusals import ConfirmToken
from punktfunk.mgmt.sites import SAFE_METHODS, check_origin
from punktfunk.mgmt.uploads import most_bytes
from punktfunk.model.access import Scope

_BEARER = re.compile(r"bearer +([\x21-\x7e]+)", re.IGNORECASE)
_BEARER_NEEDED = "a bearer token is needed; it is in the file mgmt-token"


class Gate:
    """Checks which site's page made the request, the size of its body, the token and its scope.

    Args:
        host: Keeps the audit file.
    """

    def __init__(self, access: Access, host: MgmtHost, contract: Contract) -> None:
        self._access = access
        self._host = host
        self._contract = contract

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
        check_origin(asked, self._access.public)
        if (asked.content_length or 0) > (most := most_bytes(asked.method, asked.path)):
            raise RequestEntityTooLarge(f"the body is longer than {most} bytes")
        needed = self._needed(asked)
        if needed is None:
            return
        if "Authorization" in asked.headers:
            g.caller, g.login = self._with_token(asked), None
        else:
            g.login = self._with_cookie(asked)
            g.caller = g.login.caller
        if not g.caller.scope.includes(needed):
            raise Forbidden(
                f"this token's scope is {g.caller.scope.value}; this needs {needed.value}"
            )
        if g.login is not None:
            self._check_kind(asked, g.login)

    def _with_token(self, asked: Request) -> Caller:
        values = asked.headers.getlist("Authorization")
        match = _BEARER.fullmatch(values[0].strip()) if len(values) == 1 else None
        if match is None:
            raise unauthorized(_BEARER_NEEDED)
        return self._access.with_token(match[1], address_of(asked))

    def _with_cookie(self, asked: Request) -> Login:
        operation = self._operation(asked)
        background = operation is not None and operation.follows  # a page does that by itself
        login = self._access.login_of(asked, background=background)
        if login is None:
            raise unauthorized(_BEARER_NEEDED)
        if asked.method not in SAFE_METHODS:
            self._access.check_change(asked, login)
        return login

    def _check_kind(self, asked: Request, login: Login) -> None:
        operation = self._operation(asked)
        if operation is None or operation.by_login is ByLogin.ALLOWED:
            return
        if operation.by_login is ByLogin.NEVER:
            raise Forbidden("this needs the token itself, not a login at the console")
        if not login.fresh(self._access.now_ns()):
            raise ConfirmToken("show the token again: this login has been open for a while")

    def _needed(self, asked: Request) -> Scope | None:
        """What the operation says. A path that is none does nothing: whoever reads may know."""
        operation = self._operation(asked)
        if operation is not None:
            return operation.scope
        return (
            Scope.READ if asked.routing_exception or asked.method in SAFE_METHODS else Scope.ADMIN
        )

    def _operation(self, asked: Request) -> Operation | None:
        return self._contract.operations.get((asked.endpoint or "").rpartition(".")[2])

    def _note(self, asked: Request, response: Response) -> None:
        caller: Caller | None = g.get("caller")
        operation = self._operation(asked)
        if caller is None or operation is None or asked.method in SAFE_METHODS:
            return
        self._host.audit.note(
            AuditEntry(
                token=caller.token_id,
                name=caller.name,
                address=address_of(asked),
                through="console" if g.login else "",
                operation=operation.id,
                path=asked.path,
                query={name: asked.args[name] for name in operation.query if name in asked.args},
                status=response.status_code,
            )
        )
