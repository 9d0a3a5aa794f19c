"""Pairing as a service: clients wait in it, people give it PINs, the store gets the result."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable

import attrs

from punktfunk.errors import Refused
from punktfunk.gamestream.certificates import CertificateFacts
from punktfunk.gamestream.pairing import (
    AttemptKey,
    PairingAttempt,
    PairingRequest,
    Phase,
    RandomBytes,
)
from punktfunk.gamestream.pairing_table import PairingTable, TooOften
from punktfunk.model.clients import PairedClient
from punktfunk.trust.held_off import HeldOff, HeldOffTable
from punktfunk.trust.identity import HostIdentity
from punktfunk.trust.store import ClientStore

log = logging.getLogger(__name__)


def awake_and_asleep_ns() -> int:
    """Monotonic, and counts while the machine sleeps: a suspend prolongs no pairing."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


@attrs.frozen(kw_only=True)
class PendingPairing:
    """A device that waits for its PIN: show who and from where before asking for it.

    Attributes:
        age_s: How long it has waited.
    """

    id: int
    address: str
    client_name: str
    seconds_left: int
    age_s: int = 0


class PairingService:
    """One per host, shared by nvhttp and the management API, on one event loop.

    Attributes:
        on_waiting: Told of a device that waits for its PIN.
        on_failed: Told of one that was not paired, and why: `wrong_pin` or `given_up`.
        on_held_off: Told of one that has to wait before it may try again.
    """

    def __init__(
        self,
        identity: HostIdentity,
        store: ClientStore,
        *,
        now_ns: Callable[[], int] = awake_and_asleep_ns,
        random_bytes: RandomBytes = secrets.token_bytes,
    ) -> None:
        self._certificate_pem = identity.certificate_pem
        self._store = store
        self._now_ns = now_ns
        self._table = PairingTable(identity.credential, random_bytes=random_bytes)
        self._changed: dict[int, asyncio.Event] = {}
        self.on_waiting: Callable[[PairingAttempt], None] = lambda attempt: None
        self.on_failed: Callable[[PairingAttempt, str], None] = lambda attempt, reason: None
        self.on_held_off: Callable[[HeldOff], None] = lambda device: None
        self._held_off = HeldOffTable(now_ns)

    def pending(self) -> tuple[PendingPairing, ...]:
        """Who waits for a PIN, oldest first."""
        now_ns = self._now_ns()
        return tuple(
            PendingPairing(
                id=attempt.id,
                address=attempt.key.address,
                client_name=attempt.client_name,
                seconds_left=-(-(attempt.expires_ns - now_ns) // 1_000_000_000),
                age_s=(now_ns - attempt.created_ns) // 1_000_000_000,
            )
            for attempt in self._table.waiting(now_ns)
        )

    def held_off(self) -> tuple[HeldOff, ...]:
        """Who may not try again yet; whoever came first comes first."""
        return self._held_off.devices()

    def submit_pin(self, pin: str, attempt_id: int | None = None) -> None:
        """Give the PIN that a device shows to that device's pairing.

        Raises:
            ProtocolError: not 1 to 16 digits.
            NoAttemptWaiting: nothing waits, or not the one named.
            SeveralWaiting: several wait and none was named.
        """
        self._table.enter_pin(pin, attempt_id, self._now_ns())
        self._wake()

    async def begin(self, key: AttemptKey, request: PairingRequest) -> bytes:
        """Stage 1: wait for the PIN and return the host's certificate as PEM text.

        Cancelling ends the attempt (the client hung up).

        Raises:
            Refused: not now, or nobody entered a PIN in time. `status` is in its fields.
        """
        if self._store.full and self._store.get(request.certificate.fingerprint) is None:
            raise Refused("this host has no room for another client", status=503)
        self.drop(key)
        try:
            attempt = self._table.begin(key, request, self._now_ns())
        except TooOften as error:
            device = self._held_off.note(key.address, request.client_name, error.wait_s)
            if device is not None:
                self.on_held_off(device)
            raise
        log.info("a device waits for its PIN", extra=_who(attempt))
        self.on_waiting(attempt)
        changed = self._changed[attempt.id] = asyncio.Event()
        try:
            await self._pin_or_end(attempt, changed)
        except asyncio.CancelledError:
            self._table.drop_attempt(attempt)
            self.on_failed(attempt, "given_up")
            raise
        finally:
            del self._changed[attempt.id]
        if attempt.phase is Phase.FAILED:
            self.on_failed(attempt, "given_up")
            raise Refused("no PIN was entered for this pairing", status=400)
        return self._certificate_pem

    def answer_challenge(self, key: AttemptKey, encrypted: bytes) -> bytes:
        """Stage 2. Raises ProtocolError: unknown, out of order or malformed; it is over."""
        try:
            return self._table.answer_challenge(key, encrypted, self._now_ns())
        finally:
            self._wake()

    def answer_response(self, key: AttemptKey, encrypted: bytes) -> bytes:
        """Stage 3. Raises ProtocolError as stage 2 does."""
        try:
            return self._table.answer_response(key, encrypted, self._now_ns())
        finally:
            self._wake()

    def finish(self, key: AttemptKey, secret_and_signature: bytes) -> PairedClient | None:
        """Stage 4: trust the client if it proved PIN and key. None if it did not.

        Raises:
            ProtocolError: as stage 2 does.
            Refused: the store is full.
            OSError: it could not be written, so it is not trusted.
        """
        try:
            attempt, certificate = self._table.judge_secret(
                key, secret_and_signature, self._now_ns()
            )
        finally:
            self._wake()
        if certificate is None:
            log.info("pairing failed: wrong PIN", extra=_who(attempt))
            self.on_failed(attempt, "wrong_pin")
            return None
        client = _paired(attempt.client_name, certificate)
        self._store.add(client)
        log.info("paired", extra={**_who(attempt), "fingerprint": client.fingerprint})
        return client

    def drop(self, key: AttemptKey) -> None:
        """End whatever is under way under this key. Never touches a paired client.

        Most clients find out about a wrong PIN before the host does, and only say goodbye.
        """
        attempt = next((it for it in self._table if it.key == key), None)
        phase = attempt.phase if attempt else None
        self._table.drop(key)
        self._wake()
        if attempt and phase in (Phase.CHALLENGE, Phase.RESPONSE, Phase.SECRET):
            self.on_failed(attempt, "wrong_pin" if phase is Phase.SECRET else "given_up")

    async def _pin_or_end(self, attempt: PairingAttempt, changed: asyncio.Event) -> None:
        left_s = (attempt.expires_ns - self._now_ns()) / 1_000_000_000
        try:
            async with asyncio.timeout(left_s):
                while attempt.phase is Phase.PIN:
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            self._table.drop_attempt(attempt)

    def _wake(self) -> None:
        for changed in self._changed.values():
            changed.set()


def _who(attempt: PairingAttempt) -> dict[str, object]:
    return {
        "pairing": attempt.id,
        "client": attempt.client_name,
        "address": attempt.key.address,
    }


def _paired(name: str, certificate: CertificateFacts) -> PairedClient:
    return PairedClient(
        fingerprint=certificate.fingerprint,
        name=name,
        certificate_der=certificate.der,
        paired_at_unix=int(time.time()),
        subject=certificate.subject,
        not_before_unix=certificate.not_before_unix,
        not_after_unix=certificate.not_after_unix,
    )
