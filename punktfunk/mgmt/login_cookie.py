"""The cookie of a login: for this host alone, and out of reach of scripts and other sites."""

from collections.abc import Callable
from functools import cached_property
from hashlib import sha256
from typing import TypedDict

from quart import Request
from werkzeug.sansio.response import Response

from punktfunk.mgmt.public_url import PublicUrl
from punktfunk.mgmt.sites import came_by


class _Kind(TypedDict):
    path: str
    secure: bool
    httponly: bool
    samesite: str


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
        answer.set_cookie(self.name, text, **self._kind(asked))

    def take_away(self, answer: Response, asked: Request) -> None:
        answer.delete_cookie(self.name, **self._kind(asked))

    def _kind(self, asked: Request) -> _Kind:
        """It may be for HTTPS alone also when a proxy took the TLS away."""
        public = self._public if self._public and came_by(asked, self._public) else None
        return {
            "path": f"{public.prefix}/" if public else "/",
            "secure": asked.scheme == "https" or (public is not None and public.is_https),
            "httponly": True,
            "samesite": "Strict",
        }
