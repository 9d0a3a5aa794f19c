"""Reed-Solomon parity by bit planes, for machines without ISA-L.

A product in GF(2^8) is a sum of doublings: going from coefficient bit 7 down to 0, double
the accumulator and XOR in every data shard whose coefficient has the bit. Eight bytes are
worked on at a time.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]

_LOW_BITS = np.uint64(0xFEFEFEFEFEFEFEFE)
_TOP_BITS = np.uint64(0x8080808080808080)
_REDUCTION = np.uint64(0x1D)
_ONE, _SEVEN = np.uint64(1), np.uint64(7)

Kernel = Callable[[Words, NDArray[np.int64], NDArray[np.int64], Words], None]
"""(data (k, words), starts, members, parity (m, words)): data shards that belong to parity
row j and bit 7-b are members[starts[8*j+b]:starts[8*j+b+1]]."""


class BitPlaneEncoder:
    """Applies one matrix (m, k) with a kernel written in numpy, or compiled by numba."""

    def __init__(self, rows: Bytes, kernel: Kernel) -> None:
        self._kernel = kernel
        self._rows = rows.shape[0]
        planes = [np.flatnonzero(row >> bit & 1) for row in rows for bit in range(7, -1, -1)]
        self._starts = np.cumsum([0, *map(len, planes)], dtype=np.int64)
        self._members = np.concatenate(planes).astype(np.int64)

    def encode_into(self, data: Bytes, parity: Bytes) -> None:
        """(k, length) in, (m, length) out; the caller has checked shapes and strides."""
        length = data.shape[1]
        words = -(-length // 8)
        padded = np.zeros((data.shape[0], words * 8), dtype=np.uint8)
        padded[:, :length] = data
        result = np.zeros((self._rows, words), dtype=np.uint64)
        self._kernel(padded.view(np.uint64), self._starts, self._members, result)
        parity[:] = result.view(np.uint8)[:, :length]


def numpy_kernel(
    data: Words, starts: NDArray[np.int64], members: NDArray[np.int64], parity: Words
) -> None:
    for row, total in enumerate(parity):
        for plane in range(8 * row, 8 * row + 8):
            carry = (total & _TOP_BITS) >> _SEVEN
            total[:] = ((total << _ONE) & _LOW_BITS) ^ (carry * _REDUCTION)
            chosen = members[starts[plane] : starts[plane + 1]]
            total ^= np.bitwise_xor.reduce(data[chosen], axis=0)
