"""Reads the test card out of a decoded luma plane, written independently of the one that draws it.

Four rows of 32 square cells start in the top left corner, most significant bit first, white is
one: the frame counter, the high and the low half of the clock in nanoseconds, and the CRC-32 over
the twelve bytes before it.
"""

import struct
import zlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

ROWS, COLUMNS = 4, 32


class Card(NamedTuple):
    counter: int
    clock_ns: int


def cell_side_px(height_px: int) -> int:
    return max(8, height_px // 45)


def read_card(luma: npt.NDArray[np.uint8]) -> Card | None:
    """The card in an 8-bit plane of shape (height, width), or None when there is none.

    Only the middle half of every cell is averaged, so blur at the borders does no harm.
    """
    height_px, width_px = luma.shape
    side = cell_side_px(height_px)
    if side * ROWS > height_px or side * COLUMNS > width_px:
        return None
    cells = luma[: side * ROWS, : side * COLUMNS].reshape(ROWS, side, COLUMNS, side)
    quarter = side // 4
    middle = cells[:, quarter : side - quarter, :, quarter : side - quarter]
    bits = middle.mean(axis=(1, 3)) > 126
    counter, high, low, crc = (int.from_bytes(np.packbits(row).tobytes(), "big") for row in bits)
    clock_ns = high << 32 | low
    if zlib.crc32(struct.pack(">IQ", counter, clock_ns)) != crc:
        return None
    return Card(counter, clock_ns)


def draw_card(luma: npt.NDArray[np.uint8], counter: int, clock_ns: int) -> None:
    """Put a card into a plane; only the client's own tests draw with this."""
    side = cell_side_px(luma.shape[0])
    body = struct.pack(">IQ", counter, clock_ns)
    words = body + struct.pack(">I", zlib.crc32(body))
    bits = np.unpackbits(np.frombuffer(words, np.uint8)).reshape(ROWS, COLUMNS)
    cells = np.where(bits, 235, 16).astype(np.uint8)
    area = np.kron(cells, np.ones((side, side), np.uint8))
    luma[: area.shape[0], : area.shape[1]] = area
