"""One ENet peer: what its commands mean, and what it is owed.

See docs/protocol/gamestream.md, sections 7.2 to 7.5.
"""

from punktfunk.gamestream.enet.channel import Arrival, HoldingBudget, IncomingChannel
from punktfunk.gamestream.enet.events import (
    Address,
    Connected,
    Disconnected,
    DisconnectReason,
    EnetCounters,
    Event,
    Received,
)
from punktfunk.gamestream.enet.sending import MS, ReliableSender, clock_ms
from punktfunk.gamestream.enet.wire import (
    CONNECTION_CHANNEL,
    MAX_COMMANDS_PER_DATAGRAM,
    Command,
    Connect,
    Datagram,
    Number,
    command_bytes,
    header_bytes,
)
from punktfunk.gamestream.window import SeenWindow

HANDSHAKE_NS = 5_000 * MS
SILENCE_NS = 10_000 * MS
PING_AFTER_NS = 500 * MS
MAX_HELD_BYTES = 256 * 1_024
MAX_PENDING_ACKS = 1_024
# A larger message would have to be cut into fragments.
FRAGMENT_OVERHEAD_BYTES = 28

_HEADER_BYTES = 4
_VERIFY_DATAGRAM_BYTES = 48
_UNSEQUENCED_WINDOW = 1_024


class Peer:
    """Lives from an accepted CONNECT to the goodbye. Owned by `EnetHost`."""

    def __init__(
        self, number: int, address: Address, asked: Connect, answer: Connect, now_ns: int
    ) -> None:
        self.number = number
        self.address = address
        self.connected = False
        self.connect_id = asked.connect_id
        # What the client will write into its headers, and what we write into ours.
        self.expected_session = answer.outgoing_session
        self._session = answer.incoming_session
        self._remote_id = asked.peer_id
        self._connect_data = asked.data
        self._channel_count = answer.channels
        self._mtu_bytes = answer.mtu_bytes
        self._created_ns = self._last_received_ns = now_ns
        self._sender = ReliableSender(answer.window_bytes)
        self._budget = HoldingBudget(MAX_HELD_BYTES)
        self._channels: dict[int, IncomingChannel] = {}
        self._groups = SeenWindow(width=_UNSEQUENCED_WINDOW, bits=16)
        self._acks: list[bytes] = []
        self._acks_due_ns = now_ns
        self._credit_bytes = 0
        fields = answer.to_fields(Number.VERIFY_CONNECT)
        self._sender.add(Command(Number.VERIFY_CONNECT, CONNECTION_CHANNEL, 0, fields), now_ns)

    @property
    def held_bytes(self) -> int:
        """Out-of-order data kept for this peer, overhead included."""
        return self._budget.held_bytes

    @property
    def unacknowledged(self) -> int:
        return self._sender.outstanding

    @property
    def round_trip_ms(self) -> float:
        return self._sender.round_trip.smoothed_ms

    @property
    def max_message_bytes(self) -> int:
        return self._mtu_bytes - FRAGMENT_OVERHEAD_BYTES

    @property
    def channel_count(self) -> int:
        return self._channel_count

    def credit(self, received_bytes: int) -> None:
        """Allow as many bytes back, while we do not know that the address is true."""
        self._credit_bytes += received_bytes

    def handle(self, datagram: Datagram, now_ns: int, counters: EnetCounters) -> list[Event]:
        """Take a datagram from the peer's own address."""
        events: list[Event] = []
        for command in datagram.commands:
            if not self.connected and not self._confirms(command, now_ns, events):
                continue  # not acknowledged either: it will come again
            if not self._handle_command(command, datagram.sent_time_ms, now_ns, counters, events):
                counters.malformed += 1
                break
            if events and isinstance(events[-1], Disconnected):
                break
        if self.connected:
            self._last_received_ns = now_ns
        return events

    def send(self, channel: int, data: bytes, now_ns: int) -> bool:
        command = Command(Number.SEND_RELIABLE, channel, 0, (len(data),), data)
        return self.connected and self._sender.add(command, now_ns)

    def poll(self, now_ns: int) -> DisconnectReason | None:
        """Ping if it is time; say why the peer is lost, if it is."""
        silent_ns = SILENCE_NS if self.connected else HANDSHAKE_NS
        if now_ns >= self._last_received_ns + silent_ns:
            return DisconnectReason.SILENT
        if self._sender.has_given_up(now_ns):
            return DisconnectReason.UNACKNOWLEDGED
        if self._ping_due_ns() is not None and now_ns >= self._last_received_ns + PING_AFTER_NS:
            self._sender.add(Command(Number.PING, CONNECTION_CHANNEL, 0), now_ns)
        return None

    def next_deadline_ns(self) -> int:
        silent_ns = SILENCE_NS if self.connected else HANDSHAKE_NS
        deadlines = [
            self._last_received_ns + silent_ns,
            self._sender.next_give_up_ns(),
            self._ping_due_ns(),
            self._acks_due_ns if self._acks else None,
            self._sender.next_due_ns() if self._may_send() else None,
        ]
        return min(deadline for deadline in deadlines if deadline is not None)

    def take_datagrams(self, now_ns: int) -> list[bytes]:
        due = self._sender.take_due(now_ns) if self._may_send() else []
        datagrams = self._pack(self._acks, due, now_ns)
        self._acks = []
        if not self.connected:
            self._credit_bytes -= sum(map(len, datagrams))
        return datagrams

    def goodbye(self, data: int) -> bytes:
        """Return the datagram that ends the connection from our side."""
        command = Command(Number.DISCONNECT, CONNECTION_CHANNEL, 0, (data,), unsequenced=True)
        return header_bytes(self._remote_id, self._session, None) + command_bytes(command)

    def last_acks(self, now_ns: int) -> list[bytes]:
        """Return the acknowledgements still owed to a peer that said goodbye."""
        return self._pack(self._acks, [], now_ns)

    def _confirms(self, command: Command, now_ns: int, events: list[Event]) -> bool:
        """Say if this acknowledges VERIFY_CONNECT: the address is true, the peer is there."""
        if command.number is not Number.ACKNOWLEDGE:
            return False
        sequence, echoed_ms = command.fields
        if not self._sender.acknowledge(command.channel, sequence, echoed_ms, now_ns):
            return False
        self.connected = True
        events.append(
            Connected(peer=self.number, connect_data=self._connect_data, address=self.address)
        )
        return True

    def _handle_command(
        self,
        command: Command,
        sent_time_ms: int | None,
        now_ns: int,
        counters: EnetCounters,
        events: list[Event],
    ) -> bool:
        """Act on one command. False: the rest of the datagram is not worth reading."""
        if command.wants_ack and sent_time_ms is None:
            return False
        acknowledge = command.wants_ack
        match command.number:
            case Number.ACKNOWLEDGE:
                sequence, echoed_ms = command.fields
                self._sender.acknowledge(command.channel, sequence, echoed_ms, now_ns)
            case Number.SEND_RELIABLE | Number.SEND_UNRELIABLE | Number.SEND_UNSEQUENCED:
                arrival = self._arrival(command)
                if arrival is None:
                    return False
                if not arrival.acknowledge:
                    counters.no_room += 1
                    acknowledge = False
                events += [
                    Received(peer=self.number, channel=command.channel, data=data)
                    for data in arrival.ready
                ]
            case Number.SEND_FRAGMENT | Number.SEND_UNRELIABLE_FRAGMENT:
                counters.fragments += 1
                acknowledge = False
            case Number.DISCONNECT:
                reason = DisconnectReason.BY_PEER
                events.append(Disconnected(peer=self.number, reason=reason, data=command.fields[0]))
            case Number.CONNECT | Number.VERIFY_CONNECT:
                return False
            case Number.PING | Number.BANDWIDTH_LIMIT | Number.THROTTLE_CONFIGURE:
                pass
        if acknowledge and sent_time_ms is not None:
            self._acknowledge(command, sent_time_ms, now_ns)
        return True

    def _arrival(self, command: Command) -> Arrival | None:
        if command.channel >= self._channel_count:
            return None
        if command.number is Number.SEND_UNSEQUENCED:
            group = command.fields[0]
            if not self._groups.is_new(group):
                return Arrival()
            self._groups.add(group)
            return Arrival((command.data,))
        channel = self._channels.get(command.channel)
        if channel is None:
            channel = self._channels[command.channel] = IncomingChannel(self._budget)
        if command.number is Number.SEND_UNRELIABLE:
            return channel.receive_unreliable(command.sequence, command.fields[0], command.data)
        if not command.wants_ack:
            return None
        return channel.receive_reliable(command.sequence, command.data)

    def _acknowledge(self, command: Command, sent_time_ms: int, now_ns: int) -> None:
        if len(self._acks) >= MAX_PENDING_ACKS:
            return
        if not self._acks:
            self._acks_due_ns = now_ns
        fields = (command.sequence, sent_time_ms)
        ack = Command(Number.ACKNOWLEDGE, command.channel, command.sequence, fields)
        self._acks.append(command_bytes(ack))

    def _may_send(self) -> bool:
        # Until the handshake is through, never more bytes out than came in, and the only
        # thing to send is VERIFY_CONNECT.
        return self.connected or self._credit_bytes >= _VERIFY_DATAGRAM_BYTES

    def _ping_due_ns(self) -> int | None:
        if not self.connected or self._sender.outstanding:
            return None
        return self._last_received_ns + PING_AFTER_NS

    def _pack(self, acks: list[bytes], reliable: list[bytes], now_ns: int) -> list[bytes]:
        datagrams: list[bytes] = []
        batch: list[bytes] = []
        size = _HEADER_BYTES
        timed = False

        def close() -> None:
            sent_time_ms = clock_ms(now_ns) if timed else None
            header = header_bytes(self._remote_id, self._session, sent_time_ms)
            datagrams.append(header + b"".join(batch))

        for number, encoded in enumerate(acks + reliable):
            full = size + len(encoded) > self._mtu_bytes
            if batch and (full or len(batch) == MAX_COMMANDS_PER_DATAGRAM):
                close()
                batch, size, timed = [], _HEADER_BYTES, False
            batch.append(encoded)
            size += len(encoded)
            # Only what will be acknowledged needs a time to echo.
            timed = timed or number >= len(acks)
        if batch:
            close()
        return datagrams
