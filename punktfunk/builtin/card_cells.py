"""The part of the test card that programs read: 4 rows of 32 black and white squares.

In the top left corner, most significant bit first: the frame counter, the high and the
low half of CLOCK_MONOTONIC in nanoseconds, and the CRC-32 of the twelve bytes before it.
"""

import struct
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

CELL_ROWS, CELL_COLUMNS = 4, 32
MIN_CELL_PX = 8

_CONTENT = struct.Struct(">IQ")
_CRC = struct.Struct(">I")


def cell_px(width_px: int, height_px: int) -> int:
    """The side of a square. The card also has a black margin of one to the right and below.

    Raises:
        ValueError: the picture is too small for the card.
    """
    fitting = min(width_px // (CELL_COLUMNS + 1), max(MIN_CELL_PX, height_px // 45))
    if fitting < MIN_CELL_PX or height_px < fitting * (CELL_ROWS + 1):
        raise ValueError(f"a test card needs more than {width_px}x{height_px} pixels")
    return fitting


def cells(counter: int, clock_ns: int) -> NDArray[np.bool_]:
    """Rows × columns, True is white."""
    content = _CONTENT.pack(counter & 0xFFFF_FFFF, clock_ns)
    packed = np.frombuffer(content + _CRC.pack(crc32(content)), dtype=np.uint8)
    return np.unpackbits(packed).reshape(CELL_ROWS, CELL_COLUMNS).astype(np.bool_)


def content_of(bits: NDArray[np.bool_]) -> tuple[int, int] | None:
    """Counter and clock of 4 × 32 cells; None when the CRC says they were misread."""
    packed = np.packbits(bits).tobytes()
    content, checksum = packed[: _CONTENT.size], packed[_CONTENT.size :]
    if _CRC.pack(crc32(content)) != checksum:
        return None
    counter, clock_ns = _CONTENT.unpack(content)
    return counter, clock_ns
