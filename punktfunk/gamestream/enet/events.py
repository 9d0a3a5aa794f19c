"""What an ENet host tells its caller."""

from collections.abc import Hashable
from enum import Enum

import attrs

Address = Hashable


class DisconnectReason(Enum):
    BY_PEER = "the client said goodbye"
    SILENT = "nothing came from the client"
    UNACKNOWLEDGED = "the client did not acknowledge"


@attrs.frozen(kw_only=True)
class Connected:
    """A client shook hands. `peer` names it; the number is never used again."""

    peer: int
    connect_data: int
    address: Address


@attrs.frozen(kw_only=True)
class Received:
    peer: int
    channel: int
    data: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class AddressOffered:
    """A datagram for a peer came from an address that is not the peer's.

    Nothing was done with it and nobody was answered: anyone can send one. If one of
    `payloads` proves that the client wrote it, call `EnetHost.adopt_address` and hand the
    same datagram in again.
    """

    peer: int
    address: Address
    payloads: tuple[bytes, ...] = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Disconnected:
    """The peer is gone and its number forgotten. `data` is what its goodbye carried."""

    peer: int
    reason: DisconnectReason
    data: int = 0


Event = Connected | Received | AddressOffered | Disconnected


@attrs.define
class EnetCounters:
    """What was dropped, and why. Only ever growing."""

    malformed: int = 0
    strays: int = 0
    refused_connects: int = 0
    full: int = 0
    fragments: int = 0
    no_room: int = 0
