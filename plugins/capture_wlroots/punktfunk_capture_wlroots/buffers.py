"""Memory that the compositor writes pictures into and that numpy reads without a copy."""

import mmap
import os
import threading
from typing import Any

import attrs
import numpy as np

from punktfunk.plugin import DriverFailed, PixelFormat, Plane

RING = 3
"""One being written, two out."""

MAX_SIDE_PX = 16_384

# wl_shm's numbers: XRGB8888 and ARGB8888, then the fourcc codes of XBGR8888 and ABGR8888, of
# RGBX8888 and RGBA8888, of BGRX8888 and BGRA8888.
FORMATS = {
    1: PixelFormat.BGRX,
    0: PixelFormat.BGRX,
    0x34324258: PixelFormat.RGBX,
    0x34324241: PixelFormat.RGBX,
    0x34325852: PixelFormat.XBGR,
    0x34324152: PixelFormat.XBGR,
    0x34325842: PixelFormat.XRGB,
    0x34324142: PixelFormat.XRGB,
}
"""What we can read, the best first."""


@attrs.frozen
class BufferSpec:
    """What the compositor asks the buffers to be."""

    shm_format: int
    width_px: int
    height_px: int
    stride: int

    @property
    def format(self) -> PixelFormat:
        """Raise `DriverFailed` when it is none we can read."""
        try:
            return FORMATS[self.shm_format]
        except KeyError:
            raise DriverFailed(
                f"the compositor writes pixels in a format we do not know: {self.shm_format:#x}"
            ) from None

    def check(self) -> None:
        """Raise `DriverFailed` when the sizes make no sense, or nobody can read the format."""
        _ = self.format
        sides_fit = 0 < self.width_px <= MAX_SIDE_PX and 0 < self.height_px <= MAX_SIDE_PX
        if not sides_fit or not 4 * self.width_px <= self.stride <= 8 * MAX_SIDE_PX:
            raise DriverFailed(f"the compositor asks for impossible buffers: {self}")


@attrs.frozen(eq=False)
class Buffer:
    proxy: Any
    plane: Plane


class BufferRing:
    """`RING` buffers of one size. `give_back` may be called from any thread.

    The memory lives as long as someone holds a plane of it, even past `close`.
    """

    def __init__(self, shm: Any, spec: BufferSpec) -> None:
        spec.check()
        self.spec = spec
        size = spec.stride * spec.height_px
        fd = os.memfd_create("punktfunk-capture", os.MFD_CLOEXEC)
        try:
            os.ftruncate(fd, size * RING)
            memory = mmap.mmap(fd, size * RING)
            pool = shm.create_pool(fd, size * RING)
        finally:
            os.close(fd)
        rows = np.frombuffer(memory, np.uint8).reshape(RING, spec.height_px, spec.stride)
        self._buffers = [
            Buffer(
                proxy=pool.create_buffer(
                    index * size, spec.width_px, spec.height_px, spec.stride, spec.shm_format
                ),
                plane=rows[index, :, : 4 * spec.width_px],
            )
            for index in range(RING)
        ]
        pool.destroy()
        self._free = list(self._buffers)
        self._lock = threading.Lock()

    def take(self) -> Buffer:
        """A buffer nobody looks at.

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

    def close(self) -> None:
        """Destroy the compositor's side of the buffers."""
        for buffer in self._buffers:
            if not buffer.proxy.destroyed:
                buffer.proxy.destroy()
