"""What an honest client may rely on, over a network that is not."""

from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest

from punktfunk.gamestream.enet import (
    AddressOffered,
    Connected,
    Disconnected,
    DisconnectReason,
    EnetHost,
    Received,
)

MS = 1_000_000


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("loss", "duplication", "jitter_ms"), [(0.0, 0.0, 0), (0.2, 0.0, 0), (0.2, 0.3, 60)]
)
def test_reliable_messages_arrive_once_and_in_order_both_ways(
    make_network: Callable, seed: int, loss: float, duplication: float, jitter_ms: int
) -> None:
    network = make_network(
        loss=loss, duplication=duplication, jitter_ms=jitter_ms, dice=Random(seed)
    )
    network.client.connect()
    network.run(9_000, until=lambda: bool(network.events))
    peer = network.peer()
    sent = [bytes([number]) * 30 for number in range(100)]

    for data in sent:
        network.client.send(3, data)
        assert network.host.send(peer, 0, data, network.now_ns)
        network.step()
    network.run(9_000, until=lambda: network.client.idle and not network.host.unacknowledged(peer))

    assert network.payloads(3) == sent
    assert network.client.received == [(0, data) for data in sent]
    assert not any(isinstance(event, Disconnected) for event in network.events)


def test_channels_do_not_wait_for_each_other(connected) -> None:
    connected.client.send(1, b"lost on the way")
    connected.client.datagrams(connected.now_ns)

    connected.client.send(2, b"keys")
    connected.step()
    connected.step()

    assert connected.payloads(2) == [b"keys"]
    assert connected.payloads(1) == []


def test_sequence_numbers_wrap(connected) -> None:
    sent = [number.to_bytes(4, "big") for number in range(66_000)]
    for start in range(0, len(sent), 500):
        for data in sent[start : start + 500]:
            connected.client.send(3, data)
        connected.run(100, until=lambda: connected.client.idle)

    assert connected.payloads(3) == sent


def test_an_unreliable_message_waits_for_the_reliable_one_before_it(connected) -> None:
    client = connected.client
    client.send(5, b"down")
    client.send_unreliable(5, b"move 1")
    client.send_unreliable(5, b"move 2")
    down, first, second = client.datagrams(connected.now_ns)
    host, address = connected.host, connected.address

    early = host.receive(second, address, connected.now_ns)
    early += host.receive(first, address, connected.now_ns)
    events = host.receive(down, address, connected.now_ns)

    assert early == []
    assert [event.data for event in events] == [b"down", b"move 1", b"move 2"]
    assert host.held_bytes == 0


def test_a_late_unreliable_message_is_dropped(connected) -> None:
    client, host = connected.client, connected.host
    client.send_unreliable(5, b"old")
    client.send_unreliable(5, b"new")
    old, new = client.datagrams(connected.now_ns)

    events = host.receive(new, connected.address, connected.now_ns)
    events += host.receive(old, connected.address, connected.now_ns)
    events += host.receive(new, connected.address, connected.now_ns)

    assert [event.data for event in events] == [b"new"]


def test_a_sensor_that_sends_only_unreliably_survives_the_wrap(connected) -> None:
    for number in range(70_000):
        connected.client.send_unreliable(0x20, number.to_bytes(4, "big"))
        if number % 500 == 499:
            connected.step()
    connected.step()

    assert len(connected.payloads(0x20)) == 70_000


def test_unsequenced_messages_come_at_once_and_only_once(connected) -> None:
    client, host = connected.client, connected.host
    for data in (b"a", b"b", b"c"):
        client.send_unsequenced(0, data)
    a, b, c = client.datagrams(connected.now_ns)

    events = [
        event
        for datagram in (c, a, b, a, c)
        for event in host.receive(datagram, connected.address, connected.now_ns)
    ]

    assert [event.data for event in events] == [b"c", b"a", b"b"]


def test_a_lost_connection_answer_is_repeated(make_network: Callable) -> None:
    network = make_network()
    network.client.connect()
    (connect,) = network.client.datagrams(network.now_ns)
    network.host.receive(connect, network.address, network.now_ns)
    network.host.datagrams_to_send(network.now_ns)  # lost

    network.run(2_000, until=lambda: bool(network.events))

    assert [type(event) for event in network.events] == [Connected]


def test_the_host_pings_a_silent_client_and_keeps_it(connected) -> None:
    connected.run(30_000)

    assert [type(event) for event in connected.events] == [Connected]
    assert connected.host.round_trip_ms(connected.peer()) < 100


def test_a_client_that_vanishes_is_dropped_after_ten_seconds(connected) -> None:
    host, now_ns = connected.host, connected.now_ns

    while (deadline_ns := host.next_deadline_ns()) is not None:
        assert deadline_ns > now_ns or host.datagrams_to_send(now_ns)
        now_ns = max(now_ns, deadline_ns)
        connected.events += host.poll(now_ns)
        host.datagrams_to_send(now_ns)

    assert connected.events[-1] == Disconnected(
        peer=connected.peer(), reason=DisconnectReason.SILENT
    )
    assert 9_900 * MS < now_ns - connected.now_ns <= 10_000 * MS


def test_a_client_that_does_not_acknowledge_is_dropped_after_ten_seconds(connected) -> None:
    host, peer, start_ns = connected.host, connected.peer(), connected.now_ns
    host.send(peer, 0, b"rumble", start_ns)
    sent = 0

    for elapsed_ms in range(0, 11_000, 100):
        now_ns = start_ns + elapsed_ms * MS
        connected.client.ping()
        ping = connected.client.datagrams(now_ns)[-1]
        connected.events += host.receive(ping, connected.address, now_ns) + host.poll(now_ns)
        sent += sum(b"rumble" in data for data, _ in host.datagrams_to_send(now_ns))

    assert connected.events[-1] == Disconnected(peer=peer, reason=DisconnectReason.UNACKNOWLEDGED)
    assert 5 <= sent <= 12, "repeated with growing pauses"


def test_a_goodbye_is_acknowledged_and_ends_the_peer(connected) -> None:
    connected.client.say_goodbye()
    connected.run(100)

    assert connected.client.idle
    assert connected.events[-1] == Disconnected(
        peer=connected.peer(), reason=DisconnectReason.BY_PEER
    )
    assert connected.host.next_deadline_ns() is None
    assert not connected.host.send(connected.peer(), 0, b"late", connected.now_ns)


def test_our_goodbye_is_ten_bytes_without_a_time(connected) -> None:
    connected.host.disconnect(connected.peer())

    ((goodbye, address),) = connected.host.datagrams_to_send(connected.now_ns)

    assert goodbye == bytes.fromhex("000044ff000000000000")
    assert address == connected.address


def test_a_second_connection_through_the_same_slot_has_other_session_ids(
    connected, make_client: type
) -> None:
    connected.host.disconnect(connected.peer())
    connected.client = make_client(connect_id=7)
    connected.client.connect()
    connected.events.clear()

    connected.run(500, until=lambda: bool(connected.events))

    assert connected.peer() == 2
    assert connected.client.session == 1


def test_one_flush_packs_many_messages_within_the_mtu(connected) -> None:
    peer = connected.peer()
    for _ in range(100):
        assert connected.host.send(peer, 0, b"r" * 30, connected.now_ns)

    datagrams = connected.host.datagrams_to_send(connected.now_ns)

    assert all(len(data) <= 900 for data, _ in datagrams)
    assert len(datagrams) <= 6


def test_a_message_that_would_need_fragments_is_refused(connected) -> None:
    peer = connected.peer()

    assert connected.host.send(peer, 0, bytes(872), connected.now_ns)
    with pytest.raises(ValueError, match="too long"):
        connected.host.send(peer, 0, bytes(873), connected.now_ns)
    with pytest.raises(ValueError, match="no such channel"):
        connected.host.send(peer, 48, b"", connected.now_ns)


def test_a_client_that_moved_is_believed_only_after_the_caller_says_so(connected) -> None:
    host, peer, now_ns = connected.host, connected.peer(), connected.now_ns
    new_address = ("198.51.100.7", 1_234)
    connected.client.send(0, b"proof")
    (datagram,) = connected.client.datagrams(now_ns)

    offered = host.receive(datagram, new_address, now_ns)
    unanswered = host.datagrams_to_send(now_ns)
    host.adopt_address(peer, new_address)
    events = host.receive(datagram, new_address, now_ns)
    answers = host.datagrams_to_send(now_ns)

    assert offered == [AddressOffered(peer=peer, address=new_address, payloads=(b"proof",))]
    assert unanswered == []
    assert events == [Received(peer=peer, channel=0, data=b"proof")]
    assert {address for _, address in answers} == {new_address}


def test_until_adopted_everything_goes_to_the_old_address(connected) -> None:
    host, peer, now_ns = connected.host, connected.peer(), connected.now_ns
    connected.client.send(0, b"from elsewhere")
    (datagram,) = connected.client.datagrams(now_ns)

    host.receive(datagram, ("198.51.100.7", 1_234), now_ns)
    host.send(peer, 0, b"rumble", now_ns)

    assert {address for _, address in host.datagrams_to_send(now_ns)} == {connected.address}


def test_who_has_other_connect_data_is_not_let_in(
    make_network: Callable, make_client: type
) -> None:
    network = make_network()
    network.client = make_client(connect_data=1)
    network.client.connect()

    network.run(1_000)

    assert network.events == []
    assert not network.client.connected
    assert network.host.counters.refused_connects > 0


def test_a_host_without_peers_has_no_deadline() -> None:
    assert EnetHost(lambda data, address: True).next_deadline_ns() is None


def test_unreliable_numbers_start_again_after_each_reliable_message(connected) -> None:
    for round_number in range(3):
        connected.client.send(5, b"down")
        for move in range(3 - round_number):
            connected.client.send_unreliable(5, b"move %d" % move)
        connected.step()
        connected.step()

    moves = [data for data in connected.payloads(5) if data != b"down"]
    assert moves == [b"move 0", b"move 1", b"move 2", b"move 0", b"move 1", b"move 0"]


def test_an_acknowledgement_alone_carries_no_time(connected) -> None:
    connected.client.ping()
    (ping,) = connected.client.datagrams(connected.now_ns)

    connected.host.receive(ping, connected.address, connected.now_ns)

    ((answer, _),) = connected.host.datagrams_to_send(connected.now_ns)
    assert answer[:2] == b"\x00\x00"
    assert len(answer) == 2 + 8


def test_pauses_between_repetitions_grow_to_two_seconds(connected) -> None:
    host, peer, start_ns = connected.host, connected.peer(), connected.now_ns
    for _ in range(60):  # until the round trip is known
        connected.client.ping()
        host.send(peer, 0, b"x", connected.now_ns)
        connected.run(50)
    start_ns = connected.now_ns
    host.send(peer, 0, b"rumble", start_ns)

    sent_ms = [
        elapsed_ms
        for elapsed_ms in range(0, 9_000, 10)
        for data, _ in host.datagrams_to_send(start_ns + elapsed_ms * MS)
        if b"rumble" in data
    ]

    pauses_ms = [later - earlier for earlier, later in pairwise(sent_ms)]
    assert pauses_ms[0] < 200
    assert all(b >= min(2 * a - 20, 2_000) for a, b in pairwise(pauses_ms))
    assert pauses_ms[-1] == 2_000
