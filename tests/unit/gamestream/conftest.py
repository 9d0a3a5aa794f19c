"""A video receiver written from the protocol alone: it shares no code with the sender."""

import struct

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEADER = struct.Struct(">BBHIII")
VIDEO = struct.Struct("<IIBBBBI")


def _times(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x11D if a & 0x80 else 0)
        b >>= 1
    return product


TIMES = [bytes(_times(a, b) for b in range(256)) for a in range(256)]
INVERSE = [0, *(TIMES[a].index(1) for a in range(1, 256))]


def _scaled(shard, factor):
    return int.from_bytes(shard.translate(TIMES[factor]), "little")


def rebuild(shards, data_count, parity_count):
    """Fill in lost data shards (None) of [data..., parity...] by elimination."""
    lost = [i for i in range(data_count) if shards[i] is None]
    length = len(next(shard for shard in shards if shard is not None))
    equations = []
    for j in range(parity_count):
        if len(equations) == len(lost):
            break
        if shards[data_count + j] is None:
            continue
        row = [INVERSE[(parity_count + i) ^ j] for i in range(data_count)]
        right = int.from_bytes(shards[data_count + j], "little")
        for i in range(data_count):
            if shards[i] is not None:
                right ^= _scaled(shards[i], row[i])
        equations.append(([row[i] for i in lost], right.to_bytes(length, "little")))
    assert len(equations) == len(lost), "more was lost than parity can rebuild"
    for column in range(len(lost)):
        pivot = next(at for at in range(column, len(lost)) if equations[at][0][column])
        equations[column], equations[pivot] = equations[pivot], equations[column]
        row, right = equations[column]
        factor = INVERSE[row[column]]
        row, right = [TIMES[factor][value] for value in row], right.translate(TIMES[factor])
        equations[column] = row, right
        for at, (other, other_right) in enumerate(equations):
            if at != column and (factor := other[column]):
                mixed = int.from_bytes(other_right, "little") ^ _scaled(right, factor)
                equations[at] = (
                    [a ^ TIMES[factor][b] for a, b in zip(other, row, strict=True)],
                    mixed.to_bytes(length, "little"),
                )
    for place, (_, right) in zip(lost, equations, strict=True):
        shards[place] = right


class Receiver:
    """Takes the datagrams of whole frames and gives back what was encoded."""

    def __init__(self, packet_size, key=None):
        self.datagram_bytes = packet_size + 16
        self.payload_bytes = packet_size - 16
        self.gcm = AESGCM(key) if key else None
        self.ivs = set()
        self.sequence = None
        self.stream_index = -1

    def opened(self, datagram):
        if self.gcm is None:
            assert len(datagram) == self.datagram_bytes
            return datagram
        iv, (hint,), tag, body = (
            datagram[:12],
            struct.unpack("<I", datagram[12:16]),
            datagram[16:32],
            datagram[32:],
        )
        assert iv not in self.ivs
        assert iv[8:] == b"\0\0\0V"
        self.ivs.add(iv)
        plain = self.gcm.decrypt(iv, body + tag, None)
        assert len(plain) == self.datagram_bytes
        assert struct.unpack_from("<I", plain, 20) == (hint,)
        return plain

    def frame(self, datagrams):
        """Rebuild one frame from those of its datagrams that arrived, in any blocks.

        Returns:
            (frame index, frame type, timestamp, encoded bytes including zero padding cut by
            the last payload length).
        """
        blocks, indices, timestamps, last_block = {}, set(), set(), set()
        for datagram in map(self.opened, datagrams):
            version, kind, sequence, timestamp, ssrc, extension = HEADER.unpack_from(datagram)
            assert (version, kind, ssrc, extension) == (0x90, 0, 0, 0)
            stream, index, flags, extra, multi, place, info = VIDEO.unpack_from(datagram, 16)
            data_count, shard, percent = info >> 22, info >> 12 & 0x3FF, info >> 4 & 0xFF
            assert info & 0xF == 0
            assert place & 0xF == 0
            parity_count = (data_count * percent + 99) // 100
            assert shard < data_count + parity_count
            assert data_count + parity_count <= 255 or not percent
            base = (sequence - shard) & 0xFFFF
            shape = (data_count, parity_count, base)
            block = blocks.setdefault(place >> 4 & 3, (shape, [None] * sum(shape[:2])))
            assert block[0] == shape
            block[1][shard] = datagram[16:]
            if shard < data_count:
                assert flags & ~0x07 == 0
                assert multi == 0x10
                assert extra in (0, 1)
                assert stream & 0xFFFF == sequence << 8 & 0xFFFF
            last_block.add(place >> 6)
            indices.add(index)
            timestamps.add(timestamp)
        assert len(indices) == len(timestamps) == len(last_block) == 1
        assert 0 not in indices
        assert 0 not in timestamps
        assert sorted(blocks) == list(range(last_block.pop() + 1))
        joined = b"".join(self._block(*blocks[place]) for place in sorted(blocks))
        sizes = [blocks[place][0][0] for place in sorted(blocks)]
        assert all(size == sizes[0] for size in sizes[:-1])
        assert 0 < sizes[-1] <= sizes[0]
        first, latency, frame_type, last, zero = struct.unpack_from("<BHBHH", joined)
        assert (first, zero) == (1, 0)
        assert 0 < last <= self.payload_bytes
        end = len(joined) - self.payload_bytes + last
        assert not any(joined[end:])
        return indices.pop(), frame_type, timestamps.pop(), latency, joined[8:end]

    def _block(self, shape, shards):
        data_count, parity_count, base = shape
        if self.sequence is not None:
            assert base == self.sequence
        self.sequence = (base + data_count + parity_count) & 0xFFFF
        rebuild(shards, data_count, parity_count)
        payload = []
        for place, shard in enumerate(shards[:data_count]):
            stream, _, flags, _, _, _, _ = VIDEO.unpack_from(shard)
            first, last = place == 0, place == data_count - 1
            assert flags == 0x01 | (0x04 if first else 0) | (0x02 if last else 0)
            assert stream & 0xFF == 0
            step = ((stream >> 8) - self.stream_index) & 0xFFFFFF
            assert self.stream_index < 0 or step == 1 or (first and 0 < step < 0x800000)
            self.stream_index = stream >> 8
            payload.append(shard[16:])
        return b"".join(payload)


@pytest.fixture(scope="session")
def video_receiver():
    """A class: `video_receiver(packet_size, key).frame(datagrams)`."""
    return Receiver
