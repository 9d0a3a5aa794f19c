"""Who is logged in to the console. In memory only: a restart logs everybody out."""

import hmac
import secrets
from collections.abc import Callable
from hashlib import sha256

import attrs

from punktfunk.mgmt.callers import Caller
from punktfunk.model.access import Scope

MAX_LOGINS = 64
IDLE_NS = 30 * 60 * 1_000_000_000
LONGEST_NS = 12 * 3_600 * 1_000_000_000
FRESH_NS = 10 * 60 * 1_000_000_000
_SECRET_BYTES = 32


@attrs.define(eq=False, kw_only=True)
class Login:
    """One browser that showed a token.

    Attributes:
        secret: What `csrf` is made of.
        used_ns: When a person last did something with it.
        shown_ns: When its token was last shown.
    """

    caller: Caller
    secret: bytes = attrs.field(repr=False)
    opened_ns: int
    used_ns: int
    shown_ns: int
    key: str = attrs.field(repr=False)

    @property
    def scope(self) -> Scope:
        return self.caller.scope

    @property
    def csrf(self) -> str:
        """What every change must come with. It is written differently each time: the length
        of a page that was packed tells nothing about it.
        """
        pad = secrets.token_bytes(_SECRET_BYTES)
        return (pad + _xor(pad, self.secret)).hex()

    def is_csrf(self, text: str) -> bool:
        """Say whether somebody has read one of our pages."""
        try:
            said = bytes.fromhex(text)
        except ValueError:
            return False
        pad, masked = said[:_SECRET_BYTES], said[_SECRET_BYTES:]
        return len(masked) == _SECRET_BYTES and hmac.compare_digest(_xor(pad, masked), self.secret)

    def fresh(self, now_ns: int) -> bool:
        """Say whether the token was shown only now, so that it is still its holder who asks."""
        return now_ns - self.shown_ns < FRESH_NS


class Logins:
    """Bounded: the one that was not used for longest makes room. Used from one thread.

    Args:
        is_good: Says whether a token is still worth something.
        now_ns: A monotonic clock.
    """

    def __init__(self, is_good: Callable[[Caller], bool], now_ns: Callable[[], int]) -> None:
        self._is_good = is_good
        self._now_ns = now_ns
        self._logins: dict[str, Login] = {}

    def open(self, caller: Caller) -> tuple[str, Login]:
        """Let somebody in; the cookie's value is in the answer and nowhere else."""
        now_ns = self._now_ns()
        cookie = secrets.token_urlsafe(32)
        login = Login(
            caller=caller,
            secret=secrets.token_bytes(_SECRET_BYTES),
            opened_ns=now_ns,
            used_ns=now_ns,
            shown_ns=now_ns,
            key=_key(cookie),
        )
        if len(self._logins) >= MAX_LOGINS:
            del self._logins[next(iter(self._logins))]
        self._logins[login.key] = login
        return cookie, login

    def match(self, cookie: str) -> Login | None:
        """Whose cookie is this? None for one that is unknown, too old or no longer good."""
        login = self._logins.get(_key(cookie))
        return login if login and self.is_open(login) else None

    def is_open(self, login: Login) -> bool:
        """Ask again about one that was matched: it may be over by now."""
        now_ns = self._now_ns()
        if (
            now_ns - login.used_ns >= IDLE_NS
            or now_ns - login.opened_ns >= LONGEST_NS
            or not self._is_good(login.caller)
        ):
            self.close(login)
        return self._logins.get(login.key) is login

    def touch(self, login: Login) -> None:
        """A person uses it: it lives on."""
        if self._logins.pop(login.key, None) is login:
            login.used_ns = self._now_ns()
            self._logins[login.key] = login

    def confirm(self, login: Login) -> None:
        """Its token was shown again."""
        login.shown_ns = self._now_ns()

    def close(self, login: Login) -> None:
        """Log it out. One that is over already is fine."""
        self._logins.pop(login.key, None)

    def close_all(self) -> None:
        self._logins.clear()


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _key(cookie: str) -> str:
    """Only this is kept; and how long looking for it takes tells nothing about the cookie."""
    return sha256(cookie.encode()).hexdigest()
