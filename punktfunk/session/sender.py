"""A frame's datagrams onto the network: paced, many to a system call, surviving errors."""

import errno
import socket
import struct
import time
from collections.abc import Callable

import attrs

from punktfunk.gamestream.endpoint import Address
from punktfunk.gamestream.video import PacketBatch
from punktfunk.session.pacing import PEAK_BITS_PER_S, Group, plan_groups

SEND_BUFFER_BYTES = 4 * 1_024 * 1_024

_UDP_SEGMENT = 103
_IP_PKTINFO = 8
_IN_PKTINFO = struct.Struct("=i4s4s")
_IN6_PKTINFO = struct.Struct("=16si")

# What a kernel, card or path says that cannot segment for us.
_NO_SEGMENTATION = frozenset(
    {errno.EIO, errno.EINVAL, errno.EMSGSIZE, errno.ENOPROTOOPT, errno.EOPNOTSUPP}
)
_FULL = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM})
_FULL_WAIT_NS = 500_000
_MOST_WAITS = 20
"""In one frame. A network that has no room for so long gets the next frame instead."""
_SLOWEST_BITS_PER_S = PEAK_BITS_PER_S // 10


@attrs.define
class SendCounters:
    """What happened to the packets of a frame, or of a stream so far.

    Attributes:
        packets: Handed to the kernel.
        bytes: Of those, without IP and UDP headers.
        dropped_packets: Not handed to the kernel, because it refused.
        calls: System calls that sent something.
        waits: Times the kernel had no room.
        errors: Refusals of any other kind.
        sleep_ns: Time slept to keep the pace.
    """

    packets: int = 0
    bytes: int = 0
    dropped_packets: int = 0
    calls: int = 0
    waits: int = 0
    errors: int = 0
    sleep_ns: int = 0

    def add(self, other: "SendCounters") -> None:
        self.packets += other.packets
        self.bytes += other.bytes
        self.dropped_packets += other.dropped_packets
        self.calls += other.calls
        self.waits += other.waits
        self.errors += other.errors
        self.sleep_ns += other.sleep_ns


class VideoSender:
    """Sends batches from one bound UDP socket, which stays its owner's.

    Use it from one thread at a time; it sleeps. A full or failing network never raises: it
    is counted, and later frames are paced slower until it has recovered.

    Attributes:
        totals: Everything since this sender was made.
        segmentation: Whether the kernel cuts groups into datagrams (UDP GSO). Becomes
            False for good at the first sign that it cannot.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        segmentation: bool = True,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._socket = sock
        self._clock_ns, self._sleep = clock_ns, sleep
        self._peak_bits_per_s = PEAK_BITS_PER_S
        self.segmentation = segmentation
        self.totals = SendCounters()
        raise_send_buffer(sock, SEND_BUFFER_BYTES)

    def send(
        self,
        batch: PacketBatch,
        destination: Address,
        start_ns: int,
        interval_ns: int,
        source: str | None = None,
    ) -> SendCounters:
        """Send one frame. Returns when its last packet was handed over or given up.

        Args:
            start_ns: CLOCK_MONOTONIC from which the frame's packets are due. What is late
                leaves at once.
            interval_ns: Time between frames; 0 sends without pacing.
            source: Local address to send from, for a socket bound to any address on a host
                with several.
        """
        counters = SendCounters()
        frame = _Frame(batch, destination, packet_info(self._socket, source))
        groups = plan_groups(batch.packets, batch.packet_bytes, interval_ns, self._peak_bits_per_s)
        for group in groups:
            self._sleep_until(start_ns + group.due_ns, counters)
            start_ns += self._send_group(frame, group, counters)
        self._adapt(counters)
        self.totals.add(counters)
        return counters

    def _sleep_until(self, deadline_ns: int, counters: SendCounters) -> None:
        before_ns = self._clock_ns()
        if before_ns < deadline_ns:
            self._sleep((deadline_ns - before_ns) / 1e9)
            counters.sleep_ns += self._clock_ns() - before_ns

    def _send_group(self, frame: "_Frame", group: Group, counters: SendCounters) -> int:
        """Send a group and say by how many nanoseconds the rest of the frame is delayed."""
        if self.segmentation and group.packets > 1:
            error, late_ns = self._send_call(frame, group.first, group.packets, counters)
            if error not in _NO_SEGMENTATION:
                return late_ns
            self.segmentation = False
        late_ns = 0
        for place in range(group.first, group.first + group.packets):
            late_ns += self._send_call(frame, place, 1, counters)[1]
        return late_ns

    def _send_call(
        self, frame: "_Frame", first: int, packets: int, counters: SendCounters
    ) -> tuple[int, int]:
        """One system call, repeated while the kernel has no room.

        Returns:
            The final errno (0 when sent) and the time waited for room, in nanoseconds.
            Packets that only segmentation stood in the way of are not counted as dropped.
        """
        data, ancillary = frame.part(first, packets)
        waited_ns = 0
        refused_before = False
        while True:
            try:
                self._socket.sendmsg(data, ancillary, socket.MSG_DONTWAIT, frame.destination)
            except OSError as refusal:
                error = refusal.errno or errno.EIO
            else:
                counters.packets += packets
                counters.bytes += packets * frame.batch.packet_bytes
                counters.calls += 1
                return 0, waited_ns
            if error in _FULL and counters.waits < _MOST_WAITS:
                counters.waits += 1
                self._sleep(_FULL_WAIT_NS / 1e9)
                waited_ns += _FULL_WAIT_NS
            elif error == errno.ECONNREFUSED and not refused_before:
                refused_before = True  # the answer to an earlier packet; this one was not tried
                counters.errors += 1
            else:
                break
        if packets > 1 and error in _NO_SEGMENTATION:
            return error, waited_ns
        counters.errors += error not in _FULL
        counters.dropped_packets += packets
        return error, waited_ns

    def _adapt(self, counters: SendCounters) -> None:
        if counters.waits:
            self._peak_bits_per_s = max(self._peak_bits_per_s // 2, _SLOWEST_BITS_PER_S)
        elif self._peak_bits_per_s < PEAK_BITS_PER_S:
            faster = self._peak_bits_per_s + PEAK_BITS_PER_S // 100
            self._peak_bits_per_s = min(faster, PEAK_BITS_PER_S)


def raise_send_buffer(sock: socket.socket, wanted_bytes: int) -> int:
    """Ask for room for a key frame and return what the kernel gave."""
    if sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) < wanted_bytes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, wanted_bytes)
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)


def set_dscp(sock: socket.socket, value: int) -> bool:
    """Mark everything sent with a traffic class, 0 to 63. False where it is not allowed."""
    if not 0 <= value <= 63:
        raise ValueError(f"DSCP has six bits: {value}")
    try:
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, value << 2)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, value << 2)
    except OSError:
        return False
    return True


Ancillary = tuple[int, int, bytes]


@attrs.frozen
class _Frame:
    batch: PacketBatch
    destination: Address
    packet_info: list[Ancillary]

    def part(self, first: int, packets: int) -> tuple[list[memoryview], list[Ancillary]]:
        size = self.batch.packet_bytes
        data = self.batch.data[first * size : (first + packets) * size]
        if packets == 1:
            return [data], self.packet_info
        segment = (socket.SOL_UDP, _UDP_SEGMENT, struct.pack("=H", size))
        return [data], [*self.packet_info, segment]


def packet_info(sock: socket.socket, source: str | None) -> list[Ancillary]:
    """What makes the kernel send from one of several local addresses; for `sendmsg`."""
    if source is None:
        return []
    if sock.family == socket.AF_INET6:
        mapped = source if ":" in source else f"::ffff:{source}"
        info = _IN6_PKTINFO.pack(socket.inet_pton(socket.AF_INET6, mapped), 0)
        return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, info)]
    info = _IN_PKTINFO.pack(0, socket.inet_pton(socket.AF_INET, source), bytes(4))
    return [(socket.IPPROTO_IP, _IP_PKTINFO, info)]
