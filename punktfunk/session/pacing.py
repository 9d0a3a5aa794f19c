"""When the packets of a frame leave: in small groups, spread so that no queue overflows."""

from functools import lru_cache

import attrs

MAX_SEGMENTS = 63
MAX_CALL_BYTES = 65_507

BURST_PACKETS = 44
"""A frame up to this long is sent at once: 64 KB, which any card and client takes."""

GROUP_PACKETS = 16
"""The unit of a frame that is spread."""

MOST_GROUPS = 5
"""Each group costs a sleep, and waking up is dearer than sending. A frame of more groups
than this gets larger ones, as far as a system call takes them."""

PEAK_BITS_PER_S = 500_000_000
"""How fast groups follow each other when there is time. Half of a gigabit link, and what a
good radio link carries."""

MIN_GAP_NS = 250_000
"""Sleeping for less is mostly overshoot."""

_SPREAD_PERCENT = 80


@attrs.frozen
class Group:
    """Packets that leave in one system call.

    Attributes:
        first: Place of the first packet in the batch.
        packets: How many.
        due_ns: When, counted from the frame's start.
    """

    first: int
    packets: int
    due_ns: int


@lru_cache(maxsize=256)
def plan_groups(
    packets: int,
    packet_bytes: int,
    interval_ns: int,
    peak_bits_per_s: int = PEAK_BITS_PER_S,
) -> tuple[Group, ...]:
    """Cut a frame into groups and say when each leaves.

    A small frame leaves at once. A larger one leaves at `peak_bits_per_s`, or faster where
    it would otherwise take more than 80 % of the frame interval.

    Args:
        packets: All equally long, at least 1.
        packet_bytes: Payload of a datagram.
        interval_ns: Time until the next frame. 0 means send all of it now.
    """
    most = max(1, min(MAX_SEGMENTS, MAX_CALL_BYTES // packet_bytes))
    spread_ns = interval_ns * _SPREAD_PERCENT // 100
    if packets <= BURST_PACKETS or spread_ns < MIN_GAP_NS:
        return _groups(packets, min(BURST_PACKETS, most), 0)
    most_groups = min(MOST_GROUPS, spread_ns // MIN_GAP_NS + 1)
    size = min(max(GROUP_PACKETS, -(-packets // most_groups)), most)
    gaps = max(-(-packets // size) - 1, 1)
    wish_ns = size * packet_bytes * 8 * 1_000_000_000 // peak_bits_per_s
    return _groups(packets, size, min(max(wish_ns, MIN_GAP_NS), spread_ns // gaps))


def _groups(packets: int, size: int, gap_ns: int) -> tuple[Group, ...]:
    return tuple(
        Group(first, min(size, packets - first), place * gap_ns)
        for place, first in enumerate(range(0, packets, size))
    )
