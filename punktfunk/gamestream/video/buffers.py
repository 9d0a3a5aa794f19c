"""Memory a frame's datagrams are built in, with everything that can be made once kept."""

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from punktfunk.gamestream.video.headers import (
    DATAGRAM_HEADER,
    DATAGRAM_HEADER_BYTES,
    ENCRYPTION_PREFIX,
    ENCRYPTION_PREFIX_BYTES,
    RTP_VERSION_WITH_EXTENSION,
    TAG_BYTES,
    VIDEO_DOMAIN,
)

Bytes = NDArray[np.uint8]

_SMALLEST_CAPACITY = 256


class PlainBuffer:
    """Datagrams before encryption, one a row, no gaps.

    The constant part of the RTP header is written once and for all: parity is computed over
    the bytes behind it.

    Attributes:
        rows: (capacity, datagram bytes).
        payloads: The same rows behind their header.
        fields: Header columns by name, views into `rows`.
        datagrams: Each row as a memoryview.
    """

    def __init__(self, packets: int, datagram_bytes: int) -> None:
        self.capacity = _capacity_for(packets)
        self.rows: Bytes = np.zeros((self.capacity, datagram_bytes), dtype=np.uint8)
        self.payloads = self.rows[:, DATAGRAM_HEADER_BYTES:]
        header = _columns(self.rows, DATAGRAM_HEADER)
        self.fields: dict[str, NDArray[Any]] = {
            name: header[name] for name in DATAGRAM_HEADER.names or ()
        }
        self.fields["version"][:] = RTP_VERSION_WITH_EXTENSION
        self.datagrams = _slices(self.rows.reshape(-1), datagram_bytes, datagram_bytes)

    def bytes_of(self, count: int) -> memoryview:
        return self.rows.reshape(-1).data[: count * self.rows.shape[1]]


class CipherBuffer:
    """Datagrams as they are sent: IV, frame index, tag, ciphertext; no gaps.

    Attributes:
        rows: (capacity + 1, sealed datagram bytes). The last row only takes the tag that
            the datagram before it spills.
        ciphertexts: Where each datagram's ciphertext goes, with room for the spilled tag.
    """

    def __init__(self, packets: int, datagram_bytes: int) -> None:
        self.capacity = _capacity_for(packets)
        sealed_bytes = ENCRYPTION_PREFIX_BYTES + datagram_bytes
        self.rows: Bytes = np.zeros((self.capacity + 1, sealed_bytes), dtype=np.uint8)
        self._prefix = _columns(self.rows, ENCRYPTION_PREFIX)
        self._counting = np.arange(self.capacity, dtype=np.uint64)
        flat = self.rows.reshape(-1)[ENCRYPTION_PREFIX_BYTES:]
        self.ciphertexts = _slices(flat, datagram_bytes + TAG_BYTES, sealed_bytes)

    def write_prefixes(self, count: int, first_counter: int, frame_index: int) -> None:
        prefix = self._prefix[:count]
        prefix["counter"] = self._counting[:count] + np.uint64(first_counter)
        prefix["domain"] = int.from_bytes(VIDEO_DOMAIN, "little")
        prefix["frame_index"] = frame_index

    def bytes_of(self, count: int) -> memoryview:
        return self.rows.reshape(-1).data[: count * self.rows.shape[1]]


class _Buffer(Protocol):
    @property
    def capacity(self) -> int: ...


B = TypeVar("B", bound=_Buffer)


class BufferRing(Generic[B]):
    """Buffers taken in turn. One that became too small is replaced, never moved: whoever
    still reads the old one keeps it alive.
    """

    def __init__(self, make: Callable[[int, int], B], datagram_bytes: int, size: int) -> None:
        self._make, self._datagram_bytes = make, datagram_bytes
        self._buffers: list[B | None] = [None] * size
        self._turn = 0

    def take(self, packets: int) -> B:
        buffer = self._buffers[self._turn]
        if buffer is None or buffer.capacity < packets:
            buffer = self._buffers[self._turn] = self._make(packets, self._datagram_bytes)
        self._turn = (self._turn + 1) % len(self._buffers)
        return buffer


def _capacity_for(packets: int) -> int:
    return max(_SMALLEST_CAPACITY, 1 << (packets - 1).bit_length())


def _columns(rows: Bytes, dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.ndarray((len(rows),), dtype=dtype, buffer=rows, strides=(rows.strides[0],))


def _slices(flat: Bytes, length: int, step: int) -> list[memoryview]:
    view = flat.data
    return [view[at : at + length] for at in range(0, len(flat) - length + 1, step)]
