"""Encoded frames in, datagrams with parity and encryption out."""

from punktfunk.gamestream.video.blocks import MAX_DATA_PACKETS, Block, plan_blocks
from punktfunk.gamestream.video.headers import FrameType, frame_header, rtp_timestamp
from punktfunk.gamestream.video.packetizer import PacketBatch, VideoPacketizer, VideoPosition

__all__ = [
    "MAX_DATA_PACKETS",
    "Block",
    "FrameType",
    "PacketBatch",
    "VideoPacketizer",
    "VideoPosition",
    "frame_header",
    "plan_blocks",
    "rtp_timestamp",
]
