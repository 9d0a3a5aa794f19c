"""The cookie of a login: for this host alone, and out of reach of scripts and other sites."""

from collections.abc import Callable
from functools import cached_property
from hashlib import sha256

from quart import Request
from werkzeug.sansio.response import Response

from punktfunk.mgmt.public_url import PublicUrl


class LoginCookie:
    """Args:
    unique_id: Of this host. Browsers give a cookie to every port of a name, so that two
        hosts on one machine would take each other's.
    """

    def __init__(self, unique_id: Callable[[], str], public: PublicUrl | None) -> None:
        self._unique_id = unique_id
        self._public = public

    @cached_property
    def name(self) -> str:
        return f"punktfunk_{sha256(self._unique_id().encode()).hexdigest()[:8]}"

    def read(self, asked: Request) -> str | None:
        """Two of that name are none: somebody else has put one there."""
        found = asked.cookies.getlist(self.name)
        return found[0] if len(found) == 1 else None

    def put(self, answer: Response, text: str, asked: Request) -> None:
        """It goes when the browser is closed; the host forgets it sooner."""
        secure = self._is_secure(asked)
        answer.set_cookie(self.name, text, httponly=True, samesite="Strict", secure=secure)

    def take_away(self, answer: Response, asked: Request) -> None:
        secure = self._is_secure(asked)
        answer.delete_cookie(self.name, httponly=True, samesite="Strict", secure=secure)

    def _is_secure(self, asked: Request) -> bool:
        """Also when a proxy took the TLS away; it may have put our own address into `Host`."""
        if asked.scheme == "https":
            return True
        if self._public is None or not self._public.is_https:
            return False
        said = {f"https://{asked.headers['Host']}".lower(), asked.headers.get("Origin", "").lower()}
        return self._public.origin in said
