"""The control plane of a stream, spoken to by an ENet client that shares no code with it."""

import json
import struct
from pathlib import Path

import attrs
import pytest

from punktfunk.gamestream.control import MAX_FAILURES_IN_A_ROW, ControlCipher, Scheme, Side
from punktfunk.model.feedback import Rumble
from punktfunk.model.input import KeyEvent
from punktfunk.model.session import StreamEnd
from punktfunk.session.control import ControlPlane

MS = 1_000_000
HOME = ("127.0.0.1", 50_000)
AWAY = ("198.51.100.9", 40_000)
RUMBLE = Rumble(pad=0, low_frequency=1, high_frequency=2)
REQUEST_IDR = struct.pack("<HHH", 0x0302, 2, 0)
INVALIDATE = struct.pack("<HHQQQ", 0x0301, 24, 10, 12, 0)
TERMINATION, RUMBLE_TYPE = 0x0109, 0x010B
_PACKETS = json.loads(
    (Path(__file__).parents[2] / "vectors/gamestream/input_packets.json").read_text()
)["packets"]
KEY_DOWN_PACKET = bytes.fromhex(next(it["bytes"] for it in _PACKETS if it["kind"] == "key down"))
KEY_DOWN = struct.pack("<HH", 0x0206, len(KEY_DOWN_PACKET)) + KEY_DOWN_PACKET


@attrs.define
class Actions:
    """Notes what the client caused."""

    keyframes: int = 0
    invalidated: list[tuple[int, int]] = attrs.field(factory=list)
    ips: list[str] = attrs.field(factory=list)

    def request_keyframe(self) -> None:
        self.keyframes += 1

    def invalidate_references(self, first_frame: int, last_frame: int) -> None:
        self.invalidated.append((first_frame, last_frame))

    def allow_ip(self, ip: str) -> None:
        self.ips.append(ip)


class Wire:
    """One control plane and the clients that speak to it, on a clock of its own."""

    def __init__(self, plan, tiny_client):
        self.plan = plan
        self.actions = Actions()
        self.events = []
        self.plane = ControlPlane(plan, self.actions, self.events.append)
        self.tiny_client = tiny_client
        self.scheme = Scheme.V2 if plan.request.control_v2 else Scheme.LEGACY
        self.cipher = ControlCipher(plan.key, self.scheme)
        self.sequence = 0
        self.now_ns = 5_000 * MS
        self.clients = {}

    def client(self, address=HOME, connect_data=None, connect_id=1):
        data = self.plan.connect_data if connect_data is None else connect_data
        client = self.clients[address] = self.tiny_client(data, connect_id)
        client.connect()
        self.run()
        return client

    def run(self, duration_ms=100):
        for _ in range(duration_ms // 10):
            self.now_ns += 10 * MS
            for address, client in list(self.clients.items()):
                for datagram in client.datagrams(self.now_ns):
                    self.plane.receive(datagram, address, self.now_ns)
            self.plane.poll(self.now_ns)
            for datagram, address in self.plane.outgoing(self.now_ns):
                if address in self.clients:
                    self.clients[address].receive(datagram)

    def seal(self, plaintext):
        self.sequence += 1
        return self.cipher.seal(plaintext, self.sequence, Side.CLIENT)

    def say(self, client, plaintext):
        client.send(0, self.seal(plaintext))
        self.run()

    def move(self, client, address):
        old = next(key for key, value in self.clients.items() if value is client)
        del self.clients[old]
        self.clients[address] = client

    def heard_by(self, client):
        opened = (self.cipher.open(data, Side.HOST).plaintext for _, data in client.received)
        return [int.from_bytes(plaintext[:2], "little") for plaintext in opened]


@pytest.fixture
def make_wire(make_stream, tiny_client):
    return lambda **request: Wire(make_stream(1, **request), tiny_client)


@pytest.fixture
def wire(make_wire):
    return make_wire()


def test_a_client_with_the_right_connect_data_is_let_in(wire):
    assert wire.client().connected


def test_wrong_connect_data_hears_nothing_and_is_counted(wire):
    stranger = wire.client(connect_data=1)

    assert not stranger.connected
    assert wire.plane.rejected > 0


def test_an_old_client_is_known_by_its_address_alone(make_wire):
    wire = make_wire(client_knows_ping_payload=False)

    assert wire.client(connect_data=0).connected
    assert not wire.client(AWAY, connect_data=0, connect_id=2).connected


def test_being_connected_is_not_yet_being_heard(wire):
    client = wire.client()

    assert wire.plane.heard_ns is None
    wire.say(client, REQUEST_IDR)
    assert wire.plane.heard_ns is not None


def test_input_reaches_the_handler(wire):
    wire.say(wire.client(), KEY_DOWN)

    (event,) = wire.events
    assert isinstance(event, KeyEvent)
    assert event.pressed
    assert event.vk == 0x41


def test_keyframe_requests_and_lost_frames_reach_the_stream(wire):
    client = wire.client()
    wire.say(client, REQUEST_IDR)
    wire.say(client, INVALIDATE)

    assert wire.actions.keyframes == 1
    assert wire.actions.invalidated == [(10, 12)]


def fec_status(total, received, parity=0):
    """What a client says of one block of a frame."""
    body = struct.pack(">IHHHHHHHBBB", 9, 0, 0, 0, total, 20, received, parity, 20, 0, 1)
    return struct.pack("<HH", 0x5502, len(body)) + body


def test_what_the_client_did_not_get_is_counted_and_what_it_rebuilt_of_that(wire):
    client = wire.client()
    for status in (fec_status(100, 97, 3), fec_status(100, 90, 9), fec_status(100, 65_535)):
        wire.say(client, status)

    assert wire.plane.packets_missing == 3 + 10
    assert wire.plane.packets_recovered == 3
    assert wire.plane.frames_lost == 1


def test_feedback_waits_for_the_client_and_then_goes_out(wire):
    wire.plane.send(RUMBLE)
    client = wire.client()
    assert wire.heard_by(client) == []

    wire.say(client, REQUEST_IDR)

    assert wire.heard_by(client) == [RUMBLE_TYPE]


def test_nobody_hears_anything_before_it_has_shown_the_key(wire):
    eavesdropper = wire.client(AWAY, connect_id=2)
    wire.plane.send(RUMBLE)
    wire.run(500)

    assert eavesdropper.connected
    assert eavesdropper.received == []


def test_termination_is_acknowledged_before_the_disconnect(wire):
    client = wire.client()
    wire.say(client, REQUEST_IDR)

    wire.plane.terminate()
    wire.plane.poll(wire.now_ns)
    assert not wire.plane.silent
    wire.run()
    assert wire.plane.silent
    assert wire.heard_by(client) == [TERMINATION]
    assert not client.disconnected
    wire.plane.disconnect()
    wire.run()

    assert client.disconnected


def test_termination_pushes_aside_what_still_waits(wire):
    client = wire.client()
    for _ in range(5):
        wire.plane.send(RUMBLE)
    wire.plane.terminate()
    wire.say(client, REQUEST_IDR)

    assert wire.heard_by(client) == [TERMINATION]


def test_a_goodbye_of_the_client_ends_the_stream(wire):
    client = wire.client()
    wire.say(client, REQUEST_IDR)
    client.say_goodbye()
    wire.run()

    assert wire.plane.ended is StreamEnd.CLIENT_LEFT


def test_a_client_that_stops_answering_has_vanished(wire):
    client = wire.client()
    wire.say(client, REQUEST_IDR)
    wire.clients.clear()
    wire.run(12_000)

    assert wire.plane.ended is StreamEnd.CLIENT_VANISHED


def test_the_client_is_followed_to_an_address_it_proves_to_be_its_own(wire):
    client = wire.client()
    wire.say(client, REQUEST_IDR)
    wire.move(client, AWAY)
    wire.plane.send(RUMBLE)
    wire.say(client, REQUEST_IDR)

    assert wire.actions.ips == [HOME[0], AWAY[0]]
    assert wire.actions.keyframes == 2
    assert wire.heard_by(client) == [RUMBLE_TYPE]


@pytest.mark.parametrize("payload", ["garbage", "replay"])
def test_nobody_is_followed_who_proves_nothing(wire, payload):
    client = wire.client()
    recorded = wire.seal(REQUEST_IDR)
    client.send(0, recorded)
    wire.run()
    wire.move(client, AWAY)
    client.send(0, recorded if payload == "replay" else bytes(40))
    wire.run()

    assert wire.actions.ips == [HOME[0]]
    assert wire.actions.keyframes == 1


def test_connect_data_seen_on_the_wire_does_not_take_a_stream_over(wire):
    client = wire.client()
    wire.say(client, REQUEST_IDR)

    thief = wire.client(AWAY, connect_id=2)
    wire.plane.send(RUMBLE)
    wire.say(client, REQUEST_IDR)

    assert not thief.connected
    assert not client.disconnected
    assert wire.heard_by(client) == [RUMBLE_TYPE]


def test_a_thief_who_connects_first_is_put_out_by_who_has_the_key(wire):
    thief = wire.client(AWAY, connect_id=2)
    client = wire.client()
    wire.say(client, REQUEST_IDR)

    assert thief.disconnected
    assert wire.actions.ips == [HOME[0]]
    assert wire.plane.ended is None


def test_a_channel_of_nothing_but_forgeries_is_hostile(wire):
    client = wire.client()
    wire.say(client, REQUEST_IDR)
    for _ in range(MAX_FAILURES_IN_A_ROW):
        client.send(0, bytes(40))
    wire.run(1_000)

    assert wire.plane.ended is StreamEnd.HOSTILE
    assert wire.plane.rejected >= MAX_FAILURES_IN_A_ROW


def test_a_few_forgeries_among_true_messages_are_dropped(wire):
    client = wire.client()
    for _ in range(3 * MAX_FAILURES_IN_A_ROW):
        client.send(0, bytes(40))
        wire.say(client, REQUEST_IDR)

    assert wire.plane.ended is None


def test_the_legacy_scheme_works_both_ways_and_never_roams(make_wire):
    wire = make_wire(control_v2=False)
    client = wire.client()
    wire.plane.send(RUMBLE)
    wire.say(client, KEY_DOWN)
    assert len(wire.events) == 1
    assert wire.heard_by(client) == [RUMBLE_TYPE]

    wire.move(client, AWAY)
    wire.say(client, KEY_DOWN)

    assert len(wire.events) == 1
    assert wire.actions.ips == [HOME[0]]
