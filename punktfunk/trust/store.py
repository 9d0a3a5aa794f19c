"""The paired clients, in memory and on disk."""

import hmac
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import attrs

from punktfunk.errors import Refused
from punktfunk.model.clients import Fingerprint, PairedClient, fingerprint_of
from punktfunk.trust.client_json import (
    VERSION,
    Members,
    Unreadable,
    client_from_json,
    client_to_json,
    format_document,
    parse_document,
)
from punktfunk.trust.files import (
    backup_of,
    damaged,
    make_private_folder,
    read_private,
    write_with_backup,
)

CLIENTS_FILE = "clients.json"
MAX_CLIENTS = 64
_MAX_FILE_BYTES = 8 * 1024 * 1024

log = logging.getLogger(__name__)
T = TypeVar("T")


class ClientStore:
    """Every client that may stream. Used from one thread.

    A client is trusted only once it is on disk, and no longer trusted from the moment it is
    removed, even if the disk refuses.

    Raises:
        StateDamaged: `clients.json` is unusable, or gone while its backup is there.
        ConfigError: others can read it.
    """

    def __init__(self, folder: Path) -> None:
        make_private_folder(folder)
        self._path = folder / CLIENTS_FILE
        self._document: Members = {"version": VERSION}
        self._members: dict[Fingerprint, Members] = {}
        self._clients: dict[Fingerprint, PairedClient] = {}
        self._added: list[Callable[[PairedClient], None]] = []
        self._removed: list[Callable[[Fingerprint], None]] = []
        self._load()

    def clients(self) -> tuple[PairedClient, ...]:
        """In the order they were paired."""
        return tuple(self._clients.values())

    def get(self, fingerprint: str) -> PairedClient | None:
        """For showing and naming. To let somebody in, use `match`."""
        return self._clients.get(Fingerprint(fingerprint))

    def match(self, certificate_der: bytes | None) -> PairedClient | None:
        """Whose certificate is this, byte by byte? None for no certificate or an unknown one.

        Names, serial numbers, keys and dates are not looked at (docs/protocol/gamestream.md,
        section 2.2).
        """
        if not certificate_der:
            return None
        client = self._clients.get(fingerprint_of(certificate_der))
        if client and hmac.compare_digest(client.certificate_der, certificate_der):
            return client
        return None

    @property
    def full(self) -> bool:
        return len(self._clients) >= MAX_CLIENTS

    def add(self, client: PairedClient) -> None:
        """Trust a client. Pairing again replaces the entry and keeps what we learned of it.

        Raises:
            Refused: there are `MAX_CLIENTS` others.
            OSError: it could not be written, and is not trusted.
        """
        known = self._clients.get(client.fingerprint)
        if known:
            client = attrs.evolve(
                client, control_v2_used=client.control_v2_used or known.control_v2_used
            )
        elif self.full:
            raise Refused(f"{MAX_CLIENTS} clients are paired: unpair one first", status=503)
        self._put(client)
        for callback in self._added:
            _call(callback, client)

    def remove(self, fingerprint: str) -> bool:
        """Stop trusting a client, at once. Says whether it was there.

        Raises:
            OSError: the disk refused. The client is out until the next start.
        """
        key = Fingerprint(fingerprint)
        if key not in self._clients:
            return False
        del self._clients[key], self._members[key]
        log.info("unpaired", extra={"fingerprint": key})
        try:
            self._write(self._members)
        finally:
            for callback in self._removed:
                _call(callback, key)
        return True

    def remember_control_v2(self, fingerprint: str) -> None:
        """From now on refuse the legacy control encryption of this client."""
        client = self.get(fingerprint)
        if client and not client.control_v2_used:
            self._put(attrs.evolve(client, control_v2_used=True))

    def on_added(self, callback: Callable[[PairedClient], None]) -> None:
        """Call this whenever a client has been paired, also when it was so before."""
        self._added.append(callback)

    def on_removed(self, callback: Callable[[Fingerprint], None]) -> None:
        """Call this whenever a client is no longer trusted: its streams have to end."""
        self._removed.append(callback)

    def _put(self, client: PairedClient) -> None:
        kept = self._members.get(client.fingerprint, {})
        members = {**self._members, client.fingerprint: {**kept, **client_to_json(client)}}
        self._write(members)
        self._members = members
        self._clients[client.fingerprint] = client

    def _write(self, members: dict[Fingerprint, Members]) -> None:
        write_with_backup(self._path, format_document(self._document, list(members.values())))

    def _load(self) -> None:
        try:
            text = read_private(self._path, _MAX_FILE_BYTES)
        except FileNotFoundError:
            if backup_of(self._path).exists():
                raise damaged(self._path, "it is missing") from None
            return
        try:
            self._document, entries = parse_document(text)
            for members in entries:
                client = client_from_json(members)
                self._members[client.fingerprint] = members
                self._clients[client.fingerprint] = client
        except Unreadable as error:
            raise damaged(self._path, str(error)) from error


def _call(callback: Callable[[T], None], argument: T) -> None:
    """One listener's failure keeps nobody else from hearing of it."""
    try:
        callback(argument)
    except Exception:
        log.exception("a listener of the client store failed")
