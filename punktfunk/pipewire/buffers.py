"""The memory that a producer writes pictures into."""

import ctypes
import mmap
import os
import struct

import attrs
import numpy as np
from numpy.typing import NDArray

from punktfunk.errors import DriverFailed
from punktfunk.model.frames import Area, Plane
from punktfunk.pipewire import library
from punktfunk.pipewire.formats import CROP, CURSOR, DAMAGE, HEADER, MEM_FD, MEM_PTR, PictureFormat

_CORRUPTED = 1
_HEADER = struct.Struct("=IIqqQ")  # flags, offset, time, decoding time, number
_AREA = struct.Struct("=iiII")


@attrs.frozen
class Notes:
    """What came along with a picture.

    Attributes:
        taken_ns: CLOCK_MONOTONIC; None when the producer does not say.
        damage: What changed since the picture before; None when it does not say.
    """

    taken_ns: int | None = None
    crop: Area | None = None
    damage: tuple[Area, ...] | None = None
    cursor: bytes = b""


class Memory:
    """One of the producer's buffers.

    Attributes:
        lasts: The memory stays when the producer takes the buffer back: the mapping is our
            own. Memory that the library has mapped is gone then, and must be copied before.
    """

    def __init__(self, address: int) -> None:
        """Raise `DriverFailed` when the memory cannot be read."""
        self.address = address
        self._buffer = ctypes.cast(address, ctypes.POINTER(library.Buffer)).contents.buffer.contents
        data = self._buffer.datas[0] if self._buffer.n_datas else library.Data()
        self.lasts = data.type == MEM_FD
        if self.lasts:
            self._bytes = _map(data)
        elif data.type == MEM_PTR and data.data:
            array = (ctypes.c_uint8 * data.maxsize).from_address(data.data)
            self._bytes = np.frombuffer(array, np.uint8)
        else:
            raise DriverFailed("the producer of the picture hands out GPU memory only")

    def picture(self, agreed: PictureFormat) -> tuple[Plane, ...] | None:
        """The planes of the picture in it; None when this one carries none."""
        chunk = self._buffer.datas[0].chunk.contents  # shared: read each part once
        offset, size, stride, flags = chunk.offset, chunk.size, chunk.stride, chunk.flags
        if size == 0 or flags & _CORRUPTED:
            return None
        row_bytes, rows = agreed.row_bytes, agreed.height_px
        stride = stride or row_bytes + -row_bytes % 4  # who says nothing pads to four bytes
        second_row = rows
        if agreed.chroma_rows:
            # Some begin the second plane at an even row, others right after the first plane.
            second_row = max(rows, size // max(1, stride) - agreed.chroma_rows)
            rows = second_row + agreed.chroma_rows
        if stride < row_bytes or offset + stride * (rows - 1) + row_bytes > len(self._bytes):
            raise DriverFailed("the producer's picture does not fit its memory")

        def plane(first_row: int, height: int) -> Plane:
            begin = self._bytes[offset + stride * first_row :]
            shape = height, row_bytes
            return np.lib.stride_tricks.as_strided(begin, shape, (stride, 1), writeable=False)

        first = plane(0, agreed.height_px)
        if not agreed.chroma_rows:
            return (first,)
        return first[:, : agreed.width_px], plane(second_row, agreed.chroma_rows)

    def notes(self) -> Notes:
        found: dict[int, bytes] = {}
        for index in range(self._buffer.n_metas):
            meta = self._buffer.metas[index]
            if meta.data:
                found[meta.type] = ctypes.string_at(meta.data, meta.size)
        header = found.get(HEADER, b"")
        taken_ns = _HEADER.unpack_from(header)[2] if len(header) >= _HEADER.size else 0
        crops = _areas(found.get(CROP, b""))
        return Notes(
            taken_ns=taken_ns if taken_ns > 0 else None,
            crop=crops[0] if crops else None,
            damage=_areas(found.get(DAMAGE, b"")) or None,
            cursor=found.get(CURSOR, b""),
        )


def _map(data: library.Data) -> NDArray[np.uint8]:
    try:
        size = os.fstat(data.fd).st_size
        if data.mapoffset + data.maxsize > size:
            raise DriverFailed("the producer's memory is smaller than it says")
        mapped = mmap.mmap(data.fd, size, mmap.MAP_SHARED, mmap.PROT_READ)
    except (OSError, ValueError) as error:
        raise DriverFailed(f"the producer's memory cannot be read: {error}") from error
    return np.frombuffer(mapped, np.uint8)[data.mapoffset :][: data.maxsize]


def _areas(meta: bytes) -> tuple[Area, ...]:
    """Rectangles up to the first empty one."""
    areas = []
    for position in range(0, len(meta) - _AREA.size + 1, _AREA.size):
        area = Area(*_AREA.unpack_from(meta, position))
        if area.width_px == 0 or area.height_px == 0:
            break
        areas.append(area)
    return tuple(areas)
