"""Arithmetic in GF(2^8) with polynomial 0x11D, the field of GameStream's parity."""

import numpy as np
from numpy.typing import NDArray

from punktfunk.errors import ProtocolError

Bytes = NDArray[np.uint8]

POLYNOMIAL = 0x11D
GENERATOR = 2


def _powers() -> list[int]:
    powers, value = [], 1
    for _ in range(255):
        powers.append(value)
        value <<= 1
        if value & 0x100:
            value ^= POLYNOMIAL
    return powers


EXP: tuple[int, ...] = tuple(_powers())
"""EXP[n] is GENERATOR to the power of n, n from 0 to 254."""

LOG: tuple[int, ...] = (0, *(EXP.index(value) for value in range(1, 256)))
"""LOG[value] for 1 to 255. LOG[0] has no meaning and is 0."""

INVERSE: Bytes = np.array(
    [0, *(EXP[(255 - LOG[value]) % 255] for value in range(1, 256))], dtype=np.uint8
)
"""INVERSE[value]; INVERSE[0] has no meaning and is 0."""


def _products() -> Bytes:
    exp, log = np.array(EXP * 2, dtype=np.uint8), np.array(LOG)
    table: Bytes = exp[log[:, None] + log[None, :]]
    table[0, :] = 0
    table[:, 0] = 0
    return table


PRODUCT: Bytes = _products()
"""PRODUCT[a, b] is a times b, for every pair of bytes."""

for _table in (INVERSE, PRODUCT):
    _table.flags.writeable = False


def multiply_matrices(left: Bytes, right: Bytes) -> Bytes:
    """(a, b) times (b, c) gives (a, c)."""
    products = PRODUCT[left[:, :, None], right[None, :, :]]
    result: Bytes = np.bitwise_xor.reduce(products, axis=1)
    return result


def invert_matrix(matrix: Bytes) -> Bytes:
    """Invert a square matrix by Gauss-Jordan elimination.

    Raises:
        ProtocolError: the matrix has no inverse.
    """
    size = len(matrix)
    work = np.hstack([matrix, np.eye(size, dtype=np.uint8)]).astype(np.uint8)
    for column in range(size):
        candidates = np.flatnonzero(work[column:, column])
        if not len(candidates):
            raise ProtocolError("the matrix has no inverse", size=size)
        pivot = column + int(candidates[0])
        work[[column, pivot]] = work[[pivot, column]]
        work[column] = PRODUCT[work[column], INVERSE[work[column, column]]]
        factors = work[:, column].copy()
        factors[column] = 0
        work ^= PRODUCT[factors[:, None], work[column][None, :]]
    inverse: Bytes = work[:, size:].copy()
    return inverse
