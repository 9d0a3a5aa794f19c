import errno
import select
import socket

import pytest

from punktfunk.gamestream.video import PacketBatch
from punktfunk.session.pacing import plan_groups
from punktfunk.session.sender import VideoSender, raise_send_buffer, set_dscp

FRAME_60_NS = 16_666_666
PACKET_BYTES = 1_440


class Clock:
    """Time that passes only while something sleeps."""

    def __init__(self):
        self.now_ns = 1_000_000_000

    def __call__(self):
        return self.now_ns

    def sleep(self, seconds):
        self.now_ns += round(seconds * 1e9)


class RefusingSocket(socket.socket):
    """A real socket whose kernel says no when told to."""

    refusals = ()
    refuse_segmentation = 0
    sent = 0

    def sendmsg(self, buffers, ancillary, flags, address):
        if self.refuse_segmentation and any(kind == 103 for _, kind, _ in ancillary):
            raise OSError(self.refuse_segmentation, "no segmentation")
        if self.refusals:
            first, *rest = self.refusals
            self.refusals = rest
            if first:
                raise OSError(first, "refused")
        self.sent += 1
        return super().sendmsg(buffers, ancillary, flags, address)


def make_batch(packets, packet_bytes=PACKET_BYTES):
    data = b"".join(i.to_bytes(4, "big") + bytes(packet_bytes - 4) for i in range(packets))
    return PacketBatch(
        data=memoryview(data),
        packet_bytes=packet_bytes,
        packets=packets,
        data_packets=packets,
        frame_index=1,
    )


def received(sock, count):
    packets = []
    while len(packets) < count:
        ready, _, _ = select.select([sock], [], [], 5)
        assert ready, f"only {len(packets)} of {count} packets came"
        packets.append(sock.recvfrom(2_048))
    assert not select.select([sock], [], [], 0)[0]
    return packets


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["ipv4", "ipv6"])
def sockets(request):
    host = "127.0.0.1" if request.param == socket.AF_INET else "::1"
    with (
        RefusingSocket(request.param, socket.SOCK_DGRAM) as source,
        socket.socket(request.param, socket.SOCK_DGRAM) as target,
    ):
        try:
            target.bind((host, 0))
        except OSError:
            pytest.skip(f"no {host} here")
        raise_receive_buffer(target)
        source.bind((host, 0))
        yield source, target


def raise_receive_buffer(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1_024 * 1_024)


def make_sender(source, clock=None, **options):
    clock = clock or Clock()
    return VideoSender(source, clock_ns=clock, sleep=clock.sleep, **options)


@pytest.mark.parametrize("segmentation", [True, False])
@pytest.mark.parametrize("packets", [1, 2, 33, 200])
def test_a_batch_arrives_as_single_datagrams_in_order(sockets, packets, segmentation):
    source, target = sockets
    batch = make_batch(packets)
    clock = Clock()

    counters = make_sender(source, clock, segmentation=segmentation).send(
        batch, target.getsockname(), clock.now_ns, FRAME_60_NS
    )

    datagrams = [data for data, _ in received(target, packets)]
    assert b"".join(datagrams) == bytes(batch.data)
    assert {len(datagram) for datagram in datagrams} == {PACKET_BYTES}
    assert (counters.packets, counters.bytes) == (packets, packets * PACKET_BYTES)
    assert (counters.errors, counters.dropped_packets, counters.waits) == (0, 0, 0)


def test_the_client_sees_the_port_it_pinged(sockets):
    source, target = sockets

    make_sender(source).send(make_batch(1), target.getsockname(), 0, 0)

    assert received(target, 1)[0][1][:2] == source.getsockname()[:2]


def test_groups_leave_at_their_deadlines_and_never_before(sockets):
    source, target = sockets
    clock = Clock()
    start_ns = clock.now_ns
    groups = plan_groups(100, PACKET_BYTES, FRAME_60_NS)

    counters = make_sender(source, clock).send(
        make_batch(100), target.getsockname(), start_ns, FRAME_60_NS
    )

    assert clock.now_ns == start_ns + groups[-1].due_ns
    assert counters.sleep_ns == groups[-1].due_ns
    assert counters.calls == len(groups)


def test_a_late_frame_leaves_without_sleeping(sockets):
    source, target = sockets
    clock = Clock()

    counters = make_sender(source, clock).send(
        make_batch(100), target.getsockname(), clock.now_ns - 2 * FRAME_60_NS, FRAME_60_NS
    )

    assert counters.sleep_ns == 0
    assert counters.packets == 100


@pytest.mark.parametrize("error", [errno.EIO, errno.EINVAL, errno.EMSGSIZE, errno.EOPNOTSUPP])
def test_without_kernel_segmentation_packets_go_one_by_one(sockets, error):
    source, target = sockets
    source.refuse_segmentation = error
    sender = make_sender(source)

    counters = sender.send(make_batch(40), target.getsockname(), 0, 0)

    assert len(received(target, 40)) == 40
    assert not sender.segmentation
    assert (counters.calls, counters.errors, counters.dropped_packets) == (40, 0, 0)


@pytest.mark.parametrize("error", [errno.EAGAIN, errno.ENOBUFS])
def test_a_full_kernel_is_waited_for_and_the_pace_goes_down(sockets, error):
    source, target = sockets
    source.refusals = (error, error)
    clock = Clock()
    sender = make_sender(source, clock)

    first = sender.send(make_batch(64), target.getsockname(), clock.now_ns, FRAME_60_NS)
    second = sender.send(make_batch(64), target.getsockname(), clock.now_ns, FRAME_60_NS)

    assert len(received(target, 128)) == 128
    assert (first.waits, first.dropped_packets, first.errors) == (2, 0, 0)
    assert second.sleep_ns == pytest.approx(2 * first.sleep_ns, rel=0.01)


@pytest.mark.parametrize("segmentation", [True, False])
def test_waiting_for_room_delays_the_rest_of_the_frame(sockets, segmentation):
    source, target = sockets
    source.refusals = (errno.EAGAIN, 0, errno.EAGAIN)
    clock = Clock()
    start_ns = clock.now_ns
    groups = plan_groups(100, PACKET_BYTES, FRAME_60_NS)

    counters = make_sender(source, clock, segmentation=segmentation).send(
        make_batch(100), target.getsockname(), start_ns, FRAME_60_NS
    )

    assert counters.waits == 2
    assert clock.now_ns == start_ns + groups[-1].due_ns + 2 * 500_000
    assert counters.sleep_ns == groups[-1].due_ns


def test_the_pace_recovers_once_there_is_room(sockets):
    source, target = sockets
    source.refusals = (errno.EAGAIN,)
    clock = Clock()
    sender = make_sender(source, clock)
    paces = []

    for _ in range(60):
        counters = sender.send(make_batch(50), target.getsockname(), clock.now_ns, FRAME_60_NS)
        received(target, 50)
        paces.append(counters.sleep_ns)

    assert paces[1] > paces[0]
    assert paces[-1] == paces[0]


def test_a_kernel_that_stays_full_costs_the_frame_and_not_the_stream(sockets):
    source, target = sockets
    source.refusals = (errno.EAGAIN,) * 200
    clock = Clock()
    start_ns = clock.now_ns
    sender = make_sender(source, clock)

    counters = sender.send(make_batch(100), target.getsockname(), start_ns, FRAME_60_NS)

    assert counters.packets == 0
    assert counters.dropped_packets == 100
    assert clock.now_ns - start_ns < 2 * FRAME_60_NS
    source.refusals = ()
    assert sender.send(make_batch(3), target.getsockname(), 0, 0).packets == 3


@pytest.mark.parametrize("error", [errno.EPERM, errno.ENETUNREACH, errno.EHOSTUNREACH])
def test_a_refused_group_is_counted_and_the_rest_is_sent(sockets, error):
    source, target = sockets
    source.refusals = (0, error)
    sender = make_sender(source)

    counters = sender.send(make_batch(100), target.getsockname(), 0, 0)

    assert counters.errors == 1
    assert counters.packets + counters.dropped_packets == 100
    assert len(received(target, counters.packets)) == counters.packets > 0
    assert sender.segmentation


def test_a_client_that_is_gone_does_not_end_the_sender():
    """A connected socket reports the ICMP answer to one packet when sending the next."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source,
    ):
        gone.bind(("127.0.0.1", 0))
        address = gone.getsockname()
        source.connect(address)
        gone.close()
        sender = make_sender(source)

        for _ in range(3):
            sender.send(make_batch(2), address, 0, 0)

        assert sender.totals.errors > 0
        assert sender.totals.packets + sender.totals.dropped_packets == 6


def test_totals_are_the_sum_of_the_frames(sockets):
    source, target = sockets
    sender = make_sender(source)

    frames = [sender.send(make_batch(n), target.getsockname(), 0, 0) for n in (1, 5, 40)]

    assert sender.totals.packets == sum(frame.packets for frame in frames) == 46
    assert sender.totals.calls == sum(frame.calls for frame in frames)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["ipv4", "mapped"])
def test_a_host_with_several_addresses_answers_from_the_one_that_was_asked(family):
    with (
        socket.socket(family, socket.SOCK_DGRAM) as source,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target,
    ):
        target.bind(("127.0.0.1", 0))
        source.bind(("", 0))
        prefix = "" if family == socket.AF_INET else "::ffff:"
        destination = (prefix + "127.0.0.1", target.getsockname()[1])

        make_sender(source).send(make_batch(3), destination, 0, 0, source="127.0.0.2")

        assert {address[0] for _, address in received(target, 3)} == {"127.0.0.2"}


def test_there_is_room_for_a_key_frame(sockets):
    source, _ = sockets
    before = source.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)

    given = raise_send_buffer(source, before * 2)

    assert given >= before
    assert given == source.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    assert raise_send_buffer(source, 1) == given


def test_the_traffic_class_is_set(sockets):
    source, _ = sockets

    assert set_dscp(source, 40)

    assert source.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 40 << 2
    if source.family == socket.AF_INET6:
        assert source.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS) == 40 << 2


def test_a_socket_that_takes_no_traffic_class_is_no_error():
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with left, right:
        assert not set_dscp(left, 40)


def test_a_traffic_class_has_six_bits(sockets):
    with pytest.raises(ValueError, match="64"):
        set_dscp(sockets[0], 64)
