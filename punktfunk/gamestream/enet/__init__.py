"""The transport of the control stream: our own ENet peer, without sockets.

See docs/protocol/gamestream.md, section 7.
"""

from punktfunk.gamestream.enet.events import (
    Address,
    AddressOffered,
    Connected,
    Disconnected,
    DisconnectReason,
    EnetCounters,
    Event,
    Received,
)
from punktfunk.gamestream.enet.host import MAX_CHANNELS, MAX_PEERS, MTU_BYTES, EnetHost

__all__ = [
    "MAX_CHANNELS",
    "MAX_PEERS",
    "MTU_BYTES",
    "Address",
    "AddressOffered",
    "Connected",
    "DisconnectReason",
    "Disconnected",
    "EnetCounters",
    "EnetHost",
    "Event",
    "Received",
]
