"""Tokens with a scope: made for programs, shown once, kept as hashes, revoked at any time."""

import hmac
import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import attrs

from punktfunk.errors import Refused
from punktfunk.model.access import Scope
from punktfunk.trust.pairing import awake_and_asleep_ns
from punktfunk.trust.records import Members, Records, Unreadable, integer, string

TOKENS_FILE = "tokens.json"
TOKEN_PREFIX = "pft_"  # noqa: S105 - lets people and scanners recognise one
MAX_TOKENS = 64
MAX_NAME_CHARS = 64
MAX_DAYS = 3_650

_DAY_S = 86_400
_DIGEST = re.compile(r"[0-9a-f]{64}")

log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class ScopedToken:
    """What is known of a token; not the token itself.

    Attributes:
        id: Names it in lists, in the audit file and when it is revoked.
        sha256: Of the token's text, in hexadecimal.
        expires_at_unix: None for never.
        expired: It has been seen to be past that, so it stays so whatever the clock says.
    """

    id: str
    name: str
    scope: Scope
    created_at_unix: int
    expires_at_unix: int | None
    expired: bool = False
    sha256: str = attrs.field(repr=False)


class TokenStore:
    """Every scoped token. Used from one thread.

    Args:
        wall_s: The clock of the calendar, Unix seconds.
        now_ns: A monotonic clock that also counts while the machine sleeps: a calendar that
            is set back prolongs nothing.

    Raises:
        StateDamaged: `tokens.json` is unusable, or gone while its backup is there.
        ConfigError: others can read it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        wall_s: Callable[[], float] = time.time,
        now_ns: Callable[[], int] = awake_and_asleep_ns,
    ) -> None:
        self._wall_s = wall_s
        self._now_ns = now_ns
        self._started_s = wall_s()
        self._started_ns = now_ns()
        self._records = Records(
            folder / TOKENS_FILE,
            "tokens",
            read=_from_json,
            write=_to_json,
            key_of=lambda token: token.id,
        )

    def tokens(self) -> tuple[ScopedToken, ...]:
        """In the order they were made, expired ones included."""
        return tuple(map(self._judged, self._records.values()))

    def create(
        self, scope: Scope, name: str = "", expires_days: int | None = None
    ) -> tuple[str, ScopedToken]:
        """Make a token. Its text is in the answer and nowhere else.

        Raises:
            Refused: the name or the days are out of bounds, or there are `MAX_TOKENS`.
            OSError: it could not be written, and does not exist.
        """
        if not name.isprintable() or len(name) > MAX_NAME_CHARS:
            why = f"a token's name is up to {MAX_NAME_CHARS} printable characters"
            raise Refused(why, status=400)
        if expires_days is not None and not 1 <= expires_days <= MAX_DAYS:
            raise Refused(f"a token expires after 1 to {MAX_DAYS} days", status=400)
        if len(self._records) >= MAX_TOKENS:
            raise Refused(f"there are {MAX_TOKENS} tokens: revoke one first", status=409)
        text = TOKEN_PREFIX + secrets.token_urlsafe(32)
        now_unix = self._now_unix()
        token = ScopedToken(
            id=self._new_id(),
            name=name,
            scope=scope,
            created_at_unix=now_unix,
            expires_at_unix=None if expires_days is None else now_unix + expires_days * _DAY_S,
            sha256=_digest(text),
        )
        self._records.put(token)
        log.info("made a token", extra={"id": token.id, "scope": scope.value})
        return text, token

    def revoke(self, token_id: str) -> bool:
        """Shut its holder out, at once. Says whether it was there.

        Raises:
            OSError: the disk refused. The token is worth nothing until the next start.
        """
        return self._records.remove(token_id)

    def match(self, text: str) -> ScopedToken | None:
        """Whose token is this? None for an unknown, revoked or expired one.

        Every hash is looked at, in constant time.
        """
        digest = _digest(text)
        found = None
        for token in self._records.values():
            if hmac.compare_digest(token.sha256, digest):
                found = token
        return found if found and not self._judged(found).expired else None

    def is_good(self, token_id: str) -> bool:
        """Ask again about a token that was let in: it may have been revoked or have expired."""
        token = self._records.get(token_id)
        return token is not None and not self._judged(token).expired

    def _judged(self, token: ScopedToken) -> ScopedToken:
        """Note it when a token has expired, or the clock is before it was made."""
        if token.expired or token.expires_at_unix is None:
            return token
        now_unix = self._now_unix()
        if now_unix < token.created_at_unix:  # the calendar is wrong: who knows how late it is
            return attrs.evolve(token, expired=True)
        if now_unix < token.expires_at_unix:
            return token
        token = attrs.evolve(token, expired=True)
        try:
            self._records.put(token)
        except OSError as error:
            log.warning("could not note that a token has expired: %s", error)
        return token

    def _now_unix(self) -> int:
        slept_s = (self._now_ns() - self._started_ns) / 1_000_000_000
        return int(max(self._wall_s(), self._started_s + slept_s))

    def _new_id(self) -> str:
        while True:
            token_id = secrets.token_hex(4)
            if self._records.get(token_id) is None:
                return token_id


def _digest(text: str) -> str:
    """Fast on purpose: it is a hash of 32 random bytes, not of a password."""
    return sha256(text.encode()).hexdigest()


def _from_json(members: Mapping[str, Any]) -> ScopedToken:
    expires = members.get("expires_at_unix")
    scope, digest = string(members, "scope"), string(members, "sha256")
    if scope not in {it.value for it in Scope} or not _DIGEST.fullmatch(digest):
        raise Unreadable("a token has an unknown scope or a malformed hash")
    return ScopedToken(
        id=string(members, "id"),
        name=string(members, "name"),
        scope=Scope(scope),
        created_at_unix=integer(members, "created_at_unix"),
        expires_at_unix=None if expires is None else integer(members, "expires_at_unix"),
        expired=members.get("expired", False) is not False,
        sha256=digest,
    )


def _to_json(token: ScopedToken) -> Members:
    return {
        "id": token.id,
        "name": token.name,
        "scope": token.scope.value,
        "created_at_unix": token.created_at_unix,
        "expires_at_unix": token.expires_at_unix,
        "expired": token.expired,
        "sha256": token.sha256,
    }
