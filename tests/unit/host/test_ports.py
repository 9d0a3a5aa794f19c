import socket

import attrs
import pytest

from punktfunk.errors import Refused
from punktfunk.host.ports import Ports, bind_media


def close(sockets) -> None:
    for sock in attrs.astuple(sockets, recurse=False):
        sock.close()


def test_the_default_ports_are_those_that_clients_and_firewalls_know():
    ports = Ports(47_989)

    assert (ports.http, ports.https, ports.rtsp) == (47_989, 47_984, 48_010)
    assert attrs.astuple(ports.media(0)) == (47_998, 47_999, 48_000)
    assert attrs.astuple(ports.media(1)) == (48_093, 48_094, 48_095)


def test_no_two_sessions_share_a_port_and_none_has_one_of_the_hosts():
    ports = Ports(47_989)
    used = [ports.http, ports.https, ports.rtsp, 47_990]
    for slot in range(16):
        used += attrs.astuple(ports.media(slot))

    assert len(used) == len(set(used))


def test_all_ports_move_with_the_base(base_port):
    ports = Ports(base_port)

    sockets = bind_media("127.0.0.1", ports.media(1))

    bound = [sock.getsockname() for sock in attrs.astuple(sockets, recurse=False)]
    assert bound == [("127.0.0.1", base_port + 104 + n) for n in range(3)]
    close(sockets)


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_threat_36_a_taken_port_is_named_and_the_others_are_given_back(base_port, taken):
    wanted = Ports(base_port).media(0)
    ports = attrs.astuple(wanted)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", ports[taken]))

        with pytest.raises(Refused, match=f"UDP port {ports[taken]} is taken") as refused:
            bind_media("127.0.0.1", wanted)

    assert refused.value.fields["status"] == 503
    close(bind_media("127.0.0.1", wanted))


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_without_an_address_clients_of_both_kinds_are_heard(base_port):
    sockets = bind_media("", Ports(base_port).media(0))
    port = sockets.video.getsockname()[1]
    sockets.video.settimeout(2)
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as client:
            try:
                client.sendto(b"ping", (address, port))
            except OSError:
                continue  # this machine has none of that kind
            assert sockets.video.recvfrom(100)[0] == b"ping"
    close(sockets)
