"""Where media goes: only to who has the secret and speaks from the client's address."""

import socket

import pytest

from punktfunk.gamestream.endpoint import EndpointLearner
from punktfunk.session.endpoints import Endpoint

PAYLOAD = b"0123456789ABCDEF"
PING = PAYLOAD + bytes(4)
CLIENT, STRANGER = "127.0.0.1", "127.0.0.9"


def udp(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 0))
    sock.settimeout(2)
    return sock


@pytest.fixture
def host():
    with udp(CLIENT) as sock:
        sock.setblocking(False)
        yield Endpoint(sock, EndpointLearner(PAYLOAD, CLIENT))


@pytest.fixture
def client(host):
    with udp(CLIENT) as sock:
        sock.connect(host.sock.getsockname())
        yield sock


@pytest.fixture
def stranger(host):
    with udp(STRANGER) as sock:
        sock.connect(host.sock.getsockname())
        yield sock


def test_nothing_is_sent_before_a_ping(host):
    assert not host.send(b"picture")


def test_a_ping_says_where_to_send(host, client):
    client.send(PING)

    assert host.drain()
    assert host.send(b"picture")
    assert client.recv(100) == b"picture"


def test_threat_13_a_ping_from_another_address_is_not_adopted(host, client, stranger):
    stranger.send(PING)
    assert not host.drain()
    assert host.address is None

    client.send(PING)
    host.drain()
    stranger.send(PING)
    host.drain()

    assert host.address == client.getsockname()
    assert host.rejected == 2


def test_threat_13_the_right_address_without_the_secret_is_not_enough(host, client):
    for guess in (b"PING", bytes(20), PAYLOAD[:15], PING + bytes(100), b""):
        client.send(guess)

    assert not host.drain()
    assert host.address is None
    assert host.rejected == 5


def test_an_address_that_the_control_connection_proved_may_ping(host, stranger):
    host.allow_ip(STRANGER)
    stranger.send(PING)

    assert host.drain()
    assert host.address == stranger.getsockname()


def test_threat_14_pings_are_never_answered(host, client):
    client.setblocking(False)
    for _ in range(20):
        client.send(PING)
        client.send(b"nonsense")
    host.drain()

    with pytest.raises(BlockingIOError):
        client.recv(100)


def test_a_flood_is_taken_in_portions(host, client):
    for _ in range(200):
        client.send(b"nonsense")
    host.drain()

    assert host.rejected <= 64


def test_a_client_whose_port_is_closed_does_not_break_the_socket(host, client):
    client.send(PING)
    host.drain()
    client.close()
    for _ in range(5):
        host.send(b"picture")

    assert not host.drain()
