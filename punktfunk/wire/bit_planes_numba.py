"""The bit-plane kernel compiled by numba. Import it only where it is used: numba is slow
to load.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from punktfunk.wire.bit_planes import Kernel, Words

_LOW_BITS = np.uint64(0xFEFEFEFEFEFEFEFE)
_TOP_BITS = np.uint64(0x8080808080808080)
_REDUCTION = np.uint64(0x1D)
_ONE, _SEVEN = np.uint64(1), np.uint64(7)


def _encode(
    data: Words, starts: NDArray[np.int64], members: NDArray[np.int64], parity: Words
) -> None:
    words = parity.shape[1]
    for row in range(parity.shape[0]):
        total = parity[row]
        for plane in range(8 * row, 8 * row + 8):
            for word in range(words):
                value = total[word]
                carry = (value & _TOP_BITS) >> _SEVEN
                total[word] = ((value << _ONE) & _LOW_BITS) ^ (carry * _REDUCTION)
            for place in range(starts[plane], starts[plane + 1]):
                shard = data[members[place]]
                for word in range(words):
                    total[word] ^= shard[word]


def _compile() -> Kernel:
    signature = "void(uint64[:, ::1], int64[::1], int64[::1], uint64[:, ::1])"
    try:
        kernel: Kernel = njit(signature, cache=True, nogil=True)(_encode)
    except RuntimeError:  # nowhere to write a cache: compile anew in every process
        kernel = njit(signature, nogil=True)(_encode)
    return kernel


numba_kernel = _compile()
