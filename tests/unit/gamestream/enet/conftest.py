"""A small ENet client, written apart from the host so that they check each other."""

import struct
from collections.abc import Callable
from random import Random

import attrs
import pytest

from punktfunk.gamestream.enet import Connected, EnetHost, Event, Received

MS = 1_000_000
CLIENT_ADDRESS = ("192.0.2.10", 50_000)
CONNECT_DATA = 0xDEADBEEF


class TinyClient:
    """Connects, sends on any channel, acknowledges, repeats what was not acknowledged."""

    def __init__(self, connect_data: int = CONNECT_DATA, connect_id: int = 0x01020304) -> None:
        self.connect_data = connect_data
        self.connect_id = connect_id
        self.peer_id = 0xFFF
        self.session = 0
        self.connected = False
        self.disconnected = False
        self.received: list[tuple[int, bytes]] = []
        self._sequences: dict[int, int] = {}
        self._unreliable: dict[int, int] = {}
        self._group = 0
        self._unacked: dict[tuple[int, int], tuple[bytes, int]] = {}
        self._next_in: dict[int, int] = {}
        self._early: dict[tuple[int, int], bytes] = {}
        self._acks = b""
        self._once: list[bytes] = []

    @property
    def idle(self) -> bool:
        return not self._unacked

    def connect(self) -> None:
        parameters = struct.pack(
            ">HBBIIIIIIIIII",
            *(0, 0xFF, 0xFF, 900, 65_536, 48, 0, 0, 5_000, 2, 2),
            *(self.connect_id, self.connect_data),
        )
        self._queue(0x82, 0xFF, parameters)

    def send(self, channel: int, data: bytes) -> None:
        self._queue(0x86, channel, struct.pack(">H", len(data)) + data)
        self._unreliable[channel] = 0

    def send_unreliable(self, channel: int, data: bytes) -> None:
        number = self._unreliable[channel] = self._unreliable.get(channel, 0) + 1
        sequence = self._sequences.get(channel, 0)
        self._once.append(
            struct.pack(">BBHHH", 0x07, channel, sequence, number & 0xFFFF, len(data)) + data
        )

    def send_unsequenced(self, channel: int, data: bytes) -> None:
        self._group += 1
        self._once.append(struct.pack(">BBHHH", 0x49, channel, 0, self._group, len(data)) + data)

    def ping(self) -> None:
        self._queue(0x85, 0xFF, b"")

    def say_goodbye(self) -> None:
        self._queue(0x84, 0xFF, bytes(4))

    def datagrams(self, now_ns: int, resend_ns: int = 100 * MS) -> list[bytes]:
        """One command a datagram, so that the network can lose each alone."""
        sent_time = struct.pack(">H", now_ns // MS & 0xFFFF)
        header = struct.pack(">H", 0x8000 | self.session << 12 | self.peer_id) + sent_time
        out = []
        if self._acks:
            out.append(struct.pack(">H", self.session << 12 | self.peer_id) + self._acks)
            self._acks = b""
        for key, (command, due_ns) in list(self._unacked.items()):
            if due_ns <= now_ns:
                self._unacked[key] = (command, now_ns + resend_ns)
                first = 0x8FFF if command[0] == 0x82 else None
                out.append((struct.pack(">H", first) + sent_time if first else header) + command)
        out += [header + command for command in self._once]
        self._once = []
        return out

    def receive(self, datagram: bytes) -> None:
        head = int.from_bytes(datagram[:2], "big")
        at, sent_time = (4, datagram[2:4]) if head & 0x8000 else (2, b"")
        while at < len(datagram):
            flags, channel, sequence = struct.unpack_from(">BBH", datagram, at)
            number = flags & 0x0F
            at += 4
            if number == 1:
                acked = int.from_bytes(datagram[at : at + 2], "big")
                self._unacked.pop((channel, acked), None)
                at += 4
            elif number == 3:
                self.peer_id, _, outgoing = struct.unpack_from(">HBB", datagram, at)
                assert struct.unpack_from(">I", datagram, at + 36)[0] == self.connect_id
                self.session = outgoing
                self.connected = True
                self._unacked.pop((0xFF, 1), None)
                at += 40
            elif number == 4:
                self.disconnected = True
                at += 4
            elif number == 6:
                length = int.from_bytes(datagram[at : at + 2], "big")
                self._take(channel, sequence, datagram[at + 2 : at + 2 + length])
                at += 2 + length
            else:
                assert number == 5, f"the host sent command {number}"
            if flags & 0x80:
                assert sent_time, "a command that wants an ack needs a sent time"
                self._acks += struct.pack(">BBH", 1, channel, sequence)
                self._acks += struct.pack(">H", sequence) + sent_time

    def _queue(self, flags: int, channel: int, rest: bytes) -> None:
        sequence = self._sequences[channel] = self._sequences.get(channel, 0) + 1 & 0xFFFF
        command = struct.pack(">BBH", flags, channel, sequence) + rest
        self._unacked[channel, sequence] = (command, 0)

    def _take(self, channel: int, sequence: int, data: bytes) -> None:
        expected = self._next_in.setdefault(channel, 1)
        if sequence >= expected:
            self._early[channel, sequence] = data
        while (channel, self._next_in[channel]) in self._early:
            self.received.append((channel, self._early.pop((channel, self._next_in[channel]))))
            self._next_in[channel] += 1


@attrs.define
class Network:
    """Carries datagrams between one client and a host, badly if told to."""

    host: EnetHost
    client: TinyClient
    dice: Random = attrs.field(factory=lambda: Random(1))
    loss: float = 0.0
    duplication: float = 0.0
    jitter_ms: int = 0
    now_ns: int = 70_000 * MS
    address: tuple[str, int] = CLIENT_ADDRESS
    events: list[Event] = attrs.field(factory=list)
    on_events: Callable[[list[Event]], None] = lambda events: None
    _flying: list[tuple[int, int, bool, bytes]] = attrs.field(factory=list)
    _count: int = 0

    def run(self, duration_ms: int, until: Callable[[], bool] = lambda: False) -> None:
        end_ns = self.now_ns + duration_ms * MS
        while self.now_ns < end_ns and not until():
            self.step()

    def step(self) -> None:
        self.now_ns += 5 * MS
        for data in self.client.datagrams(self.now_ns):
            self._launch(True, data)
        arrived = sorted(item for item in self._flying if item[0] <= self.now_ns)
        self._flying = [item for item in self._flying if item[0] > self.now_ns]
        for _, _, to_host, data in arrived:
            if to_host:
                self._note(self.host.receive(data, self.address, self.now_ns))
            else:
                self.client.receive(data)
        self._note(self.host.poll(self.now_ns))
        for data, address in self.host.datagrams_to_send(self.now_ns):
            if address == self.address:
                self._launch(False, data)

    def payloads(self, channel: int) -> list[bytes]:
        return [
            event.data
            for event in self.events
            if isinstance(event, Received) and event.channel == channel
        ]

    def peer(self) -> int:
        return next(event.peer for event in self.events if isinstance(event, Connected))

    def _note(self, events: list[Event]) -> None:
        self.events += events
        self.on_events(events)

    def _launch(self, to_host: bool, data: bytes) -> None:
        copies = 2 if self.dice.random() < self.duplication else 1
        for _ in range(copies):
            if self.dice.random() < self.loss:
                continue
            delay_ms = 1 + self.dice.randint(0, self.jitter_ms)
            self._count += 1
            self._flying.append((self.now_ns + delay_ms * MS, self._count, to_host, data))


@pytest.fixture
def make_network() -> Callable[..., Network]:
    def make(**settings: object) -> Network:
        host = EnetHost(lambda data, address: data == CONNECT_DATA)
        return Network(host=host, client=TinyClient(), **settings)  # type: ignore[arg-type]

    return make


@pytest.fixture
def connected(make_network: Callable[..., Network]) -> Network:
    network = make_network()
    network.client.connect()
    network.run(1_000, until=lambda: bool(network.events))
    network.peer()
    return network


@pytest.fixture
def make_client() -> type[TinyClient]:
    return TinyClient
