"""All pairing attempts under way, bounded in number, rate and age."""

import secrets
from collections.abc import Iterator

from punktfunk.errors import ProtocolError, Refused
from punktfunk.gamestream.certificates import CertificateFacts
from punktfunk.gamestream.pairing import (
    AttemptKey,
    HostCredential,
    PairingAttempt,
    PairingRequest,
    Phase,
    RandomBytes,
    check_pin,
)
from punktfunk.gamestream.pairing_limits import PairingLimits

MAX_WAITING = 4
MAX_ATTEMPTS = 8
WAIT_NS = 180_000_000_000
"""How long an attempt waits for its PIN."""
FINISH_NS = 30_000_000_000
"""How long the client may take for the other stages once the PIN is there."""


class NoAttemptWaiting(Refused):
    """No pairing, or not the one that was named, waits for a PIN."""

    code = "no_pairing_waiting"


class SeveralWaiting(Refused):
    """A PIN came without saying for which of the waiting pairings it is."""

    code = "pairing_ambiguous"


class TooOften(Refused):
    """Too many pairings failed lately.

    Attributes:
        wait_s: Until the next one is taken.
    """

    code = "pairing_too_often"

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many pairing attempts, wait {wait_s} s", status=503)
        self.wait_s = wait_s


class PairingTable:
    """Attempts by (uniqueid, remote address).

    Times are monotonic nanoseconds, from a clock that also counts while the machine sleeps.
    """

    def __init__(
        self, host: HostCredential, *, random_bytes: RandomBytes = secrets.token_bytes
    ) -> None:
        self._host = host
        self._random_bytes = random_bytes
        self._limits = PairingLimits()
        self._attempts: dict[AttemptKey, PairingAttempt] = {}
        self._last_id = 0

    def begin(self, key: AttemptKey, request: PairingRequest, now_ns: int) -> PairingAttempt:
        """Stage 1. An older attempt under the same key is replaced.

        Raises:
            Refused: too often, too many, or another client of this address is at it. The
                field `status` is the XML status to answer.
        """
        self.expire(now_ns)
        self.drop(key)
        if any(other.address == key.address for other in self._attempts):
            raise Refused("another pairing from this address is under way", status=503)
        if len(self.waiting(now_ns)) >= MAX_WAITING or len(self._attempts) >= MAX_ATTEMPTS:
            raise Refused("too many pairings are under way", status=503)
        if wait_ns := self._limits.take(key.address, now_ns):
            wait_s = -(-wait_ns // 1_000_000_000)
            raise TooOften(wait_s)
        self._last_id += 1
        attempt = PairingAttempt(
            self._last_id,
            key,
            request,
            self._host,
            created_ns=now_ns,
            expires_ns=now_ns + WAIT_NS,
            random_bytes=self._random_bytes,
        )
        self._attempts[key] = attempt
        return attempt

    def waiting(self, now_ns: int) -> tuple[PairingAttempt, ...]:
        """Attempts that need a PIN, oldest first."""
        self.expire(now_ns)
        return tuple(a for a in self._attempts.values() if a.phase is Phase.PIN)

    def enter_pin(self, pin: str, attempt_id: int | None, now_ns: int) -> PairingAttempt:
        """Give a PIN to the attempt with that id; without id to the only one there is.

        Raises:
            ProtocolError: not 1 to 16 digits; nothing has changed.
            NoAttemptWaiting: nothing waits, or the named attempt does not.
            SeveralWaiting: no id, and more than one attempt waits.
        """
        check_pin(pin)
        waiting = self.waiting(now_ns)
        if attempt_id is None and len(waiting) > 1:
            raise SeveralWaiting("several devices wait for a PIN, say which one", status=409)
        for attempt in waiting:
            if attempt_id in (None, attempt.id):
                attempt.enter_pin(pin)
                attempt.expires_ns = now_ns + FINISH_NS
                return attempt
        which = "device" if attempt_id is None else "such pairing"
        raise NoAttemptWaiting(f"no {which} waits for a PIN", status=409)

    def answer_challenge(self, key: AttemptKey, encrypted: bytes, now_ns: int) -> bytes:
        """Stage 2. Raises ProtocolError: unknown, out of order or malformed; it is over."""
        return self._find(key, now_ns).answer_challenge(encrypted)

    def answer_response(self, key: AttemptKey, encrypted: bytes, now_ns: int) -> bytes:
        """Stage 3. Raises ProtocolError as stage 2 does."""
        return self._find(key, now_ns).answer_response(encrypted)

    def judge_secret(
        self, key: AttemptKey, secret_and_signature: bytes, now_ns: int
    ) -> tuple[PairingAttempt, CertificateFacts | None]:
        """Stage 4. The certificate is what may now be trusted; None if the PIN was wrong."""
        attempt = self._find(key, now_ns)
        certificate = attempt.judge_secret(secret_and_signature)
        if certificate is not None:
            self._limits.give_back(key.address)
        return attempt, certificate

    def drop(self, key: AttemptKey) -> None:
        """End whatever is under way under this key."""
        if attempt := self._attempts.pop(key, None):
            attempt.end()

    def drop_attempt(self, attempt: PairingAttempt) -> None:
        """End this very attempt, and not one that has replaced it."""
        attempt.end()
        self._sweep()

    def expire(self, now_ns: int) -> None:
        """End what has run out of time and forget what has ended."""
        for attempt in self._attempts.values():
            if now_ns >= attempt.expires_ns:
                attempt.end()
        self._sweep()

    def __len__(self) -> int:
        return len(self._attempts)

    def __iter__(self) -> Iterator[PairingAttempt]:
        return iter(self._attempts.values())

    def _find(self, key: AttemptKey, now_ns: int) -> PairingAttempt:
        self.expire(now_ns)
        attempt = self._attempts.get(key)
        if attempt is None:
            raise ProtocolError("no pairing is under way")
        return attempt

    def _sweep(self) -> None:
        self._attempts = {key: a for key, a in self._attempts.items() if not a.ended}
