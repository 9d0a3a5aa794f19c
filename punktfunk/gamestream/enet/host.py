"""An ENet host: who may connect, whose datagram it is, what goes out when.

Opens no socket and reads no clock. After each `receive`, `poll`, `send` or `disconnect`,
send what `datagrams_to_send` returns, and come back at `next_deadline_ns`.
"""

from collections import deque
from collections.abc import Callable

import attrs

from punktfunk.gamestream.enet.events import (
    Address,
    AddressOffered,
    Disconnected,
    EnetCounters,
    Event,
)
from punktfunk.gamestream.enet.peer import Peer
from punktfunk.gamestream.enet.wire import (
    CONNECTION_CHANNEL,
    NO_SESSION,
    UNKNOWN_PEER,
    Connect,
    Datagram,
    Number,
    parse_datagram,
)

MAX_PEERS = 4
MAX_CHANNELS = 48
MTU_BYTES = 900

_SMALLEST_MTU_BYTES = 576
_SMALLEST_WINDOW_BYTES = 4_096
_LARGEST_WINDOW_BYTES = 65_536
_MAX_LAST_WORDS = 64
_PAYLOAD_COMMANDS = (Number.SEND_RELIABLE, Number.SEND_UNRELIABLE, Number.SEND_UNSEQUENCED)


@attrs.define
class _Slot:
    """A peer number on the wire. Session ids outlive the peer, so that late ones differ."""

    peer: Peer | None = None
    our_session: int = NO_SESSION
    their_session: int = NO_SESSION


class EnetHost:
    """Serves a few peers on one port. Addresses are opaque: whatever the socket gives.

    Args:
        accept: Asked with the connect data and the address before anything is kept or
            answered. Who is not accepted hears nothing.
        max_peers: How many at a time, handshakes included.
    """

    def __init__(
        self, accept: Callable[[int, Address], bool], *, max_peers: int = MAX_PEERS
    ) -> None:
        self.counters = EnetCounters()
        self._accept = accept
        self._slots = [_Slot() for _ in range(max_peers)]
        self._next_number = 1
        self._last_words: deque[tuple[bytes, Address]] = deque(maxlen=_MAX_LAST_WORDS)

    def receive(self, datagram: bytes, address: Address, now_ns: int) -> list[Event]:
        """Take one datagram. Whatever it holds, this does not raise."""
        parsed = parse_datagram(datagram)
        if parsed is None:
            self.counters.malformed += 1
            return []
        self.counters.malformed += parsed.malformed
        if parsed.peer_id == UNKNOWN_PEER:
            self._connect(parsed, len(datagram), address, now_ns)
            return []
        peer = self._slots[parsed.peer_id].peer if parsed.peer_id < len(self._slots) else None
        if peer is None or parsed.session != peer.expected_session:
            self.counters.strays += 1
            return []
        if address != peer.address:
            return self._offer_address(peer, parsed, address)
        peer.credit(len(datagram))
        events = peer.handle(parsed, now_ns, self.counters)
        if events and isinstance(events[-1], Disconnected):
            self._last_words += [(data, address) for data in peer.last_acks(now_ns)]
            self._forget(peer)
        return events

    def send(self, peer: int, channel: int, data: bytes, now_ns: int) -> bool:
        """Send reliably. False: the peer is gone, or leaves too much unacknowledged.

        Raises:
            ValueError: no such channel, or longer than one datagram holds.
        """
        found = self._find(peer)
        if found is None:
            return False
        if not 0 <= channel < found.channel_count or len(data) > found.max_message_bytes:
            raise ValueError("no such channel, or the message is too long")
        return found.send(channel, data, now_ns)

    def disconnect(self, peer: int, data: int = 0) -> None:
        """Say goodbye and forget the peer; no event follows.

        A client reports a bare goodbye as an error: send a termination message first and
        wait until `unacknowledged` is 0, or 200 ms (section 7.5).
        """
        found = self._find(peer)
        if found is not None:
            self._last_words.append((found.goodbye(data), found.address))
            self._forget(found)

    def adopt_address(self, peer: int, address: Address) -> None:
        """Believe that the peer moved. Only after a payload from there was authenticated."""
        found = self._find(peer)
        if found is not None:
            found.address = address

    def unacknowledged(self, peer: int) -> int:
        """Return how many of our messages the peer has not confirmed; 0 if it is gone."""
        found = self._find(peer)
        return found.unacknowledged if found else 0

    def round_trip_ms(self, peer: int) -> float | None:
        found = self._find(peer)
        return found.round_trip_ms if found else None

    @property
    def held_bytes(self) -> int:
        """Out-of-order data kept for all peers."""
        return sum(peer.held_bytes for peer in self._peers())

    def poll(self, now_ns: int) -> list[Event]:
        """Ping who was silent, drop who was silent too long."""
        events: list[Event] = []
        for peer in self._peers():
            reason = peer.poll(now_ns)
            if reason is None:
                continue
            self._forget(peer)
            if peer.connected:
                events.append(Disconnected(peer=peer.number, reason=reason))
        return events

    def next_deadline_ns(self) -> int | None:
        """Return when to call `poll` and `datagrams_to_send` again; None: when data comes."""
        return min((peer.next_deadline_ns() for peer in self._peers()), default=None)

    def datagrams_to_send(self, now_ns: int) -> list[tuple[bytes, Address]]:
        """Return what is due. It counts as sent: lost datagrams are repeated later."""
        datagrams = list(self._last_words)
        self._last_words.clear()
        for peer in self._peers():
            datagrams += [(data, peer.address) for data in peer.take_datagrams(now_ns)]
        return datagrams

    def _peers(self) -> list[Peer]:
        return [slot.peer for slot in self._slots if slot.peer is not None]

    def _find(self, number: int) -> Peer | None:
        return next((peer for peer in self._peers() if peer.number == number), None)

    def _forget(self, peer: Peer) -> None:
        for slot in self._slots:
            if slot.peer is peer:
                slot.peer = None

    def _connect(self, datagram: Datagram, size: int, address: Address, now_ns: int) -> None:
        first = datagram.commands[0] if datagram.commands else None
        if first is None or first.number is not Number.CONNECT or not first.wants_ack:
            self.counters.strays += 1
            return
        asked = Connect.from_fields(first.fields)
        for peer in self._peers():
            if peer.address == address and peer.connect_id == asked.connect_id:
                peer.credit(size)  # our answer was lost: this pays for another one
                return
        sane = first.channel == CONNECTION_CHANNEL and asked.peer_id < UNKNOWN_PEER
        if not sane or asked.channels == 0:
            self.counters.malformed += 1
            return
        if not self._accept(asked.data, address):
            self.counters.refused_connects += 1
            return
        index = next((i for i, slot in enumerate(self._slots) if slot.peer is None), None)
        if index is None:
            self.counters.full += 1
            return
        slot = self._slots[index]
        slot.our_session = _new_session(asked.incoming_session, slot.our_session)
        slot.their_session = _new_session(asked.outgoing_session, slot.their_session)
        answer = attrs.evolve(
            asked,
            peer_id=index,
            incoming_session=slot.our_session,
            outgoing_session=slot.their_session,
            mtu_bytes=min(max(asked.mtu_bytes, _SMALLEST_MTU_BYTES), MTU_BYTES),
            window_bytes=min(
                max(asked.window_bytes, _SMALLEST_WINDOW_BYTES), _LARGEST_WINDOW_BYTES
            ),
            channels=min(asked.channels, MAX_CHANNELS),
            incoming_bandwidth=0,
            outgoing_bandwidth=0,
        )
        slot.peer = Peer(self._next_number, address, asked, answer, now_ns)
        slot.peer.credit(size)
        self._next_number += 1

    def _offer_address(self, peer: Peer, datagram: Datagram, address: Address) -> list[Event]:
        payloads = tuple(
            command.data for command in datagram.commands if command.number in _PAYLOAD_COMMANDS
        )
        if not peer.connected or not payloads:
            self.counters.strays += 1
            return []
        return [AddressOffered(peer=peer.number, address=address, payloads=payloads)]


def _new_session(asked: int, previous: int) -> int:
    """Pick a session id, as section 7.2 says: never the one this slot had before."""
    start = previous if asked == NO_SESSION else asked
    session = (start + 1) & 0b11
    return (session + 1) & 0b11 if session == previous else session
