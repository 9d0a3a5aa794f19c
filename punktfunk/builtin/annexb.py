"""The first few NAL units of an H.264 or HEVC frame.

The client recognises a key frame by what comes before its first slice (section 4.8 of
docs/protocol/gamestream.md): the parameter sets, and nothing else.
"""

from collections.abc import Iterator

import attrs

from punktfunk.model.video import Codec

_START_CODE = b"\0\0\1"
_FIRST_BYTES = 16
_HEAD_BYTES = 8_192  # parameter sets and the longest SEI an encoder writes

_SLICES = {Codec.H264: range(1, 6), Codec.HEVC: range(0, 32)}
_KEY_SLICES = {Codec.H264: frozenset({5}), Codec.HEVC: frozenset({19, 20})}
_PARAMETER_SETS = {Codec.H264: frozenset({7, 8}), Codec.HEVC: frozenset({32, 33, 34})}


@attrs.frozen
class NalUnit:
    """Where a unit starts (its start code) and ends, and what it is."""

    type: int
    start: int
    end: int


def nal_units(data: bytes, codec: Codec) -> Iterator[NalUnit]:
    """Walk through Annex B data. A unit cut off at the end counts as complete."""
    at = data.find(_START_CODE)
    while 0 <= at < len(data) - len(_START_CODE):
        header = data[at + 3]
        following = data.find(_START_CODE, at + 3)
        start = at - 1 if at and data[at - 1] == 0 else at
        end = len(data) if following < 0 else following
        if following > 0 and data[following - 1] == 0:
            end -= 1
        yield NalUnit(header & 0x1F if codec is Codec.H264 else header >> 1 & 0x3F, start, end)
        at = following


def tidy(access_unit: memoryview, codec: Codec) -> tuple[bytes | memoryview, bool]:
    """Take away what stands before the first slice and is no parameter set.

    Returns:
        The access unit (itself when there was nothing to take away), and whether it is an
        IDR.

    Raises:
        ValueError: there is no slice near its beginning.
    """
    first = next(nal_units(bytes(access_unit[:_FIRST_BYTES]), codec), None)
    if first and first.start == 0 and first.type in _SLICES[codec]:
        return access_unit, first.type in _KEY_SLICES[codec]
    head = bytes(access_unit[:_HEAD_BYTES])
    kept: list[bytes] = []
    dropped = False
    for unit in nal_units(head, codec):
        if unit.type in _SLICES[codec]:
            keyframe = unit.type in _KEY_SLICES[codec]
            if not dropped:
                return access_unit, keyframe
            return b"".join((*kept, access_unit[unit.start :])), keyframe
        if unit.type in _PARAMETER_SETS[codec]:
            kept.append(head[unit.start : unit.end])
        else:
            dropped = True
    raise ValueError("no slice near the beginning of the frame")
