"""Bytes in front of the picture; docs/protocol/gamestream.md, sections 4.2 to 4.4."""

import struct
from enum import IntEnum

import numpy as np

DATAGRAM_HEADER_BYTES = 32
FRAME_HEADER_BYTES = 8
OVERHEAD_BYTES = 16
"""A datagram is this much longer than the packet size the client negotiated."""

RTP_VERSION_WITH_EXTENSION = 0x90
MULTI_FEC_FLAGS = 0x10
PICTURE, END_OF_BLOCK, START_OF_BLOCK = 0x01, 0x02, 0x04
LONG_TERM_REFERENCE = 0x01

DATAGRAM_HEADER = np.dtype(
    [
        ("version", "u1"),
        ("packet_type", "u1"),
        ("sequence", ">u2"),
        ("timestamp", ">u4"),
        ("ssrc", "<u4"),
        ("extension", "<u4"),
        ("stream_index", "<u4"),
        ("frame_index", "<u4"),
        ("flags", "u1"),
        ("extra_flags", "u1"),
        ("multi_fec_flags", "u1"),
        ("multi_fec_blocks", "u1"),
        ("fec_info", "<u4"),
    ]
)

ENCRYPTION_PREFIX = np.dtype([("counter", "<u8"), ("domain", "<u4"), ("frame_index", "<u4")])
ENCRYPTION_PREFIX_BYTES = 32
TAG_BYTES = 16
VIDEO_DOMAIN = b"\0\0\0V"
"""The last four of the twelve IV bytes keep video's IVs apart from the control stream's."""

_FRAME_HEADER = struct.Struct("<BHBHxx")


class FrameType(IntEnum):
    """What a client that waits after a loss may start from: anything but `NORMAL`."""

    NORMAL = 1
    IDR = 2
    INTRA_REFRESH = 4
    AFTER_INVALIDATION = 5


def frame_header(
    frame_bytes: int, payload_bytes: int, frame_type: FrameType, latency_tenths_ms: int
) -> bytes:
    """Eight bytes that precede the encoded frame in its first packet.

    Args:
        frame_bytes: Length of the encoded frame.
        payload_bytes: Room in a packet, packet size less 16.
        latency_tenths_ms: From capture to here, 0 when unknown; capped at 6.5 s.
    """
    last_bytes = (FRAME_HEADER_BYTES + frame_bytes) % payload_bytes or payload_bytes
    latency = min(max(latency_tenths_ms, 0), 0xFFFF)
    return _FRAME_HEADER.pack(0x01, latency, frame_type, last_bytes)


def rtp_timestamp(since_start_ns: int) -> int:
    """90 kHz ticks of a capture time counted from the start of the stream, never 0."""
    return (since_start_ns * 9 // 100_000) & 0xFFFFFFFF or 1
