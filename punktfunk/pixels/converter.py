"""Captured frames in, frames for the encoder out, in buffers that are used in turn."""

import os
from types import ModuleType

import attrs
import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from punktfunk.model.frames import Frame, Plane
from punktfunk.model.video import ColorSpace, ColorSpec, PixelFormat
from punktfunk.pixels import plain
from punktfunk.pixels.coefficients import coefficients

BACKEND_VARIABLE = "PUNKTFUNK_PIXELS"
"""Set to `numpy` to do without numba."""

_SOURCES = (PixelFormat.BGRX, PixelFormat.RGBX)
_TARGETS = (PixelFormat.I420, PixelFormat.NV12)
_RING = 3
_ALIGNMENT_BYTES = 64


@attrs.frozen(kw_only=True)
class _Buffer:
    """One output picture: its planes for the world, and flat memory for the kernels."""

    planes: tuple[Plane, ...]
    u: Plane
    v: Plane
    flat_planes: tuple[Plane, ...]


class Converter:
    """Converts one size and kind of picture. Used by one thread.

    Args:
        source: `BGRX` or `RGBX`.
        target: `I420` or `NV12`. The planes of a target lie in one block of memory, each
            behind the other; I420's chroma rows are exactly half as far apart as luma's.
        width: Of the target, in pixels. Larger sources are cropped to it.
        height: Of the target. Odd sizes repeat the last pixel for the chroma.
        color: What the bitstream will say about the colours.

    Raises:
        ValueError: no such conversion.
    """

    def __init__(
        self, source: PixelFormat, target: PixelFormat, width: int, height: int, color: ColorSpec
    ) -> None:
        if source not in _SOURCES or target not in _TARGETS:
            raise ValueError(f"cannot convert {source} to {target}")
        if width < 1 or height < 1:
            raise ValueError("pictures have at least one pixel")
        self._source, self._target = source, target
        self._width, self._height = width, height
        self._table = coefficients(color, source)
        self._compiled = _compiled()
        self._ring = [_allocate(target, width, height) for _ in range(_RING)]
        self._next = 0

    def convert(self, frame: Frame) -> Frame:
        """Convert a frame and release it.

        Returns:
            A frame whose memory is overwritten by the third call from now.

        Raises:
            ValueError: the frame has another format or is smaller than the target. It is
                released all the same.
        """
        buffer = self._ring[self._next]
        try:
            pixels = self._pixels_of(frame)
            if self._compiled is not None:
                self._run_compiled(self._compiled, pixels, buffer)
            else:
                plain.convert_rows(pixels, buffer.planes[0], buffer.u, buffer.v, self._table)
        finally:
            frame.release()
        self._next = (self._next + 1) % _RING
        return Frame(
            format=self._target,
            width_px=self._width,
            height_px=self._height,
            planes=buffer.planes,
            captured_ns=frame.captured_ns,
            fresh=frame.fresh,
        )

    def _pixels_of(self, frame: Frame) -> NDArray[np.uint32]:
        if frame.format is not self._source:
            raise ValueError(f"expected {self._source}, got {frame.format}")
        rows, row_bytes = frame.planes[0].shape
        if rows < self._height or row_bytes < 4 * self._width:
            raise ValueError(
                f"a picture of {row_bytes // 4}x{rows} is too small for "
                f"{self._width}x{self._height}"
            )
        plane = frame.planes[0][: self._height, : 4 * self._width]
        pixels = plane.view(np.uint32)
        return pixels if pixels.flags.aligned else np.ascontiguousarray(plane).view(np.uint32)

    def _run_compiled(
        self, compiled: ModuleType, pixels: NDArray[np.uint32], buffer: _Buffer
    ) -> None:
        source = (*_flattened(pixels), self._width, self._height)
        luma, *chroma = buffer.flat_planes
        strides = [plane.strides[0] for plane in buffer.planes]
        if self._target is PixelFormat.I420:
            compiled.to_i420(*source, luma, strides[0], *chroma, strides[1], self._table)
        else:
            pairs = chroma[0].view(np.uint16)
            compiled.to_nv12(*source, luma, strides[0], pairs, strides[1] // 2, self._table)


def warm_up() -> None:
    """Compile or load everything, so that the first frame is not late. Takes up to 2 s."""
    pixel = np.zeros((2, 8), dtype=np.uint8)
    for target in _TARGETS:
        converter = Converter(
            PixelFormat.BGRX, target, 2, 2, ColorSpec(space=ColorSpace.REC709, full_range=False)
        )
        converter.convert(
            Frame(format=PixelFormat.BGRX, width_px=2, height_px=2, planes=(pixel,), captured_ns=0)
        )


def _compiled() -> ModuleType | None:
    if os.environ.get(BACKEND_VARIABLE) == "numpy":
        return None
    try:
        from punktfunk.pixels import compiled
    except ImportError:
        return None
    return compiled


def _flattened(pixels: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], int, int]:
    """Memory from the lowest to the highest pixel, where the picture starts, its stride.

    The last two count pixels. Pictures stored bottom up have a negative stride.
    """
    rows, columns = pixels.shape
    if pixels.flags.c_contiguous:
        return pixels.reshape(-1), 0, columns
    stride = pixels.strides[0] // 4
    extent = (rows - 1) * abs(stride)
    lowest = pixels if stride >= 0 else pixels[::-1]
    flat = as_strided(lowest, shape=(extent + columns,), strides=(4,))
    return flat, 0 if stride >= 0 else extent, stride


def _allocate(target: PixelFormat, width: int, height: int) -> _Buffer:
    stride = -(-width // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES
    half_width, half_height = (width + 1) // 2, (height + 1) // 2
    luma_bytes = stride * height
    flat = _aligned(luma_bytes + stride * half_height)
    flat_luma, flat_chroma = flat[:luma_bytes], flat[luma_bytes:]
    luma = flat_luma.reshape(height, stride)[:, :width]
    if target is PixelFormat.NV12:
        uv = flat_chroma.reshape(half_height, stride)[:, : 2 * half_width]
        u, v = uv[:, 0::2], uv[:, 1::2]
        return _Buffer(planes=(luma, uv), u=u, v=v, flat_planes=(flat_luma, flat_chroma))
    flat_u, flat_v = np.split(flat_chroma, 2)
    u, v = (plane.reshape(half_height, stride // 2)[:, :half_width] for plane in (flat_u, flat_v))
    return _Buffer(planes=(luma, u, v), u=u, v=v, flat_planes=(flat_luma, flat_u, flat_v))


def _aligned(size_bytes: int) -> Plane:
    memory = np.zeros(size_bytes + _ALIGNMENT_BYTES, dtype=np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT_BYTES
    return memory[start : start + size_bytes]
