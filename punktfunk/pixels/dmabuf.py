"""GPU memory read by the CPU: for whoever cannot take it as it is."""

import errno
import fcntl
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from punktfunk.errors import DriverFailed
from punktfunk.model.frames import DmaBuf, Frame, Plane
from punktfunk.model.video import PACKED

SYNC = 0x4008_6200
"""The kernel's DMA_BUF_IOCTL_SYNC: a 64-bit number of flags."""

_READ, _END = 1, 4
_TRIES = 100


class MappedDmaBuf:
    """A descriptor's memory, mapped until nobody holds a part of it any more.

    Attributes:
        bytes: All of it. Read them between `begin` and `end` only: what a GPU still writes, or
            has not written back, is not there before.

    Raises:
        DriverFailed: it cannot be mapped.
    """

    def __init__(self, fd: int) -> None:
        try:
            self._memory = mmap.mmap(fd, size_of(fd), mmap.MAP_SHARED, mmap.PROT_READ)
        except (OSError, ValueError, OverflowError) as error:
            raise DriverFailed(f"the GPU's memory cannot be read by the CPU: {error}") from error
        self._fd = fd
        self.bytes = np.frombuffer(self._memory, np.uint8)

    def begin(self) -> None:
        """Wait for the GPU. Raise `DriverFailed` when that cannot be done."""
        self._sync(_READ)

    def end(self) -> None:
        self._sync(_READ | _END)

    def _sync(self, flags: int) -> None:
        for _ in range(_TRIES):
            try:
                fcntl.ioctl(self._fd, SYNC, struct.pack("=Q", flags))
            except OSError as error:
                if error.errno in (errno.EINTR, errno.EAGAIN):
                    continue
                if error.errno == errno.ENOTTY:  # ordinary memory, which nobody else caches
                    return
                raise DriverFailed(f"the GPU's memory is not given to read: {error}") from error
            return
        raise DriverFailed("the GPU does not finish its picture")


def size_of(fd: int) -> int:
    """Bytes of a DMA-BUF; asking for its state, as of a file, is not answered by all kernels."""
    return os.lseek(fd, 0, os.SEEK_END)


@contextmanager
def readable_planes(frame: Frame) -> Iterator[tuple[Plane, ...]]:
    """The planes of a frame, wherever it is. Not to be used afterwards; releases nothing.

    Raises:
        DriverFailed: the CPU cannot read it.
    """
    if frame.dmabuf is None:
        yield frame.planes
        return
    is_linear = frame.dmabuf.modifier == DmaBuf.LINEAR and len(frame.dmabuf.planes) == 1
    if not is_linear or frame.format not in PACKED:
        raise DriverFailed("the picture is in GPU memory that only the GPU can read")
    plane = frame.dmabuf.planes[0]
    mapped = MappedDmaBuf(plane.fd)
    where = plane.offset, plane.stride, frame.height_px, 4 * frame.width_px
    picture = rows(mapped.bytes, *where)
    mapped.begin()
    try:
        yield (picture,)
    finally:
        mapped.end()


def rows(memory: Plane, offset: int, stride: int, height: int, row_bytes: int) -> Plane:
    """A plane in flat memory.

    Raises:
        DriverFailed: it is not inside.
    """
    check(len(memory), offset, stride, height, row_bytes)
    shape = height, row_bytes
    return np.lib.stride_tricks.as_strided(memory[offset:], shape, (stride, 1), writeable=False)


def check(size: int, offset: int, stride: int, height: int, row_bytes: int) -> None:
    """Raise `DriverFailed` when a plane is not inside memory of this size. All in bytes or rows."""
    if offset < 0 or stride < row_bytes or offset + stride * (height - 1) + row_bytes > size:
        raise DriverFailed("the producer's picture does not fit its memory")
