"""Captured frames in, frames for the encoder out. What did not change is not converted again."""

import os
from types import ModuleType

import attrs
import numpy as np
from numpy.typing import NDArray

from punktfunk.model.frames import Area, Frame, Plane
from punktfunk.model.video import PACKED, ColorSpace, ColorSpec, PixelFormat
from punktfunk.pixels import plain
from punktfunk.pixels.coefficients import coefficients, first_byte
from punktfunk.pixels.flat import flattened
from punktfunk.pixels.stretching import Stretching

BACKEND_VARIABLE = "PUNKTFUNK_PIXELS"
"""Set to `numpy` to do without numba."""

_TARGETS = (PixelFormat.I420, PixelFormat.NV12)
_MOST_AREAS = 16
"""More of them than this are one area around them all."""
_ALIGNMENT_BYTES = 64
_SLACK_PX = 16


@attrs.frozen(kw_only=True)
class _Buffer:
    """The output picture: its planes for the world, and flat memory for the kernels."""

    planes: tuple[Plane, ...]
    u: Plane
    v: Plane
    flat_planes: tuple[Plane, ...]


class Converter:
    """Converts one size and kind of picture. Used by one thread.

    Args:
        source: One of `PACKED`.
        target: `I420` or `NV12`. The planes of a target lie in one block of memory, each
            behind the other; I420's chroma rows are exactly half as far apart as luma's.
        width: Of the target, in pixels. Sources of another size are stretched to it; those
            that are hardly larger, because theirs was rounded up, are cropped.
        height: Of the target. Odd sizes repeat the last pixel for the chroma.
        color: What the bitstream will say about the colours.

    Raises:
        ValueError: no such conversion.
    """

    def __init__(
        self, source: PixelFormat, target: PixelFormat, width: int, height: int, color: ColorSpec
    ) -> None:
        if source not in PACKED or target not in _TARGETS:
            raise ValueError(f"cannot convert {source} to {target}")
        if width < 1 or height < 1:
            raise ValueError("pictures have at least one pixel")
        self._source, self._target = source, target
        self._width, self._height = width, height
        self._everything = (Area(0, 0, width, height),)
        self._outdated: tuple[Area, ...] = self._everything
        self._source_px = (0, 0)
        self._stretching: Stretching | None = None
        self._table, self._first_byte = coefficients(color, source), first_byte(source)
        self._compiled = _compiled()
        self._buffer = _allocate(target, width, height)

    def convert(self, frame: Frame) -> Frame:
        """Convert a frame, or what of it changed, and release it.

        Returns:
            A frame whose memory the next call changes.

        Raises:
            ValueError: the frame has another format or no pixels to speak of. It is released
                all the same.
        """
        try:
            self._note_damage(frame)
            pixels = self._pixels_of(frame)
            if self._compiled is not None:
                self._run_compiled(self._compiled, pixels, self._outdated)
            else:
                self._run_plain(pixels, self._outdated)
            self._outdated = ()
        finally:
            frame.release()
        return Frame(
            format=self._target,
            width_px=self._width,
            height_px=self._height,
            planes=self._buffer.planes,
            captured_ns=frame.captured_ns,
            fresh=frame.fresh,
        )

    def skip(self, frame: Frame) -> None:
        """Release a frame that nobody will see; what it changed is converted with the next."""
        try:
            self._note_damage(frame)
        finally:
            frame.release()

    def _note_damage(self, frame: Frame) -> None:
        source_px = (frame.width_px, frame.height_px)
        if frame.damage is None or source_px != self._source_px:
            self._outdated = self._everything
        elif self._outdated is not self._everything:
            reached = self._stretching.reached_by if self._stretching else _itself
            fitting = (_fitted(reached(it), self._width, self._height) for it in frame.damage)
            self._outdated = (*self._outdated, *(area for area in fitting if area is not None))
            if len(self._outdated) > _MOST_AREAS:
                self._outdated = (_around(self._outdated),)
        if source_px != self._source_px:
            self._source_px = source_px
            wanted_px = (self._width, self._height)
            self._stretching = (
                None if _is_cropped(source_px, wanted_px) else Stretching(source_px, wanted_px)
            )

    def _pixels_of(self, frame: Frame) -> NDArray[np.uint32]:
        if frame.format is not self._source:
            raise ValueError(f"expected {self._source}, got {frame.format}")
        stretching = self._stretching
        width, height = stretching.has_px if stretching else (self._width, self._height)
        plane = frame.planes[0][:height, : 4 * width]
        pixels = plane.view(np.uint32)
        if not pixels.flags.aligned:
            pixels = np.ascontiguousarray(plane).view(np.uint32)
        if stretching is None:
            return pixels
        stretching.draw(pixels, self._outdated, self._compiled)
        return stretching.pixels

    def _run_plain(self, pixels: NDArray[np.uint32], areas: tuple[Area, ...]) -> None:
        luma, u, v = self._buffer.planes[0], self._buffer.u, self._buffer.v
        for area in areas:
            right, bottom = area.left_px + area.width_px, area.top_px + area.height_px
            whole = (slice(area.top_px, bottom), slice(area.left_px, right))
            half = tuple(slice(side.start // 2, (side.stop + 1) // 2) for side in whole)
            planes = luma[whole], u[half], v[half]
            plain.convert_rows(pixels[whole], *planes, self._table, self._first_byte)

    def _run_compiled(
        self, compiled: ModuleType, pixels: NDArray[np.uint32], areas: tuple[Area, ...]
    ) -> None:
        last = self._table, compiled.BEFORE[self._first_byte]
        numbers = [(area.left_px, area.top_px, area.width_px, area.height_px) for area in areas]
        source = (*flattened(pixels), np.array(numbers, np.int64).reshape(-1, 4))
        luma, *chroma = self._buffer.flat_planes
        strides = [plane.strides[0] for plane in self._buffer.planes]
        if self._target is PixelFormat.I420:
            compiled.to_i420(*source, luma, strides[0], *chroma, strides[1], *last)
        else:
            pairs = chroma[0].view(np.uint16)
            compiled.to_nv12(*source, luma, strides[0], pairs, strides[1] // 2, *last)


def warm_up() -> None:
    """Compile or load everything, so that the first frame is not late. Takes up to 4 s."""
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


def _is_cropped(source_px: tuple[int, int], wanted_px: tuple[int, int]) -> bool:
    return all(
        0 <= has - wanted < _SLACK_PX for has, wanted in zip(source_px, wanted_px, strict=True)
    )


def _itself(area: Area) -> Area:
    return area


def _fitted(area: Area, width: int, height: int) -> Area | None:
    """The part of an area inside the picture, widened to whole squares of four pixels."""
    left, top = max(0, area.left_px) & ~1, max(0, area.top_px) & ~1
    right = min(width, (area.left_px + area.width_px + 1) & ~1)
    bottom = min(height, (area.top_px + area.height_px + 1) & ~1)
    return Area(left, top, right - left, bottom - top) if right > left and bottom > top else None


def _around(areas: tuple[Area, ...]) -> Area:
    left = min(area.left_px for area in areas)
    top = min(area.top_px for area in areas)
    right = max(area.left_px + area.width_px for area in areas)
    bottom = max(area.top_px + area.height_px for area in areas)
    return Area(left, top, right - left, bottom - top)


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
