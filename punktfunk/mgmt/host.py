"""What the management API needs of the rest of the host."""

from collections.abc import Sequence
from typing import Protocol

from punktfunk.mgmt.values import HostInfo, SessionView
from punktfunk.model.clients import Fingerprint, PairedClient
from punktfunk.model.offers import Choice
from punktfunk.trust.pairing import PendingPairing


class MgmtHost(Protocol):
    """Answers for the routes; all are called on the host's event loop.

    Whatever is raised on purpose becomes an answer: `ProtocolError` is 400, `Refused` has
    its own status (409 when not given), `DriverUnavailable` and `OSError` are 503.
    """

    def info(self) -> HostInfo:
        """Who this host is and what it can do."""

    def sessions(self) -> Sequence[SessionView]:
        """Every session that is not ending, oldest first."""

    def clients(self) -> Sequence[PairedClient]:
        """The paired ones, in the order they were paired."""

    async def unpair(self, fingerprint: Fingerprint) -> bool:
        """Shut a client out and end what it has running. False: it is not paired.

        Raises:
            OSError: it is shut out, but the store could not be written.
        """

    def pending_pairings(self) -> Sequence[PendingPairing]:
        """The devices that wait for a PIN, oldest first."""

    def submit_pin(self, pin: str, attempt_id: int | None) -> None:
        """See `punktfunk.trust.pairing.PairingService.submit_pin`."""

    async def stop_sessions(self, session_id: int | None) -> None:
        """End one session or, with None, all. Returns when they are gone."""

    def request_keyframes(self) -> bool:
        """Ask every stream's encoder for an IDR frame. False: nothing streams."""

    def compositors(self) -> Choice:
        """Which compositor an app without a wish gets, and why not the others."""
