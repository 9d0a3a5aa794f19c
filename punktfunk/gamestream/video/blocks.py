"""How a frame is cut into parity blocks; docs/protocol/gamestream.md, section 4.5."""

from functools import lru_cache

import attrs

from punktfunk.wire.reedsolomon import MAX_SHARDS

MAX_BLOCKS = 4
MAX_DATA_PACKETS = MAX_BLOCKS * 1_023
MAX_PERCENT = 255


@attrs.frozen(kw_only=True)
class Block:
    """Consecutive data packets of a frame and the parity that follows them on the wire.

    Attributes:
        first_data: Place of the first data packet among the frame's data packets.
        first_packet: Place of the first packet among all packets of the frame.
        fec_percent: What the header says; the client makes `parity_shards` from it.
    """

    first_data: int
    first_packet: int
    data_shards: int
    parity_shards: int
    fec_percent: int

    @property
    def packets(self) -> int:
        return self.data_shards + self.parity_shards


@lru_cache(maxsize=512)
def plan_blocks(
    data_packets: int, fec_percent: int, min_parity: int = 0
) -> tuple[Block, ...] | None:
    """Cut a frame of `data_packets` into at most four blocks.

    A frame too large for four blocks at this percentage gets the highest lower one that
    fits; from 1009 packets on that is none. All blocks but the last are equally long.

    Args:
        data_packets: At least 1.
        fec_percent: Parity per data, 0 (no parity at all) to 255.
        min_parity: Parity packets the client wants in each block at least. Kept as far as
            255 % and 255 shards allow; means nothing without parity.

    Returns:
        The blocks in sending order, or None when no client could take the frame (more
        than `MAX_DATA_PACKETS`): drop it and send an IDR.
    """
    if data_packets > MAX_DATA_PACKETS:
        return None
    percent = fec_percent
    while percent and data_packets > MAX_BLOCKS * _most_data_shards(percent):
        percent -= 1
    count = min(-(-data_packets // _most_data_shards(percent)), MAX_BLOCKS)
    per_block = -(-data_packets // count)
    blocks: list[Block] = []
    sent = 0
    for first_data in range(0, data_packets, per_block):
        data_shards = min(per_block, data_packets - first_data)
        written = _percent_for(data_shards, percent, min_parity) if percent else 0
        blocks.append(
            Block(
                first_data=first_data,
                first_packet=sent,
                data_shards=data_shards,
                parity_shards=_parity(data_shards, written),
                fec_percent=written,
            )
        )
        sent += blocks[-1].packets
    return tuple(blocks)


def _most_data_shards(percent: int) -> int:
    return MAX_SHARDS * 100 // (100 + percent)


def _parity(data_shards: int, percent: int) -> int:
    """The client's own formula, whole numbers only."""
    return (data_shards * percent + 99) // 100


def _percent_for(data_shards: int, percent: int, min_parity: int) -> int:
    """A percentage that gives the wanted parity when the client computes with it.

    Not every count can be said in whole per cent (52 parity for 102 data cannot); then the
    next higher one is taken.
    """
    if _parity(data_shards, percent) >= min_parity:
        return percent
    wanted = 100 * min_parity // data_shards
    if _parity(data_shards, wanted) < min_parity:
        wanted += 1
    room = 100 * (MAX_SHARDS - data_shards) // data_shards
    return min(wanted, room, MAX_PERCENT)
