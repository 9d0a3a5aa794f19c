"""Reed-Solomon parity by ISA-L, called through ctypes.

The library comes with the `pyeclib` wheel (opened as a file, never imported) or with the
distribution. It takes any matrix and any shard length.
"""

import ctypes
import importlib.metadata
from functools import cache
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

_SYSTEM_NAMES = ("libisal.so.2", "libisal.so")
_TABLE_BYTES_PER_COEFFICIENT = 32
_MAX_KEPT_POINTERS = 16

# Giving the GIL away costs a short call more than it brings: beside a busy thread the
# caller waits a whole switch interval to get it back. Above this much work (data bytes
# times parity rows, well over 100 µs) other threads deserve the time.
_SHORT_CALL_WORK_BYTES = 4_000_000


class IsalEncoder:
    """Applies one matrix (m, k). Shards may be rows of a larger buffer, at any row stride.

    Raises:
        OSError: libisal is not here; ask `load_library` first.
    """

    def __init__(self, rows: Bytes) -> None:
        library = load_library()
        if library is None:
            raise OSError("libisal was not found")
        self._parity_shards, self._data_shards = rows.shape
        matrix = np.ascontiguousarray(rows)
        self._tables = np.zeros(matrix.size * _TABLE_BYTES_PER_COEFFICIENT, dtype=np.uint8)
        self._tables_at = self._tables.ctypes.data
        library.keeping_gil.ec_init_tables(
            self._data_shards, self._parity_shards, matrix.ctypes.data, self._tables_at
        )
        self._encode_short = library.keeping_gil.ec_encode_data
        self._encode_long = library.releasing_gil.ec_encode_data
        self._pointers: dict[tuple[int, int, int, int], tuple[NDArray[np.uintp], int, int]] = {}

    def encode_into(self, data: Bytes, parity: Bytes) -> None:
        """(k, length) in, (m, length) out; the caller has checked shapes and strides."""
        data_count, parity_count, length = self._data_shards, self._parity_shards, data.shape[1]
        _, data_at, parity_at = self._pointers_to(data, parity)
        short = data_count * parity_count * length <= _SHORT_CALL_WORK_BYTES
        encode = self._encode_short if short else self._encode_long
        encode(length, data_count, parity_count, self._tables_at, data_at, parity_at)

    def _pointers_to(self, data: Bytes, parity: Bytes) -> tuple[NDArray[np.uintp], int, int]:
        """Lists of row addresses. A stream encodes in few places, so they are kept."""
        data_at, parity_at = _address(data), _address(parity)
        key = (data_at, data.strides[0], parity_at, parity.strides[0])
        found = self._pointers.get(key)
        if found is None:
            if len(self._pointers) >= _MAX_KEPT_POINTERS:
                self._pointers.clear()
            pointers = np.empty(self._data_shards + self._parity_shards, dtype=np.uintp)
            pointers[: self._data_shards] = data_at + np.arange(self._data_shards) * key[1]
            pointers[self._data_shards :] = parity_at + np.arange(self._parity_shards) * key[3]
            start = _address(pointers)
            found = (pointers, start, start + self._data_shards * pointers.itemsize)
            self._pointers[key] = found
        return found


@attrs.frozen
class Library:
    """The same functions twice: called with the GIL kept, and with it released."""

    keeping_gil: Any
    releasing_gil: Any


@cache
def load_library() -> Library | None:
    for path in (*_bundled_paths(), *_SYSTEM_NAMES):
        try:
            library = Library(ctypes.PyDLL(path), ctypes.CDLL(path))
            for handle in (library.keeping_gil, library.releasing_gil):
                handle.ec_init_tables.argtypes = (*(ctypes.c_int,) * 2, *(ctypes.c_void_p,) * 2)
                handle.ec_init_tables.restype = None
                handle.ec_encode_data.argtypes = (*(ctypes.c_int,) * 3, *(ctypes.c_void_p,) * 3)
                handle.ec_encode_data.restype = None
        except (OSError, AttributeError):
            continue
        return library
    return None


def _bundled_paths() -> tuple[str, ...]:
    try:
        files = importlib.metadata.files("pyeclib") or ()
    except importlib.metadata.PackageNotFoundError:
        return ()
    return tuple(str(file.locate()) for file in files if file.name.startswith("libisal"))


def _address(array: NDArray[Any]) -> int:
    return int(array.ctypes.data)
