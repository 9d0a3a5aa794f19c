"""A whole encoded frame at once into datagrams; docs/protocol/gamestream.md, section 4."""

import attrs
import numpy as np
from numpy.typing import NDArray

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.video.blocks import MAX_PERCENT, Block, plan_blocks
from punktfunk.gamestream.video.buffers import BufferRing, CipherBuffer, PlainBuffer
from punktfunk.gamestream.video.encryption import VideoCipher
from punktfunk.gamestream.video.headers import (
    DATAGRAM_HEADER_BYTES,
    ENCRYPTION_PREFIX_BYTES,
    END_OF_BLOCK,
    FRAME_HEADER_BYTES,
    LONG_TERM_REFERENCE,
    MULTI_FEC_FLAGS,
    OVERHEAD_BYTES,
    PICTURE,
    START_OF_BLOCK,
    FrameType,
    frame_header,
)
from punktfunk.wire.reedsolomon import MAX_SHARDS, cauchy_code

MIN_PACKET_SIZE = 64
MAX_PACKET_SIZE = 1_424
"""Fills an Ethernet packet with IPv4 when encrypted."""

BATCHES_IN_FLIGHT = 3
"""A batch may be read until this many further frames have been packetized."""

_MOST_PACKETS = 4 * (1_023 + MAX_SHARDS)
_COVERED = slice(16, None)  # parity of bytes 0 to 15 would be overwritten by RTP headers
_FLAG_COLUMNS = slice(24, 27)


@attrs.frozen(kw_only=True)
class VideoPosition:
    """Where the numbers of a stream are. Pass it on when one packetizer follows another.

    Attributes:
        sequence: RTP sequence number of the next packet, not wrapped. A client takes only
            streams that start at 0.
        frame_index: Of the next frame. A client takes only streams that start at 1.
        gcm_counter: Of the next encrypted packet. Under one key it must never go back.
    """

    sequence: int = 0
    frame_index: int = 1
    gcm_counter: int = 0


@attrs.frozen(kw_only=True)
class PacketBatch:
    """The datagrams of one frame in sending order, all equally long, without gaps.

    `data` is borrowed from the packetizer: it stays as it is until `BATCHES_IN_FLIGHT`
    further frames have been packetized.
    """

    data: memoryview
    packet_bytes: int
    packets: int
    data_packets: int
    frame_index: int


class VideoPacketizer:
    """Numbers, slices, protects and encrypts the frames of one stream.

    Use it from one thread. The batches may be read by another.

    Args:
        packet_size: What the client negotiated: a multiple of 16 from `MIN_PACKET_SIZE` to
            `MAX_PACKET_SIZE`. Datagrams are 16 bytes longer, 48 when encrypted.
        fec_percent: Parity per data, 0 to 255. May be assigned between frames.
        min_parity: Parity packets a block has at least.
        key: 16 bytes, or None to send in the clear.

    Raises:
        ProtocolError: a value is out of range.
    """

    def __init__(
        self,
        packet_size: int,
        fec_percent: int,
        min_parity: int,
        key: bytes | None,
        position: VideoPosition | None = None,
    ) -> None:
        if packet_size % 16 or not MIN_PACKET_SIZE <= packet_size <= MAX_PACKET_SIZE:
            raise ProtocolError("packet size cannot be used", packet_size=packet_size)
        if min_parity < 0:
            raise ProtocolError("minimum parity is negative", min_parity=min_parity)
        position = position or VideoPosition()
        self.fec_percent = fec_percent
        self._min_parity = min(min_parity, MAX_SHARDS)
        self._datagram_bytes = packet_size + OVERHEAD_BYTES
        self._payload_bytes = self._datagram_bytes - DATAGRAM_HEADER_BYTES
        self._sequence, self._frame_index = position.sequence, position.frame_index
        self._cipher = VideoCipher(key, position.gcm_counter) if key is not None else None
        # Where the ciphertext is what gets sent, one buffer of plain datagrams is enough.
        self._plain_ring = BufferRing(
            PlainBuffer, self._datagram_bytes, 1 if self._cipher else BATCHES_IN_FLIGHT + 1
        )
        self._sealed_ring = BufferRing(CipherBuffer, self._datagram_bytes, BATCHES_IN_FLIGHT + 1)
        counting = np.arange(_MOST_PACKETS, dtype=np.uint32)
        self._sequence_steps = counting.astype(np.uint16)
        self._stream_index_steps = counting << 8
        self._shard_index_steps = counting << 12

    @property
    def fec_percent(self) -> int:
        return self._fec_percent

    @fec_percent.setter
    def fec_percent(self, percent: int) -> None:
        if not 0 <= percent <= MAX_PERCENT:
            raise ProtocolError("parity is 0 to 255 per cent", fec_percent=percent)
        self._fec_percent = percent

    @property
    def position(self) -> VideoPosition:
        return VideoPosition(
            sequence=self._sequence,
            frame_index=self._frame_index,
            gcm_counter=self._cipher.counter if self._cipher else 0,
        )

    @property
    def packet_bytes(self) -> int:
        """Length of every datagram this packetizer makes."""
        return self._datagram_bytes + (ENCRYPTION_PREFIX_BYTES if self._cipher else 0)

    def packetize(
        self,
        frame: bytes | bytearray | memoryview,
        *,
        frame_type: FrameType,
        timestamp_90k: int,
        latency_tenths_ms: int = 0,
        long_term_reference: bool = False,
    ) -> PacketBatch | None:
        """Turn one encoded frame into the datagrams to send.

        Args:
            frame: The access unit, not empty.
            timestamp_90k: See `rtp_timestamp`; 0 is sent as 1.
            latency_tenths_ms: From capture to now; shown in the client's statistics.
            long_term_reference: The encoder keeps this frame until the client confirms it.

        Returns:
            None when the frame is too large for any client. No number was used up: drop
            the frame and have the next one be an IDR.
        """
        body = np.frombuffer(frame, dtype=np.uint8)
        data_packets = -(-(FRAME_HEADER_BYTES + body.size) // self._payload_bytes)
        blocks = plan_blocks(data_packets, self._fec_percent, self._min_parity)
        if blocks is None:
            return None
        packets = blocks[-1].first_packet + blocks[-1].packets
        header = frame_header(body.size, self._payload_bytes, frame_type, latency_tenths_ms)
        plain = self._plain_ring.take(packets)
        _write_payload(plain, blocks, header, body)
        for block in blocks:
            self._protect(plain, block, LONG_TERM_REFERENCE if long_term_reference else 0)
        self._write_headers(plain, blocks, packets, timestamp_90k & 0xFFFFFFFF or 1)
        batch = PacketBatch(
            data=self._seal(plain, packets),
            packet_bytes=self.packet_bytes,
            packets=packets,
            data_packets=data_packets,
            frame_index=self._frame_index,
        )
        self._sequence += packets
        self._frame_index += 1
        return batch

    def _protect(self, plain: PlainBuffer, block: Block, extra_flags: int) -> None:
        """Write what parity covers into the data packets, then the parity packets."""
        start = block.first_packet
        data_end, end = start + block.data_shards, start + block.packets
        first_index = np.uint32((self._sequence + start) << 8 & 0xFFFFFFFF)
        plain.fields["stream_index"][start:data_end] = (
            self._stream_index_steps[: block.data_shards] + first_index
        )
        plain.rows[start:data_end, _FLAG_COLUMNS] = (PICTURE, extra_flags, MULTI_FEC_FLAGS)
        flags = plain.fields["flags"]
        flags[start] |= START_OF_BLOCK
        flags[data_end - 1] |= END_OF_BLOCK
        if block.parity_shards:
            cauchy_code(block.data_shards, block.parity_shards).encode_into(
                plain.rows[start:data_end, _COVERED], plain.rows[data_end:end, _COVERED]
            )

    def _write_headers(
        self, plain: PlainBuffer, blocks: tuple[Block, ...], packets: int, timestamp_90k: int
    ) -> None:
        """Write what parity packets need in clear too, over what the code made of it."""
        fields = plain.fields
        first_sequence = np.uint16(self._sequence & 0xFFFF)
        fields["sequence"][:packets] = self._sequence_steps[:packets] + first_sequence
        fields["timestamp"][:packets] = timestamp_90k
        fields["frame_index"][:packets] = self._frame_index & 0xFFFFFFFF
        for number, block in enumerate(blocks):
            rows = slice(block.first_packet, block.first_packet + block.packets)
            fields["multi_fec_blocks"][rows] = (len(blocks) - 1) << 6 | number << 4
            shape = np.uint32(block.data_shards << 22 | block.fec_percent << 4)
            fields["fec_info"][rows] = self._shard_index_steps[: block.packets] | shape

    def _seal(self, plain: PlainBuffer, packets: int) -> memoryview:
        if self._cipher is None:
            return plain.bytes_of(packets)
        sealed = self._sealed_ring.take(packets)
        self._cipher.seal(plain, sealed, packets, self._frame_index & 0xFFFFFFFF)
        return sealed.bytes_of(packets)


def _write_payload(
    plain: PlainBuffer, blocks: tuple[Block, ...], header: bytes, body: NDArray[np.uint8]
) -> None:
    """Slice header and frame over the data packets of all blocks, and pad the last one."""
    payloads = plain.payloads
    payload_bytes = payloads.shape[1]
    room = payload_bytes - len(header)
    payloads[0, : len(header)] = np.frombuffer(header, dtype=np.uint8)
    payloads[0, len(header) : len(header) + body.size] = body[:room]
    rest = body[room:]
    full = rest.size // payload_bytes
    middle = rest[: full * payload_bytes].reshape(full, payload_bytes)
    tail = rest[full * payload_bytes :]
    for block in blocks:
        shift = block.first_packet - block.first_data
        first = max(block.first_data, 1)
        end = min(block.first_data + block.data_shards, full + 1)
        if end > first:
            payloads[first + shift : end + shift] = middle[first - 1 : end - 1]
    last = blocks[-1].first_packet + blocks[-1].data_shards - 1
    if tail.size:
        payloads[last, : tail.size] = tail
        payloads[last, tail.size :] = 0
    elif body.size < room:
        payloads[0, len(header) + body.size :] = 0
