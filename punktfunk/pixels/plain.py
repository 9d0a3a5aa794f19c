"""The conversion in numpy: the same numbers as `compiled`, some ten times slower.

Used where numba is missing, and by tests as the second opinion.
"""

import numpy as np
from numpy.typing import NDArray

from punktfunk.pixels.coefficients import Coefficients

_STRIPE_ROWS = 16  # even; small enough to stay in the cache


def convert_rows(
    pixels: NDArray[np.uint32],
    luma: NDArray[np.uint8],
    u: NDArray[np.uint8],
    v: NDArray[np.uint8],
    table: Coefficients,
    first_byte: int = 0,
) -> None:
    """Convert `pixels` (rows × columns) into planes of any strides.

    `u` and `v` have half the rows and columns, rounded up; edges are repeated. The colours
    of a pixel begin at its byte `first_byte`.
    """
    for top in range(0, pixels.shape[0], _STRIPE_ROWS):
        half = slice(top // 2, (top + _STRIPE_ROWS) // 2)
        rows = slice(top, top + _STRIPE_ROWS)
        channels = [
            (pixels[rows] >> np.uint32(8 * (first_byte + byte))) & np.uint32(0xFF)
            for byte in range(3)
        ]
        _convert_stripe(channels, luma[rows], u[half], v[half], table)


def _convert_stripe(
    channels: list[NDArray[np.uint32]],
    luma: NDArray[np.uint8],
    u: NDArray[np.uint8],
    v: NDArray[np.uint8],
    table: Coefficients,
) -> None:
    luma[:] = _blend(channels, table[0:3], table[3]) >> np.uint32(16)

    sums = [_sum_of_four(channel) for channel in channels]
    for plane, weights in ((u, table[4:7]), (v, table[7:10])):
        value = _blend(sums, weights, table[10]) >> np.uint32(18)
        plane[:] = np.minimum(value, np.uint32(0xFF))


def _blend(
    channels: list[NDArray[np.uint32]], weights: NDArray[np.uint32], offset: np.uint32
) -> NDArray[np.uint32]:
    total: NDArray[np.uint32] = channels[0] * weights[0]
    total += channels[1] * weights[1]
    total += channels[2] * weights[2]
    total += offset
    return total


def _sum_of_four(channel: NDArray[np.uint32]) -> NDArray[np.uint32]:
    rows, columns = channel.shape
    if rows % 2 or columns % 2:
        channel = np.pad(channel, ((0, rows % 2), (0, columns % 2)), mode="edge")
    even, odd = channel[0::2], channel[1::2]
    return even[:, 0::2] + even[:, 1::2] + odd[:, 0::2] + odd[:, 1::2]


def stretch(
    source: NDArray[np.uint32],
    rows_at: NDArray[np.int64],
    rows_weight: NDArray[np.uint32],
    columns_at: NDArray[np.int64],
    columns_weight: NDArray[np.uint32],
) -> NDArray[np.uint32]:
    """Make each pixel of two rows and two columns; weights are the second ones', in 256ths."""
    between_rows = _mix(source[rows_at], source[rows_at + 1], rows_weight[:, np.newaxis])
    return _mix(between_rows[:, columns_at], between_rows[:, columns_at + 1], columns_weight)


def _mix(
    one: NDArray[np.uint32], other: NDArray[np.uint32], weight: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    mask, eight, whole = np.uint32(0xFF00FF), np.uint32(8), np.uint32(256)
    even = (one & mask) * (whole - weight) + (other & mask) * weight
    odd = (one >> eight & mask) * (whole - weight) + (other >> eight & mask) * weight
    mixed: NDArray[np.uint32] = even >> eight & mask | odd & ~mask
    return mixed
