"""Datagrams from someone who means harm: threat rows 9 and 14."""

import struct
from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from punktfunk.gamestream.enet import (
    AddressOffered,
    Connected,
    Disconnected,
    EnetHost,
    Received,
)
from punktfunk.gamestream.enet.wire import parse_datagram

MS = 1_000_000
NOW = 70_000 * MS
CLIENT = ("192.0.2.10", 50_000)
GOOD_DATA = 0xDEADBEEF
HELD_LIMIT = 256 * 1_024


def connect_datagram(connect_id: int, data: int = GOOD_DATA, peer_id: int = 0) -> bytes:
    fields = (peer_id, 0xFF, 0xFF, 900, 65_536, 48, 0, 0, 5_000, 2, 2, connect_id, data)
    return struct.pack(">HHBBHHBBIIIIIIIIII", 0x8FFF, 1, 0x82, 0xFF, 1, *fields)


def reliable(channel: int, sequence: int, data: bytes) -> bytes:
    return struct.pack(">BBHH", 0x86, channel, sequence, len(data)) + data


def connected_host() -> EnetHost:
    host = EnetHost(lambda data, address: data == GOOD_DATA)
    host.receive(connect_datagram(7), CLIENT, NOW)
    host.datagrams_to_send(NOW)
    ack = struct.pack(">HBBHHH", 0, 1, 0xFF, 1, 1, NOW // MS & 0xFFFF)
    assert isinstance(host.receive(ack, CLIENT, NOW)[0], Connected)
    return host


def test_65535_connects_cost_four_slots_and_no_more() -> None:
    host = EnetHost(lambda data, address: True)
    bytes_in = bytes_out = 0

    for number in range(65_535):
        datagram = connect_datagram(number)
        assert host.receive(datagram, ("203.0.113.1", number), NOW) == []
        bytes_in += len(datagram)
        bytes_out += sum(len(data) for data, _ in host.datagrams_to_send(NOW))

    assert host.counters.full == 65_535 - 4
    assert bytes_out == 4 * 48
    assert bytes_out <= bytes_in


def test_slots_of_unfinished_handshakes_are_freed() -> None:
    host = EnetHost(lambda data, address: True)
    for number in range(4):
        host.receive(connect_datagram(number), ("203.0.113.1", number), NOW)

    events = host.poll(NOW + 5_000 * MS)
    host.receive(connect_datagram(99), CLIENT, NOW + 5_000 * MS)

    assert events == []
    assert [a for _, a in host.datagrams_to_send(NOW + 5_000 * MS)] == [CLIENT]


def test_65535_connects_leave_a_connected_client_alone() -> None:
    host = connected_host()

    for number in range(65_535):
        host.receive(connect_datagram(number), ("203.0.113.1", number), NOW)
        host.datagrams_to_send(NOW)
    events = host.receive(bytes.fromhex("80000000") + reliable(0, 1, b"still here"), CLIENT, NOW)

    assert events == [Received(peer=1, channel=0, data=b"still here")]


def test_an_unaccepted_connect_is_not_answered() -> None:
    host = EnetHost(lambda data, address: data == GOOD_DATA)

    host.receive(connect_datagram(1, data=2), CLIENT, NOW)

    assert host.datagrams_to_send(NOW) == []
    assert host.next_deadline_ns() is None


def test_a_spoofed_connect_never_draws_more_bytes_than_it_brought() -> None:
    host = EnetHost(lambda data, address: True)
    bytes_in = bytes_out = 0

    for elapsed_ms in range(0, 12_000, 10):
        now_ns = NOW + elapsed_ms * MS
        if elapsed_ms in (0, 1_000):
            datagram = connect_datagram(1)
            bytes_in += len(datagram)
            host.receive(datagram, CLIENT, now_ns)
        host.poll(now_ns)
        bytes_out += sum(len(data) for data, _ in host.datagrams_to_send(now_ns))

    assert 0 < bytes_out <= bytes_in


def test_a_handshake_that_may_not_answer_yet_does_not_spin() -> None:
    host = EnetHost(lambda data, address: True)
    host.receive(connect_datagram(1), CLIENT, NOW)
    host.datagrams_to_send(NOW)

    assert host.next_deadline_ns() == NOW + 5_000 * MS


@pytest.mark.parametrize(
    ("what", "datagram"),
    [
        ("another peer id", "80010000" + "85ff0002"),
        ("the last peer id", "8ffe0000" + "85ff0002"),
        ("another session", "90000000" + "85ff0002"),
        ("compressed", "c0000000" + "85ff0002"),
        ("one byte", "80"),
        ("nothing", ""),
        ("a header cut off", "800000"),
        ("a connect cut off", "8fff000082ff0001"),
        ("no connect at all", "8fff000085ff0001"),
    ],
)
def test_a_datagram_for_nobody_is_ignored(what: str, datagram: str) -> None:
    host = connected_host()

    events = host.receive(bytes.fromhex(datagram), CLIENT, NOW)

    assert events == []
    assert host.datagrams_to_send(NOW) == []
    assert host.counters.malformed or host.counters.strays


@pytest.mark.parametrize(
    ("what", "command"),
    [
        ("a length past the end", "860000010100aa"),
        ("a header cut off", "8600"),
        ("an unknown number", "8d000001"),
        ("number zero", "80000001"),
        ("no acknowledgement wanted", "06000001000161"),
        ("a channel that was not agreed", "86300001000161"),
        ("the connection channel", "86ff0001000161"),
        ("a second connect", "82ff0001" + "00" * 44),
        ("a verify", "83ff0001" + "00" * 40),
    ],
)
def test_a_bad_command_delivers_nothing(what: str, command: str) -> None:
    host = connected_host()

    events = host.receive(bytes.fromhex("80000000" + command), CLIENT, NOW)

    assert events == []
    assert host.datagrams_to_send(NOW) == []
    assert host.counters.malformed == 1


def test_a_reliable_command_without_a_time_is_not_taken() -> None:
    host = connected_host()

    assert host.receive(bytes.fromhex("0000") + reliable(0, 1, b"x"), CLIENT, NOW) == []


@pytest.mark.parametrize("number", [0x88, 0x0C])
@pytest.mark.parametrize(
    ("count", "index", "total", "offset"),
    [
        (2, 0, 2_000, 0),
        (0xFFFF_FFFF, 0, 0xFFFF_FFFF, 0),
        (2, 1, 10, 0xFFFF_FFFF),
        (2, 7, 100, 50),
        (0, 0, 0, 0),
    ],
)
def test_fragments_are_refused_and_keep_no_memory(
    number: int, count: int, index: int, total: int, offset: int
) -> None:
    host = connected_host()
    fragment = struct.pack(">BBHHHIIII", number, 0, 1, 1, 100, count, index, total, offset) + bytes(
        100
    )

    events = host.receive(bytes.fromhex("80000000") + fragment, CLIENT, NOW)

    assert events == []
    assert host.counters.fragments == 1
    assert host.held_bytes == 0
    assert host.datagrams_to_send(NOW) == []


def test_out_of_order_data_is_bounded_and_what_is_missing_still_gets_in() -> None:
    host = connected_host()
    head = bytes.fromhex("80000000")

    for channel in range(48):
        for sequence in range(2, 1_500):
            host.receive(head + reliable(channel, sequence, bytes(800)), CLIENT, NOW)
    held = host.held_bytes
    answers = host.datagrams_to_send(NOW)
    events = host.receive(head + reliable(0, 1, b"missing"), CLIENT, NOW)

    assert held <= HELD_LIMIT
    assert host.counters.no_room > 0
    acknowledged = sum(len(parse_datagram(data).commands) for data, _ in answers)
    assert acknowledged <= 1_024
    assert events[0] == Received(peer=1, channel=0, data=b"missing")
    assert host.held_bytes < held


def test_what_had_no_room_is_not_acknowledged() -> None:
    host = connected_host()
    head = bytes.fromhex("80000000")
    while not host.counters.no_room:
        host.datagrams_to_send(NOW)
        for sequence in range(2, 1_100):
            host.receive(head + reliable(0, sequence, bytes(800)), CLIENT, NOW)
            if host.counters.no_room:
                break
    answers = b"".join(data for data, _ in host.datagrams_to_send(NOW))

    assert struct.pack(">BBH", 1, 0, sequence) not in answers


def test_sequence_numbers_far_ahead_are_not_kept() -> None:
    host = connected_host()

    for sequence in range(7 * 4_096 + 1, 0x8000, 97):
        host.receive(bytes.fromhex("80000000") + reliable(0, sequence, b"x"), CLIENT, NOW)

    assert host.held_bytes == 0
    assert host.datagrams_to_send(NOW) == []


def test_an_unacknowledged_flood_from_us_is_bounded() -> None:
    host = connected_host()

    taken = sum(host.send(1, 0, bytes(800), NOW) for _ in range(10_000))

    assert taken <= 256
    assert taken * 800 <= 65_536
    assert not host.send(1, 0, bytes(800), NOW)


def test_a_flood_of_pings_owes_a_bounded_number_of_acknowledgements() -> None:
    host = connected_host()
    pings = bytes.fromhex("80000000") + bytes.fromhex("85ff0002") * 32

    for _ in range(1_000):
        host.receive(pings, CLIENT, NOW)

    assert sum(len(data) for data, _ in host.datagrams_to_send(NOW)) < 10_000


def test_acknowledgements_of_what_was_never_sent_change_nothing() -> None:
    host = connected_host()
    host.send(1, 0, b"rumble", NOW)
    ack = struct.pack(">HBBHHH", 0, 1, 0, 1, 1, 0)

    host.receive(ack, CLIENT, NOW)  # queued, not sent yet
    for sequence in range(2, 500):
        host.receive(struct.pack(">HBBHHH", 0, 1, 0, 1, sequence, 0), CLIENT, NOW)

    assert host.unacknowledged(1) == 1


def test_a_stranger_cannot_end_or_feed_a_connection() -> None:
    host = connected_host()
    stranger = ("203.0.113.66", 6_666)
    goodbye = bytes.fromhex("80000000" + "84ff000200000000")
    unsequenced_goodbye = bytes.fromhex("000044ff000000000000")

    events = host.receive(goodbye, stranger, NOW)
    events += host.receive(unsequenced_goodbye, stranger, NOW)
    offered = host.receive(bytes.fromhex("80000000") + reliable(0, 1, b"forged"), stranger, NOW)

    assert events == []
    assert [type(event) for event in offered] == [AddressOffered]
    assert host.datagrams_to_send(NOW) == []
    genuine = host.receive(bytes.fromhex("80000000") + reliable(0, 1, b"genuine"), CLIENT, NOW)
    assert genuine == [Received(peer=1, channel=0, data=b"genuine")]


def test_a_stranger_does_not_keep_a_vanished_client_alive() -> None:
    host = connected_host()
    later_ns = NOW + 9_900 * MS

    host.receive(bytes.fromhex("80000000") + reliable(0, 1, b"x"), ("203.0.113.66", 1), later_ns)

    assert [type(event) for event in host.poll(NOW + 10_000 * MS)] == [Disconnected]


_SMALL = st.integers(0, 0xFFFF)
_COMMANDS = st.one_of(
    st.builds(
        lambda flags, channel, sequence, rest: struct.pack(">BBH", flags, channel, sequence) + rest,
        st.integers(0, 255),
        st.sampled_from([0, 1, 47, 48, 0xFF]),
        st.one_of(st.integers(0, 5), _SMALL),
        st.binary(max_size=60),
    ),
    st.builds(
        lambda flags, channel, sequence, number, data: (
            struct.pack(">BBHHH", flags, channel, sequence, number, len(data)) + data
        ),
        st.sampled_from([0x07, 0x09, 0x49, 0x87, 0xC9]),
        st.integers(0, 50),
        st.integers(0, 4),
        st.one_of(st.integers(0, 5), _SMALL),
        st.binary(max_size=20),
    ),
    st.builds(
        reliable, st.integers(0, 50), st.one_of(st.integers(0, 6), _SMALL), st.binary(max_size=20)
    ),
)
_DATAGRAMS = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda head, commands: struct.pack(">HH", head, 0) + b"".join(commands),
        st.sampled_from([0x8000, 0x9000, 0x8001, 0x8FFF, 0x0000]),
        st.lists(_COMMANDS, max_size=40),
    ),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    datagrams=st.lists(st.tuples(_DATAGRAMS, st.sampled_from([CLIENT, ("203.0.113.9", 9)]))),
)
def test_no_datagram_raises_or_grows_memory(datagrams: list[tuple[bytes, tuple]]) -> None:
    host = connected_host()
    now_ns = NOW
    alive = True

    for datagram, address in datagrams:
        now_ns += 3 * MS
        for event in host.receive(datagram, address, now_ns):
            assert alive or not isinstance(event, Received), "nothing after a goodbye"
            if isinstance(event, Received):
                assert address == CLIENT
                assert event.channel < 48
            alive = alive and not isinstance(event, Disconnected)
        host.poll(now_ns)
        for data, to in host.datagrams_to_send(now_ns):
            assert to == CLIENT
            assert parse_datagram(data) is not None
            assert len(data) <= 900

    assert host.held_bytes <= HELD_LIMIT


@pytest.mark.parametrize("seed", range(3))
def test_one_clients_noise_does_not_disturb_another(
    make_network: Callable, make_client: type, seed: int
) -> None:
    quiet = make_network(dice=Random(seed))
    quiet.client.connect()
    quiet.run(500, until=lambda: bool(quiet.events))
    noisy = Random(seed)
    loud_address = ("192.0.2.99", 1)
    quiet.host.receive(connect_datagram(99), loud_address, quiet.now_ns)
    sent = [bytes([number]) for number in range(50)]

    for data in sent:
        quiet.client.send(2, data)
        junk = noisy.randbytes(60)
        for head in ("80010000", "80000000", "8fff0000"):
            quiet.host.receive(bytes.fromhex(head) + junk, loud_address, quiet.now_ns)
        quiet.step()
    quiet.run(500)

    assert quiet.payloads(2) == sent


def test_a_repeated_early_message_is_kept_and_paid_for_once() -> None:
    host = connected_host()
    head = bytes.fromhex("80000000")

    for _ in range(50):
        host.receive(head + reliable(0, 2, b"second"), CLIENT, NOW)
    events = host.receive(head + reliable(0, 1, b"first"), CLIENT, NOW)

    assert [event.data for event in events] == [b"first", b"second"]
    assert host.held_bytes == 0


def test_an_unfinished_handshake_offers_no_address() -> None:
    host = EnetHost(lambda data, address: True)
    host.receive(connect_datagram(1), CLIENT, NOW)

    data = bytes.fromhex("80000000") + reliable(0, 1, b"x")

    assert host.receive(data, ("203.0.113.66", 1), NOW) == []
    assert host.receive(data, CLIENT, NOW) == []


def test_a_session_id_is_never_the_one_the_slot_had_before() -> None:
    host = EnetHost(lambda data, address: True)
    given_out = [(0xFF, 0xFF)]

    for number in range(8):
        now_ns = NOW + number * 5_000 * MS  # the handshake before has just expired
        host.poll(now_ns)
        asked = bytearray(connect_datagram(number))
        # One more than this would be the slot's last ids again.
        asked[10:12] = bytes((last - 1) & 0b11 for last in given_out[-1])
        host.receive(bytes(asked), CLIENT, now_ns)
        ((verify, _),) = host.datagrams_to_send(now_ns)
        given_out.append((verify[10], verify[11]))

    for (our_last, their_last), (ours, theirs) in pairwise(given_out):
        assert ours != our_last
        assert theirs != their_last
