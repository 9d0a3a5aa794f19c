"""The conversion as machine code, by numba. Importing this compiles, or loads the cache.

What makes it fast: pixels are read as one 32-bit number, all arithmetic stays in 32 bits
(numba would widen it to 64 without the casts), rows are slices starting at 0 (so the
compiler drops the checks for negative indices), and each row is a function of its own
(so it is vectorised as such) called while the pixels are still in the nearest cache. How
many bytes of a pixel come before its colours is the length of a tuple: a part of its type, so
each has code of its own, which shifts by numbers that the compiler knows.
"""

from collections.abc import Callable
from typing import Any

from numba import int64, njit, types, uint8, uint16, uint32, void

_FF = uint32(0xFF)
_FFFF = uint32(0xFFFF)
_FF00FF = uint32(0xFF00FF)
_8, _16, _18 = uint32(8), uint32(16), uint32(18)

_pixels = types.Array(uint32, 1, "C", readonly=True)
_table = types.Array(uint32, 1, "C", readonly=True)
_bytes = types.Array(uint8, 1, "C")
_pairs = types.Array(uint16, 1, "C")
_areas = types.Array(int64, 2, "C", readonly=True)
_drawn = types.Array(uint32, 2, "C")
_line = types.Array(uint32, 1, "C")
_places = types.Array(int64, 1, "C", readonly=True)
_source = (_pixels, int64, int64, _areas)

BEFORE = ((), (0,))
"""By the number of bytes before a pixel's colours: what tells the kernels so."""

_BEFORE_TYPES = (types.Tuple(()), types.UniTuple(int64, 1))


def _compile(*signature: Any) -> Callable[[Callable[..., Any]], Any]:
    def decorate(function: Callable[..., Any]) -> Any:
        options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
        try:
            return njit(*signature, cache=True, **options)(function)
        except RuntimeError:  # nowhere to keep the cache
            return njit(*signature, **options)(function)

    return decorate


@_compile()
def _luma_row(row: Any, luma: Any, w0: Any, w1: Any, w2: Any, offset: Any, before: Any) -> None:
    skipped = uint32(8 * len(before))
    for i in range(row.size):
        p = uint32(row[i] >> skipped)
        low = uint32(uint32(p & _FF) * w0)
        middle = uint32(uint32(uint32(p >> _8) & _FF) * w1)
        high = uint32(uint32(uint32(p >> _16) & _FF) * w2)
        luma[i] = uint8(uint32(low + middle + high + offset) >> _16)


@_compile()
def _sums(p: Any, q: Any, r: Any, s: Any, before: Any) -> Any:
    """Add up four pixels, colour by colour; the first and the last share the additions."""
    skipped = uint32(8 * len(before))
    p, q, r, s = p >> skipped, q >> skipped, r >> skipped, s >> skipped
    even = uint32(uint32(p & _FF00FF) + uint32(q & _FF00FF))
    even = uint32(even + uint32(r & _FF00FF) + uint32(s & _FF00FF))
    odd = uint32(uint32(uint32(p >> _8) & _FF) + uint32(uint32(q >> _8) & _FF))
    odd = uint32(odd + uint32(uint32(r >> _8) & _FF) + uint32(uint32(s >> _8) & _FF))
    return uint32(even & _FFFF), odd, uint32(even >> _16)


@_compile()
def _blend(s0: Any, s1: Any, s2: Any, w0: Any, w1: Any, w2: Any, offset: Any) -> Any:
    value = uint32(uint32(s0 * w0) + uint32(s1 * w1) + uint32(s2 * w2) + offset)
    return min(uint32(value >> _18), _FF)  # full range can round up to 256


@_compile()
def _planar_row(above: Any, below: Any, u: Any, v: Any, table: Any, before: Any) -> None:
    u0, u1, u2 = table[4], table[5], table[6]
    v0, v1, v2, offset = table[7], table[8], table[9], table[10]
    pairs = above.size // 2
    for i in range(pairs):
        k = 2 * i
        s0, s1, s2 = _sums(above[k], above[k + 1], below[k], below[k + 1], before)
        u[i] = uint8(_blend(s0, s1, s2, u0, u1, u2, offset))
        v[i] = uint8(_blend(s0, s1, s2, v0, v1, v2, offset))
    if above.size & 1:
        s0, s1, s2 = _sums(above[-1], above[-1], below[-1], below[-1], before)
        u[pairs] = uint8(_blend(s0, s1, s2, u0, u1, u2, offset))
        v[pairs] = uint8(_blend(s0, s1, s2, v0, v1, v2, offset))


@_compile()
def _interleaved_row(above: Any, below: Any, uv: Any, table: Any, before: Any) -> None:
    u0, u1, u2 = table[4], table[5], table[6]
    v0, v1, v2, offset = table[7], table[8], table[9], table[10]
    pairs = above.size // 2
    for i in range(pairs):
        k = 2 * i
        s0, s1, s2 = _sums(above[k], above[k + 1], below[k], below[k + 1], before)
        u = _blend(s0, s1, s2, u0, u1, u2, offset)
        v = _blend(s0, s1, s2, v0, v1, v2, offset)
        uv[i] = uint16(u | uint32(v << _8))
    if above.size & 1:
        s0, s1, s2 = _sums(above[-1], above[-1], below[-1], below[-1], before)
        u = _blend(s0, s1, s2, u0, u1, u2, offset)
        v = _blend(s0, s1, s2, v0, v1, v2, offset)
        uv[pairs] = uint16(u | uint32(v << _8))


@_compile(
    [void(*_source, _bytes, int64, _bytes, _bytes, int64, _table, it) for it in _BEFORE_TYPES]
)
def to_i420(
    pixels: Any,
    start: Any,
    stride: Any,
    areas: Any,
    luma: Any,
    luma_stride: Any,
    u: Any,
    v: Any,
    chroma_stride: Any,
    table: Any,
    before: Any,
) -> None:
    """Convert areas of flat buffers.

    Args:
        start: Where in `pixels` the picture begins; `stride` counts pixels, too.
        areas: A row for each: left, top, width and height. Left and top are even.
        luma_stride: In bytes, as is `chroma_stride`.
        before: One of `BEFORE`.
    """
    w0, w1, w2, offset = table[0], table[1], table[2], table[3]
    for index in range(len(areas)):
        left, top, width, height = areas[index]
        half_left, half_width = left // 2, (width + 1) // 2
        for y in range(top, top + height, 2):
            first = start + y * stride + left
            above = pixels[first : first + width]
            at = y * luma_stride + left
            _luma_row(above, luma[at : at + width], w0, w1, w2, offset, before)
            below = above
            if y + 1 < top + height:
                first += stride
                below = pixels[first : first + width]
                at += luma_stride
                _luma_row(below, luma[at : at + width], w0, w1, w2, offset, before)
            at = y // 2 * chroma_stride + half_left
            _planar_row(
                above, below, u[at : at + half_width], v[at : at + half_width], table, before
            )


@_compile([void(*_source, _bytes, int64, _pairs, int64, _table, it) for it in _BEFORE_TYPES])
def to_nv12(
    pixels: Any,
    start: Any,
    stride: Any,
    areas: Any,
    luma: Any,
    luma_stride: Any,
    uv: Any,
    uv_stride: Any,
    table: Any,
    before: Any,
) -> None:
    """Like `to_i420`; a U and its V are one 16-bit number, `uv_stride` counts those."""
    w0, w1, w2, offset = table[0], table[1], table[2], table[3]
    for index in range(len(areas)):
        left, top, width, height = areas[index]
        half_left, half_width = left // 2, (width + 1) // 2
        for y in range(top, top + height, 2):
            first = start + y * stride + left
            above = pixels[first : first + width]
            at = y * luma_stride + left
            _luma_row(above, luma[at : at + width], w0, w1, w2, offset, before)
            below = above
            if y + 1 < top + height:
                first += stride
                below = pixels[first : first + width]
                at += luma_stride
                _luma_row(below, luma[at : at + width], w0, w1, w2, offset, before)
            at = y // 2 * uv_stride + half_left
            _interleaved_row(above, below, uv[at : at + half_width], table, before)


@_compile()
def _mix(one: Any, other: Any, weight: Any) -> Any:
    rest = uint32(uint32(256) - weight)
    even = uint32(uint32(uint32(one & _FF00FF) * rest) + uint32(uint32(other & _FF00FF) * weight))
    odd = uint32(uint32(uint32(one >> _8) & _FF00FF) * rest)
    odd = uint32(odd + uint32(uint32(uint32(other >> _8) & _FF00FF) * weight))
    return uint32(uint32(uint32(even >> _8) & _FF00FF) | uint32(odd & ~_FF00FF))


@_compile()
def _mix_rows(above: Any, below: Any, weight: Any, line: Any) -> None:
    for i in range(line.size):
        line[i] = _mix(above[i], below[i], weight)


@_compile()
def _pick(line: Any, places: Any, firsts: Any, seconds: Any) -> None:
    for i in range(places.size):
        at = places[i]
        firsts[i] = line[at]
        seconds[i] = line[at + 1]


@_compile()
def _mix_columns(firsts: Any, seconds: Any, weights: Any, row: Any) -> None:
    for i in range(row.size):
        row[i] = _mix(firsts[i], seconds[i], weights[i])


@_compile(
    void(
        *(_pixels, int64, int64, _drawn, int64, int64, int64, int64),
        *(_places, _table, _places, _table, _line),
    )
)
def stretch(
    pixels: Any,
    start: Any,
    stride: Any,
    target: Any,
    left: Any,
    right: Any,
    top: Any,
    bottom: Any,
    rows_at: Any,
    rows_weight: Any,
    columns_at: Any,
    columns_weight: Any,
    line: Any,
) -> None:
    """Draw a part of the target as `plain.stretch` does.

    Args:
        start: Where in `pixels` the picture begins; `stride` counts pixels, too.
        line: Room for a row of the source and two of the target.
    """
    width = target.shape[1]
    first, after = columns_at[left], columns_at[right - 1] + 2
    firsts, seconds = line[left:right], line[width + left : width + right]
    whole = line[2 * width :]
    mixed, places, weights = whole[first:after], columns_at[left:right], columns_weight[left:right]
    for y in range(top, bottom):
        at = start + rows_at[y] * stride
        above, below = pixels[at : at + whole.size], pixels[at + stride : at + stride + whole.size]
        _mix_rows(above[first:after], below[first:after], rows_weight[y], mixed)
        # Looking up apart from reckoning: only then is the reckoning vectorised.
        _pick(whole, places, firsts, seconds)
        _mix_columns(firsts, seconds, weights, target[y, left:right])
