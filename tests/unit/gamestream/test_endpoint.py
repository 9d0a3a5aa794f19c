"""Where a stream may be sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from punktfunk.gamestream.endpoint import EndpointLearner, is_local_network, normalize_ip

PAYLOAD = b"0123456789ABCDEF"
PING = PAYLOAD + (1).to_bytes(4, "big")
CLIENT = ("192.0.2.7", 50_000)


@pytest.fixture
def learner() -> EndpointLearner:
    return EndpointLearner(PAYLOAD, "192.0.2.7")


def test_a_ping_with_the_payload_from_the_clients_address_is_adopted(learner):
    assert learner.address is None

    assert learner.on_datagram(PING, CLIENT)

    assert learner.address == CLIENT


def test_a_new_port_of_the_same_client_is_followed(learner):
    learner.on_datagram(PING, CLIENT)

    learner.on_datagram(PAYLOAD + (2).to_bytes(4, "big"), ("192.0.2.7", 50_001))

    assert learner.address == ("192.0.2.7", 50_001)


def test_threat_13_the_right_payload_from_a_third_party_is_not_adopted(learner):
    learner.on_datagram(PING, CLIENT)

    assert not learner.on_datagram(PING, ("198.51.100.1", 50_000))
    assert learner.address == CLIENT


@pytest.mark.parametrize(
    "data", [b"", b"PING", PAYLOAD[:-1], b"x" * 20, b"x" + PING, PING + bytes(100)]
)
def test_threat_13_the_clients_address_without_the_payload_is_not_adopted(learner, data):
    assert not learner.on_datagram(data, CLIENT)
    assert learner.address is None


@given(data=st.binary(max_size=80), ip=st.sampled_from(["192.0.2.7", "192.0.2.8", "", "::1"]))
def test_threat_13_no_guess_is_adopted_whatever_its_source(data, ip):
    learner = EndpointLearner(PAYLOAD, "192.0.2.7")

    assert not learner.on_datagram(data, (ip, 1))
    assert learner.address is None


def test_a_new_ip_counts_once_the_client_proved_to_be_there(learner):
    learner.allow_ip("2001:db8::7")

    assert learner.on_datagram(PING, ("2001:db8::7", 50_000, 0, 0))
    assert learner.address == ("2001:db8::7", 50_000, 0, 0)
    assert learner.on_datagram(PING, CLIENT)


def test_only_the_newest_proven_ip_counts_besides_the_first(learner):
    learner.allow_ip("198.51.100.1")
    learner.allow_ip("198.51.100.2")

    assert not learner.on_datagram(PING, ("198.51.100.1", 1))
    assert learner.on_datagram(PING, ("198.51.100.2", 1))


def test_a_bare_ping_counts_only_for_a_client_that_knows_no_payload(learner):
    assert not learner.on_datagram(b"PING", CLIENT)

    learner.allow_legacy_ping()

    assert not learner.on_datagram(b"PING", ("198.51.100.1", 1))
    assert learner.on_datagram(b"PING", CLIENT)


def test_ipv4_inside_ipv6_is_the_same_client_and_is_answered_as_the_socket_named_it(learner):
    mapped = ("::ffff:192.0.2.7", 50_000, 0, 0)

    assert learner.on_datagram(PING, mapped)
    assert learner.address == mapped
    assert EndpointLearner(PAYLOAD, "::FFFF:192.0.2.7").on_datagram(PING, CLIENT)


def test_a_payload_of_another_length_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="16 bytes"):
        EndpointLearner(b"short", "192.0.2.7")


def test_spellings_of_one_address_compare_equal():
    assert normalize_ip("fe80::1%eth0") == normalize_ip("FE80:0::1")
    assert normalize_ip("::ffff:10.0.0.1") == "10.0.0.1"


@pytest.mark.parametrize(
    ("ip", "local"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("172.31.0.1", True),
        ("172.32.0.1", False),
        ("192.168.0.9", True),
        ("::ffff:192.168.0.9", True),
        ("fd00::1", True),
        ("fe80::1%eth0", True),
        ("100.64.0.1", False),
        ("8.8.8.8", False),
        ("2001:db8::1", False),
        ("0.0.0.0", False),
    ],
)
def test_home_networks_are_told_from_the_rest(ip, local):
    assert is_local_network(ip) is local
