"""The paired clients, in memory and on disk: those of GameStream and the native ones."""

import hmac
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import attrs

from punktfunk.errors import ProtocolError, Refused
from punktfunk.model.clients import (
    Fingerprint,
    NativeClient,
    PairedClient,
    fingerprint_of,
    readable_name,
)
from punktfunk.trust.client_json import (
    client_from_json,
    client_to_json,
    native_client_from_json,
    native_client_to_json,
)
from punktfunk.trust.last_seen import LastSeen
from punktfunk.trust.records import Records

CLIENTS_FILE = "clients.json"
NATIVE_CLIENTS_FILE = "native-clients.json"
MAX_CLIENTS = 64

log = logging.getLogger(__name__)
T = TypeVar("T")
C = TypeVar("C", bound=PairedClient | NativeClient)


class Store(Generic[C]):
    """Every client of one protocol that may stream. Used from one thread.

    A client is trusted only once it is on disk, and no longer trusted from the moment it is
    removed, even if the disk refuses.
    """

    def __init__(self, records: Records[C]) -> None:
        self._records = records
        self._added: list[Callable[[C], None]] = []
        self._removed: list[Callable[[Fingerprint], None]] = []
        self._changed: list[Callable[[C], None]] = []

    def clients(self) -> tuple[C, ...]:
        """In the order they were paired."""
        return self._records.values()

    def get(self, fingerprint: str) -> C | None:
        """For showing and naming; who is let in is for each protocol to say."""
        return self._records.get(fingerprint)

    @property
    def full(self) -> bool:
        return len(self._records) >= MAX_CLIENTS

    def add(self, client: C) -> None:
        """Trust a client. Pairing again replaces the entry, but for a name a person gave it.

        Raises:
            Refused: there are `MAX_CLIENTS` others.
            OSError: it could not be written, and is not trusted.
        """
        if self.full and self.get(client.fingerprint) is None:
            raise Refused(f"{MAX_CLIENTS} clients are paired: unpair one first", status=503)
        known = self.get(client.fingerprint)
        if known and known.renamed:
            client = attrs.evolve(client, name=known.name, renamed=True)
        self._records.put(client)
        for callback in self._added:
            _call(callback, client)

    def rename(self, fingerprint: str, name: str) -> C | None:
        """Call a client what a person calls it. None: it is not paired.

        Raises:
            ProtocolError: the name is empty.
            OSError: it could not be written; nothing has changed.
        """
        client = self.get(fingerprint)
        if client is None:
            return None
        if not name.strip():
            raise ProtocolError("a name must not be empty")
        shown = readable_name(name, client.fingerprint)
        client = attrs.evolve(client, name=shown, renamed=True)
        self._records.put(client)
        for callback in self._changed:
            _call(callback, client)
        return client

    def remove(self, fingerprint: str) -> bool:
        """Stop trusting a client, at once. Says whether it was there.

        Raises:
            OSError: the disk refused. The client is out until the next start.
        """
        key = Fingerprint(fingerprint)
        if self.get(key) is None:
            return False
        log.info("unpaired", extra={"fingerprint": key})
        try:
            return self._records.remove(key)
        finally:
            for callback in self._removed:
                _call(callback, key)

    def on_added(self, callback: Callable[[C], None]) -> None:
        """Call this whenever a client has been paired, also when it was so before."""
        self._added.append(callback)

    def on_changed(self, callback: Callable[[C], None]) -> None:
        """Call this whenever a person has renamed a client."""
        self._changed.append(callback)

    def on_removed(self, callback: Callable[[Fingerprint], None]) -> None:
        """Call this whenever a client is no longer trusted: its streams have to end."""
        self._removed.append(callback)


class ClientStore(Store[PairedClient]):
    """The clients of GameStream.

    Attributes:
        last_seen: When each was here; asking with its certificate counts.

    Raises:
        StateDamaged: `clients.json` is unusable, or gone while its backup is there.
        ConfigError: others can read it.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(
            Records(
                folder / CLIENTS_FILE,
                "clients",
                read=client_from_json,
                write=client_to_json,
                key_of=lambda client: client.fingerprint,
            )
        )
        self.last_seen = LastSeen(folder)
        self.on_removed(self.last_seen.forget)

    def clients(self) -> tuple[PairedClient, ...]:
        """In the order they were paired, and when each was here last."""
        return tuple(
            attrs.evolve(it, last_seen_unix=self.last_seen.of(it.fingerprint))
            for it in super().clients()
        )

    def match(self, certificate_der: bytes | None) -> PairedClient | None:
        """Whose certificate is this, byte by byte? None for no certificate or an unknown one.

        Names, serial numbers, keys and dates are not looked at (docs/protocol/gamestream.md,
        section 2.2).
        """
        if not certificate_der:
            return None
        client = self.get(fingerprint_of(certificate_der))
        if client and hmac.compare_digest(client.certificate_der, certificate_der):
            self.last_seen.note(client.fingerprint)
            return client
        return None

    def add(self, client: PairedClient) -> None:
        """Trust a client, and keep what we learned of it before; see `Store.add`."""
        known = self.get(client.fingerprint)
        if known and known.control_v2_used:
            client = attrs.evolve(client, control_v2_used=True)
        super().add(client)

    def remember_control_v2(self, fingerprint: str) -> None:
        """From now on refuse the legacy control encryption of this client."""
        client = self.get(fingerprint)
        if client and not client.control_v2_used:
            self._records.put(attrs.evolve(client, control_v2_used=True))


class NativeClientStore(Store[NativeClient]):
    """The clients of punktfunk/1. Raises what `ClientStore` does."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            Records(
                folder / NATIVE_CLIENTS_FILE,
                "clients",
                read=native_client_from_json,
                write=native_client_to_json,
                key_of=lambda client: client.fingerprint,
            )
        )


def _call(callback: Callable[[T], None], argument: T) -> None:
    """One listener's failure keeps nobody else from hearing of it."""
    try:
        callback(argument)
    except Exception:
        log.exception("a listener of the client store failed")
