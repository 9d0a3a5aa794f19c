"""The memory that a producer writes pictures into."""

import ctypes
import mmap
import os
import struct
import weakref

import attrs
import numpy as np
from numpy.typing import NDArray

from punktfunk.errors import DriverFailed
from punktfunk.model.frames import FOURCC, Area, DmaBuf, DmaBufPlane, Plane
from punktfunk.pipewire import library
from punktfunk.pipewire.formats import (
    CROP,
    CURSOR,
    DAMAGE,
    DMA_BUF,
    HEADER,
    MEM_FD,
    MEM_PTR,
    PictureFormat,
)
from punktfunk.pixels.dmabuf import MappedDmaBuf, check, rows, size_of

_CORRUPTED = 1
_VOID = 1 << 1  # so a header says that a buffer is corrupted
_MAX_PLANES = 4
_HEADER = struct.Struct("=IIqqQ")  # flags, offset, time, decoding time, number
_AREA = struct.Struct("=iiII")


@attrs.frozen
class Notes:
    """What came along with a picture.

    Attributes:
        taken_ns: CLOCK_MONOTONIC; None when the producer does not say.
        void: There is no picture in the buffer; None when the producer does not say.
        damage: What changed since the picture before; None when it does not say.
    """

    taken_ns: int | None = None
    void: bool | None = None
    crop: Area | None = None
    damage: tuple[Area, ...] | None = None
    cursor: bytes = b""


class Memory:
    """One of the producer's buffers. A GPU's is kept open as long as this is referred to.

    Attributes:
        lasts: The memory stays when the producer takes the buffer back: the mapping is our
            own. Memory that the library has mapped is gone then, and must be copied before.
        on_gpu: It is a DMA-BUF.
    """

    def __init__(self, address: int) -> None:
        """Raise `DriverFailed` when the memory cannot be used."""
        self.address = address
        self._buffer = ctypes.cast(address, ctypes.POINTER(library.Buffer)).contents.buffer.contents
        data = self._buffer.datas[0] if self._buffer.n_datas else library.Data()
        self.lasts = data.type in (MEM_FD, DMA_BUF)
        self.on_gpu = data.type == DMA_BUF
        self._fds: tuple[int, ...] = ()
        self._mapped: MappedDmaBuf | None = None
        if self.on_gpu:
            self._keep_open()
        elif data.type == MEM_FD:
            self._bytes = _map(data)
        elif data.type == MEM_PTR and data.data:
            array = (ctypes.c_uint8 * data.maxsize).from_address(data.data)
            self._bytes = np.frombuffer(array, np.uint8)
        else:
            raise DriverFailed("the producer of the picture hands out memory of no kind we know")

    def picture(self, agreed: PictureFormat) -> tuple[Plane, ...]:
        """The planes of the picture in it. A GPU's are read between `begin` and `end` only."""
        if self.on_gpu and self._mapped is None:
            if agreed.modifier != DmaBuf.LINEAR:
                raise DriverFailed("the producer's picture is in memory that only a GPU can read")
            self._mapped = MappedDmaBuf(self._fds[0])
            self._bytes = self._mapped.bytes
        chunk = self._buffer.datas[0].chunk.contents  # shared: read each part once
        offset, size, stride = chunk.offset, chunk.size, chunk.stride
        row_bytes, height = agreed.row_bytes, agreed.height_px
        stride = stride or row_bytes + -row_bytes % 4  # who says nothing pads to four bytes
        if not agreed.chroma_rows:
            return (rows(self._bytes, offset, stride, height, row_bytes),)
        # Some begin the second plane at an even row, others right after the first plane.
        second_row = max(height, size // max(1, stride) - agreed.chroma_rows)
        chroma_offset = offset + stride * second_row
        return (
            rows(self._bytes, offset, stride, height, row_bytes)[:, : agreed.width_px],
            rows(self._bytes, chroma_offset, stride, agreed.chroma_rows, row_bytes),
        )

    def dmabuf(self, agreed: PictureFormat) -> DmaBuf:
        """Where the picture is. The descriptors are open while somebody refers to this memory.

        Raises:
            DriverFailed: it cannot be there.
        """
        modifier = agreed.modifier
        assert modifier is not None
        planes = []
        for index, fd in enumerate(self._fds):
            chunk = self._buffer.datas[index].chunk.contents
            planes.append(DmaBufPlane(fd, chunk.offset, chunk.stride))
        heights = (agreed.height_px, agreed.chroma_rows)[: 2 if agreed.chroma_rows else 1]
        if modifier == DmaBuf.LINEAR and len(planes) != len(heights):
            raise DriverFailed("the producer's GPU memory makes no sense")
        for plane, height in zip(planes, heights, strict=False):
            # Of other layouts only the GPU knows how much memory they take.
            needed = (height, agreed.row_bytes) if modifier == DmaBuf.LINEAR else (1, 1)
            check(size_of(plane.fd), plane.offset, plane.stride, *needed)
        return DmaBuf(fourcc=FOURCC[agreed.format], modifier=modifier, planes=tuple(planes))

    def begin(self) -> None:
        """Before planes are read."""
        if self._mapped is not None:
            self._mapped.begin()

    def end(self) -> None:
        """After each `begin`."""
        if self._mapped is not None:
            self._mapped.end()

    def is_void(self, notes: Notes) -> bool:
        """There is no picture in it, only what came along."""
        chunk = self._buffer.datas[0].chunk.contents
        if chunk.flags & _CORRUPTED or notes.void:
            return True
        # Of GPU memory some never say how much of it they filled.
        return chunk.size == 0 and (notes.void is None or not self.on_gpu)

    def notes(self) -> Notes:
        found: dict[int, bytes] = {}
        for index in range(self._buffer.n_metas):
            meta = self._buffer.metas[index]
            if meta.data:
                found[meta.type] = ctypes.string_at(meta.data, meta.size)
        header = found.get(HEADER, b"")
        flags, _, taken_ns, *_ = _HEADER.unpack_from(header.ljust(_HEADER.size, b"\0"))
        crops = _areas(found.get(CROP, b""))
        return Notes(
            taken_ns=taken_ns if taken_ns > 0 else None,
            void=bool(flags & _VOID) if header else None,
            crop=crops[0] if crops else None,
            damage=_areas(found.get(DAMAGE, b"")) or None,
            cursor=found.get(CURSOR, b""),
        )

    def _keep_open(self) -> None:
        count = self._buffer.n_datas
        if count > _MAX_PLANES or any(
            self._buffer.datas[it].type != DMA_BUF for it in range(count)
        ):
            raise DriverFailed("the producer's GPU memory makes no sense")
        fds: list[int] = []
        weakref.finalize(self, _close_all, fds)
        try:
            fds += (os.dup(self._buffer.datas[index].fd) for index in range(count))
        except OSError as error:
            raise DriverFailed(f"the producer's memory cannot be used: {error}") from error
        self._fds = tuple(fds)


def _close_all(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)


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
