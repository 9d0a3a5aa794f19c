"""Memory that the X server writes pictures into and that numpy reads without a copy."""

import mmap
import os
import threading

import attrs
import numpy as np

from punktfunk.plugin import DriverFailed, Plane
from punktfunk_capture_x11.areas import NO_ROWS, Rows, join
from punktfunk_capture_x11.connection import Connection

RING = 3
"""One being written, two out."""

BYTES_PER_PIXEL = 4


@attrs.define(eq=False)
class Buffer:
    """One picture.

    Attributes:
        offset: Where it begins in the shared memory, in bytes.
        outdated: Rows that are not as they are on the screen.
    """

    plane: Plane
    offset: int
    outdated: Rows


class BufferRing:
    """`RING` pictures of one size. `give_back` may be called from any thread.

    The memory lives as long as someone holds a plane of it, even past `close`.
    """

    def __init__(self, connection: Connection, width_px: int, height_px: int) -> None:
        self.width_px, self.height_px = width_px, height_px
        stride = width_px * BYTES_PER_PIXEL
        size = stride * height_px
        descriptor = os.memfd_create("punktfunk-capture", os.MFD_CLOEXEC)
        try:
            os.ftruncate(descriptor, size * RING)
            memory = mmap.mmap(descriptor, size * RING)
            self.segment = connection.share_memory(descriptor)
        finally:
            os.close(descriptor)
        rows = np.frombuffer(memory, np.uint8).reshape(RING, height_px, stride)
        self._buffers = [Buffer(rows[it], it * size, (0, height_px)) for it in range(RING)]
        self._free = list(self._buffers)
        self._lock = threading.Lock()

    def take(self) -> Buffer:
        """A picture nobody looks at.

        Raises:
            DriverFailed: more frames are out than may be.
        """
        with self._lock:
            if not self._free:
                raise DriverFailed("captured frames are not released")
            return self._free.pop()

    def give_back(self, buffer: Buffer) -> None:
        with self._lock:
            self._free.append(buffer)

    def outdate(self, rows: Rows) -> None:
        """The screen has changed there."""
        if rows != NO_ROWS:
            for buffer in self._buffers:
                buffer.outdated = join(buffer.outdated, rows)
