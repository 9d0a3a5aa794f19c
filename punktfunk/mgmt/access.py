"""Whose request it is: by a token, by a login at the console, or by a link used once."""

import hmac
import logging
from collections.abc import Callable

from quart import Request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, HTTPException, TooManyRequests, Unauthorized

from punktfunk.mgmt.audit import OWN_TOKEN_ID
from punktfunk.mgmt.backoff import WrongTokens
from punktfunk.mgmt.callers import Caller
from punktfunk.mgmt.host import MgmtHost
from punktfunk.mgmt.links import Links
from punktfunk.mgmt.login_cookie import LoginCookie
from punktfunk.mgmt.logins import Login, Logins
from punktfunk.mgmt.public_url import PublicUrl
from punktfunk.mgmt.sites import check_is_our_page
from punktfunk.model.access import Scope

CSRF_HEADER = "X-CSRF-Token"
BACKGROUND_HEADER = "X-Background"

log = logging.getLogger(__name__)


class Access:
    """Shared by the API and the console.

    Args:
        own_token: Of the administrator, as it is now.
        host: Has the other tokens.
        now_ns: A monotonic clock.
        public: Where a reverse proxy shows this host.

    Attributes:
        cookie: What a login's browser comes with.
    """

    def __init__(
        self,
        own_token: Callable[[], str],
        host: MgmtHost,
        now_ns: Callable[[], int],
        public: PublicUrl | None = None,
    ) -> None:
        self._read_own = own_token
        self._own = own_token()
        self._edition = 0
        self._host = host
        self._wrong_tokens = WrongTokens(now_ns)
        self.now_ns = now_ns
        self.public = public
        self.logins = Logins(self.is_good, now_ns)
        self.links = Links(now_ns)
        self.cookie = LoginCookie(lambda: host.info().unique_id, public)

    def with_token(self, text: str, address: str) -> Caller:
        """Raises HTTPException: 401, or 429 when that comes too often."""
        if not text.isascii():
            raise self._wrong(address, "no token has such characters")
        if hmac.compare_digest(text.encode(), self._own_token().encode()):
            return Caller(OWN_TOKEN_ID, OWN_TOKEN_ID, Scope.ADMIN, self._edition)
        if token := self._host.tokens.match(text):
            return Caller(token.id, token.name, token.scope)
        raise self._wrong(address, "wrong token, or one that was revoked or has expired")

    def with_code(self, code: str, address: str) -> Caller:
        """Use up the code of a link. Raises as `with_token` does."""
        caller = self.links.take(code) if code.isascii() else None
        if caller is None or not self.is_good(caller):
            raise self._wrong(address, "this link was used before or is too old; make another one")
        return caller

    def login_of(self, asked: Request, *, background: bool = False) -> Login | None:
        """Whose browser asks. It lives on with that, but for what pages do by themselves."""
        cookie = self.cookie.read(asked)
        login = self.logins.match(cookie) if cookie else None
        if login is not None and not background and BACKGROUND_HEADER not in asked.headers:
            self.logins.touch(login)
        return login

    def check_change(self, asked: Request, login: Login, csrf: str | None = None) -> None:
        """Before something is changed for a login.

        Args:
            csrf: What a form came with; None looks at the header.

        Raises:
            Forbidden: no page of ours has asked for it.
        """
        check_is_our_page(asked, self.public)
        said = asked.headers.get(CSRF_HEADER, "") if csrf is None else csrf
        if not login.is_csrf(said):
            raise Forbidden(f"the page's {CSRF_HEADER} is missing or of another login")

    def is_good(self, caller: Caller) -> bool:
        """Ask again about a token that was let in: it may be worth nothing by now."""
        self._own_token()
        if caller.token_id == OWN_TOKEN_ID:
            return caller.edition == self._edition
        return self._host.tokens.is_good(caller.token_id)

    def _own_token(self) -> str:
        """A new one logs everybody out."""
        now = self._read_own()
        if now != self._own:
            self._own = now
            self._edition += 1
            self.logins.close_all()
            log.info("there is a new token in mgmt-token; every login has ended")
        return now

    def _wrong(self, address: str, why: str) -> HTTPException:
        if wait_s := self._wrong_tokens.wait_s(address):
            return TooManyRequests("too many wrong tokens", retry_after=wait_s)
        log.warning("a request came with a wrong token", extra={"address": address})
        return unauthorized(why)


def address_of(asked: Request) -> str:
    return str((asked.scope.get("client") or ("",))[0])


def unauthorized(why: str) -> HTTPException:
    return Unauthorized(why, www_authenticate=WWWAuthenticate("bearer"))
