"""Links that log in a browser once: made on this machine, good for two minutes."""

import secrets
from collections.abc import Callable
from hashlib import sha256

from punktfunk.mgmt.callers import Caller

MAX_LINKS = 4
LINK_S = 120


class Links:
    """Bounded: the oldest makes room. Only hashes are kept.

    Args:
        now_ns: A monotonic clock.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._links: dict[str, tuple[Caller, int]] = {}

    def make(self, caller: Caller) -> str:
        """Make a code that stands for the caller."""
        if len(self._links) >= MAX_LINKS:
            del self._links[next(iter(self._links))]
        code = secrets.token_urlsafe(32)
        self._links[_key(code)] = caller, self._now_ns() + LINK_S * 1_000_000_000
        return code

    def take(self, code: str) -> Caller | None:
        """Use a code up. None: there is none such, or it came too late."""
        caller, until_ns = self._links.pop(_key(code), (None, 0))
        return caller if self._now_ns() < until_ns else None


def _key(code: str) -> str:
    return sha256(code.encode()).hexdigest()
