"""What a frame costs between the encoder and the network, in ratios and shares of a frame.

CPU time of this thread; candidates alternate round by round, medians are compared. Run with
PUNKTFUNK_BENCH=1 and `-s` to see the figures.
"""

import os
import socket
import statistics
import time

import numpy as np
import pytest

from punktfunk.gamestream.video import FrameType, VideoPacketizer, VideoPosition
from punktfunk.session.sender import VideoSender
from punktfunk.wire import rs_isal
from punktfunk.wire.reedsolomon import Backend, ReedSolomon, available_backends, cauchy_rows

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(os.environ.get("PUNKTFUNK_BENCH") != "1", reason="PUNKTFUNK_BENCH=1 only"),
]

FRAME_60_NS = 16_666_666
SHARD_BYTES = 1_392
ENCRYPTED_PACKET_SIZE = 1_360  # what clients ask for when they want video encrypted
GOAL_PERCENT = {20: 2, 80: 4, 150: 8}
CACHE_SWEEP = np.zeros(16 * 1_024 * 1_024, dtype=np.uint8)


def cpu_ns(call):
    before = time.thread_time_ns()
    call()
    return time.thread_time_ns() - before


def medians(candidates, rounds):
    """Run each candidate once a round and give back the median CPU time of each."""
    for call in candidates.values():
        call()
    times = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, call in candidates.items():
            times[name].append(cpu_ns(call))
    return {name: statistics.median(values) for name, values in times.items()}


def portable_encoder(rows):
    """ISA-L's C code without vector instructions: the yardstick."""
    library = rs_isal.load_library().releasing_gil
    parity_shards, data_shards = rows.shape
    tables = np.zeros(rows.size * 32, dtype=np.uint8)
    library.ec_init_tables_base.argtypes = library.ec_init_tables.argtypes
    library.ec_init_tables_base.restype = None
    library.ec_encode_data_base.argtypes = library.ec_encode_data.argtypes
    library.ec_encode_data_base.restype = None
    matrix = np.ascontiguousarray(rows)
    library.ec_init_tables_base(data_shards, parity_shards, matrix.ctypes.data, tables.ctypes.data)

    def encode(data, parity):
        pointers = [
            (at.ctypes.data + np.arange(len(at)) * at.strides[0]).astype(np.uintp)
            for at in (data, parity)
        ]
        library.ec_encode_data_base(
            data.shape[1],
            data_shards,
            parity_shards,
            tables.ctypes.data,
            pointers[0].ctypes.data,
            pointers[1].ctypes.data,
        )

    return encode


@pytest.mark.skipif(rs_isal.load_library() is None, reason="needs ISA-L as the yardstick")
def test_parity_costs_little_beside_the_portable_c_code():
    print(f"\nparity of {SHARD_BYTES}-byte shards, CPU time")
    ratios = {}
    for data_shards, parity_shards in ((20, 4), (50, 10), (100, 20), (200, 40)):
        rows = cauchy_rows(data_shards, parity_shards)
        buffer = np.random.default_rng(1).integers(
            0, 256, (data_shards + parity_shards, SHARD_BYTES), dtype=np.uint8
        )
        data, parity = buffer[:data_shards], buffer[data_shards:]
        copy = np.empty_like(data)
        portable = portable_encoder(rows)
        codes = {backend: ReedSolomon(rows, backend) for backend in available_backends()}

        def run(encode, data=data, parity=parity, times=5):
            for _ in range(times):
                encode(data, parity)

        def memcpy(data=data, copy=copy):
            for _ in range(5):
                np.copyto(copy, data)

        candidates = {"C": lambda p=portable, run=run: run(p), "memcpy": memcpy}
        for backend, code in codes.items():
            candidates[backend.value] = lambda c=code, run=run: run(c.encode_into)
        portable(data, parity)
        expected = parity.copy()
        for code in codes.values():
            code.encode_into(data, parity)
            assert (parity == expected).all()

        result = medians(candidates, 15)

        ratios[data_shards] = {name: value / result["C"] for name, value in result.items()}
        shown = "  ".join(
            f"{name} {value / 5_000:.1f} us = {value / result['C']:.3f} C"
            f" = {value / result['memcpy']:.1f} memcpy"
            for name, value in result.items()
        )
        print(f"  {data_shards}+{parity_shards}: {shown}")
    if Backend.ISAL in available_backends():
        assert all(shape[Backend.ISAL.value] < 0.8 for shape in ratios.values())
    assert all(shape[Backend.NUMBA.value] < 3 for shape in ratios.values())


@pytest.fixture
def loopback():
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target,
    ):
        target.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1_024 * 1_024)
        target.bind(("127.0.0.1", 0))
        source.bind(("127.0.0.1", 0))
        target.setblocking(False)
        yield source, target


def drain(target):
    for _ in range(10_000):
        try:
            target.recv(2_048)
        except BlockingIOError:
            return


def encoded_frame(megabits_per_s):
    size = megabits_per_s * 1_000_000 // 8 // 60
    return np.random.default_rng(2).integers(0, 256, size, dtype=np.uint8).tobytes()


class Transport:
    """One rate's packetizer and sender, timing a frame stage by stage."""

    def __init__(self, megabits_per_s, source, target):
        self.frame = encoded_frame(megabits_per_s)
        self.clear = VideoPacketizer(ENCRYPTED_PACKET_SIZE, 20, 2, None)
        self.sealed = VideoPacketizer(ENCRYPTED_PACKET_SIZE, 20, 2, bytes(range(16)))
        self.sender = VideoSender(source)
        self.target = target
        self.times = {"packetize + FEC": [], "with GCM": [], "send": [], "all": []}

    def frame_through(self, warm):
        for name, packetizer in (("packetize + FEC", self.clear), ("with GCM", self.sealed)):
            if not warm:
                CACHE_SWEEP[:] += 1  # as an encoder would leave the caches
            before = time.thread_time_ns()
            batch = packetizer.packetize(
                self.frame, frame_type=FrameType.NORMAL, timestamp_90k=1_500
            )
            self.times[name].append(time.thread_time_ns() - before)
        before = time.thread_time_ns()
        self.sender.send(batch, self.target.getsockname(), time.monotonic_ns(), FRAME_60_NS)
        self.times["send"].append(time.thread_time_ns() - before)
        self.times["all"].append(self.times["with GCM"][-1] + self.times["send"][-1])
        drain(self.target)

    def percent(self, name):
        return 100 * statistics.median(self.times[name]) / FRAME_60_NS


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "caches-swept"])
def test_a_frame_from_encoder_to_network_grows_no_faster_than_its_bits(loopback, warm):
    rates = {rate: Transport(rate, *loopback) for rate in GOAL_PERCENT}
    for transport in rates.values():
        transport.frame_through(warm)
        transport.times = {name: [] for name in transport.times}

    for _ in range(60):
        for transport in rates.values():
            transport.frame_through(warm)

    print(f"\nCPU share of a 60 fps frame, 20 % parity, encrypted, {'warm' if warm else 'swept'}")
    for rate, transport in rates.items():
        shown = "  ".join(f"{name} {transport.percent(name):.2f} %" for name in transport.times)
        print(f"  {rate} Mb/s: {shown}  (goal {GOAL_PERCENT[rate]} %)")
        assert transport.sender.totals.dropped_packets == 0
    assert rates[150].percent("all") < 2 * 7.5 * rates[20].percent("all")


def test_kernel_segmentation_is_cheaper_than_a_call_for_each_packet(loopback):
    source, target = loopback
    batch = VideoPacketizer(ENCRYPTED_PACKET_SIZE, 20, 2, None, VideoPosition()).packetize(
        encoded_frame(80), frame_type=FrameType.NORMAL, timestamp_90k=1_500
    )
    times = {True: [], False: []}
    senders = {on: VideoSender(source, segmentation=on) for on in times}

    for _ in range(30):
        for on, sender in senders.items():
            before = time.thread_time_ns()
            sender.send(batch, target.getsockname(), 0, 0)
            times[on].append(time.thread_time_ns() - before)
            drain(target)

    if not senders[True].segmentation:
        pytest.skip("this kernel does not segment UDP")
    each = {on: statistics.median(values) / batch.packets for on, values in times.items()}
    print(f"\nsend, CPU per packet: with GSO {each[True]:.0f} ns, without {each[False]:.0f} ns")
    assert each[True] < 0.8 * each[False]
