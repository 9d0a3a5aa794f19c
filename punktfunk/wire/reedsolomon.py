"""Reed-Solomon over GF(2^8): parity from data shards, and lost shards back again.

Three implementations give identical bytes: ISA-L, a numba kernel, plain numpy. The fastest
one here is taken; the environment variable `PUNKTFUNK_FEC_BACKEND` names another.
"""

import os
from collections.abc import Sequence
from enum import StrEnum
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from punktfunk.errors import ConfigError, ProtocolError
from punktfunk.wire import rs_isal
from punktfunk.wire.bit_planes import BitPlaneEncoder, numpy_kernel
from punktfunk.wire.gf256 import INVERSE, invert_matrix, multiply_matrices

Bytes = NDArray[np.uint8]

MAX_SHARDS = 255
"""Data and parity shards of one block together."""

BACKEND_VARIABLE = "PUNKTFUNK_FEC_BACKEND"

AUDIO_ROWS: Bytes = np.array([[0x77, 0x40, 0x38, 0x0E], [0xC7, 0xA7, 0x0D, 0x6C]], dtype=np.uint8)
"""The fixed 4+2 matrix of sound; docs/protocol/gamestream.md, section 5.2."""
AUDIO_ROWS.flags.writeable = False


class Backend(StrEnum):
    """In the order of preference."""

    ISAL = "isal"
    NUMBA = "numba"
    NUMPY = "numpy"


class ReedSolomon:
    """One systematic code: `rows` (m, k) times k data shards gives m parity shards.

    Building one makes tables; keep it, or take `cauchy_code`. Any thread may use it.

    Raises:
        ProtocolError: the matrix is empty or has more than `MAX_SHARDS` rows and columns.
        ConfigError: the named backend does not exist here.
    """

    def __init__(self, rows: Bytes, backend: Backend | None = None) -> None:
        if rows.ndim != 2 or not rows.size or sum(rows.shape) > MAX_SHARDS:
            raise ProtocolError("not a usable code matrix", shape=rows.shape)
        self.rows = rows.astype(np.uint8)
        self.rows.flags.writeable = False
        self.parity_shards, self.data_shards = rows.shape
        self.backend = backend or default_backend()
        if self.backend not in available_backends():
            raise ConfigError(f"parity backend {self.backend} is not here")
        self._encoder = _make_encoder(self.rows, self.backend)

    def encode_into(self, data: Bytes, parity: Bytes) -> None:
        """Write the parity of `data` (k, length) over `parity` (m, length).

        Both may be strided rows of one larger buffer, as long as the bytes of a row are
        contiguous. They must not overlap.

        Raises:
            ValueError: the shapes do not fit this code; nothing was written.
        """
        length = data.shape[-1]
        if data.shape != (self.data_shards, length) or parity.shape != (
            self.parity_shards,
            length,
        ):
            raise ValueError(f"{data.shape} and {parity.shape} do not fit {self.rows.shape}")
        if not (_is_bytes_in_rows(data) and _is_bytes_in_rows(parity) and parity.flags.writeable):
            raise ValueError("shards must be rows of contiguous bytes, parity writable")
        if length:
            self._encoder.encode_into(data, parity)

    def recover(self, shards: Bytes, present: Sequence[bool]) -> None:
        """Rebuild lost data shards in place; lost parity is left alone.

        Args:
            shards: (k + m, length), data first. Rows that are not present hold anything.
            present: One answer a row.

        Raises:
            ProtocolError: fewer than k shards are present.
        """
        count = self.data_shards
        here = np.asarray(present, dtype=bool)
        if shards.shape[0] != count + self.parity_shards or here.shape != (len(shards),):
            raise ValueError(f"{shards.shape} shards do not fit {self.rows.shape}")
        lost, kept = np.flatnonzero(~here[:count]), np.flatnonzero(here[:count])
        parity = np.flatnonzero(here[count:])[: len(lost)]
        if len(parity) < len(lost):
            raise ProtocolError(
                "too few shards to rebuild the block", present=int(here.sum()), needed=count
            )
        if not len(lost):
            return
        unmix = invert_matrix(self.rows[np.ix_(parity, lost)])
        solution = np.hstack([multiply_matrices(unmix, self.rows[np.ix_(parity, kept)]), unmix])
        rebuilt = np.empty((len(lost), shards.shape[1]), dtype=np.uint8)
        source = shards[np.concatenate([kept, count + parity])]
        ReedSolomon(solution, self.backend).encode_into(source, rebuilt)
        shards[lost] = rebuilt


def cauchy_rows(data_shards: int, parity_shards: int) -> Bytes:
    """The video matrix; docs/protocol/gamestream.md, section 4.6.

    Raises:
        ProtocolError: fewer than one shard of a kind, or more than `MAX_SHARDS` together.
    """
    if data_shards < 1 or parity_shards < 1 or data_shards + parity_shards > MAX_SHARDS:
        raise ProtocolError("no such block", data=data_shards, parity=parity_shards)
    columns = parity_shards + np.arange(data_shards)
    rows: Bytes = INVERSE[columns[None, :] ^ np.arange(parity_shards)[:, None]]
    return rows


@lru_cache(maxsize=128)
def cauchy_code(data_shards: int, parity_shards: int) -> ReedSolomon:
    """The video code of one block shape, with its tables kept."""
    return ReedSolomon(cauchy_rows(data_shards, parity_shards))


@cache
def available_backends() -> tuple[Backend, ...]:
    """What can run here, best first. Does not load numba."""
    here = {
        Backend.ISAL: rs_isal.load_library() is not None,
        Backend.NUMBA: find_spec("numba") is not None,
        Backend.NUMPY: True,
    }
    return tuple(backend for backend in Backend if here[backend])


def default_backend() -> Backend:
    """What the environment names, else the best one here.

    Raises:
        ConfigError: the environment names a backend that is not here.
    """
    wish = os.environ.get(BACKEND_VARIABLE, "")
    choices = available_backends()
    if not wish:
        return choices[0]
    for backend in choices:
        if backend.value == wish:
            return backend
    raise ConfigError(f"{BACKEND_VARIABLE}={wish}: not here, choose from {', '.join(choices)}")


class _Encoder(Protocol):
    def encode_into(self, data: Bytes, parity: Bytes) -> None: ...


def _make_encoder(rows: Bytes, backend: Backend) -> _Encoder:
    if backend is Backend.ISAL:
        return rs_isal.IsalEncoder(rows)
    if backend is Backend.NUMBA:
        from punktfunk.wire.bit_planes_numba import numba_kernel

        return BitPlaneEncoder(rows, numba_kernel)
    return BitPlaneEncoder(rows, numpy_kernel)


def _is_bytes_in_rows(array: Bytes) -> bool:
    return array.dtype == np.uint8 and (array.strides[-1] == 1 or array.shape[-1] == 1)
