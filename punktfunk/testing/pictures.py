"""Pictures for the contracts: made up, strided, moving, and read back from a bitstream."""

import time
from collections.abc import Sequence

import av
import numpy as np
from numpy.typing import NDArray

from punktfunk.model.frames import Frame, Plane
from punktfunk.model.video import Codec, EncodedFrame, PixelFormat, VideoMode

_CHROMA_NEUTRAL = 128


def gray_frame(
    mode: VideoMode,
    pixel_format: PixelFormat,
    level: int,
    *,
    captured_ns: int | None = None,
    row_padding_bytes: int = 0,
    texture: NDArray[np.uint8] | None = None,
) -> Frame:
    """Make a gray picture, or one with a texture of the picture's size as its luma.

    Args:
        level: Gray, 16 (black) to 235 (white); the luma when the format has one.
        row_padding_bytes: Bytes at the end of every row that are not picture; full of
            white, to show if someone reads them.
    """
    width, height = mode.width_px, mode.height_px
    luma = texture if texture is not None else np.full((height, width), level, np.uint8)
    chroma_height, chroma_width = (height + 1) // 2, (width + 1) // 2
    if pixel_format is PixelFormat.I420:
        neutral = np.full((chroma_height, chroma_width), _CHROMA_NEUTRAL, np.uint8)
        planes: tuple[Plane, ...] = (luma, neutral, neutral.copy())
    elif pixel_format is PixelFormat.NV12:
        planes = (luma, np.full((chroma_height, 2 * chroma_width), _CHROMA_NEUTRAL, np.uint8))
    else:
        planes = (np.repeat(luma, 4, axis=1),)
    return Frame(
        format=pixel_format,
        width_px=width,
        height_px=height,
        planes=tuple(_padded(plane, row_padding_bytes) for plane in planes),
        captured_ns=time.monotonic_ns() if captured_ns is None else captured_ns,
    )


def moving_texture(mode: VideoMode, step: int) -> NDArray[np.uint8]:
    """Make a busy luma picture that moves with every step, the same one every time."""
    rng = np.random.default_rng(7)
    small = rng.integers(16, 236, (mode.height_px // 4 + 1, mode.width_px // 4 + 1), np.uint8)
    big = np.kron(small, np.ones((4, 4), np.uint8))[: mode.height_px, : mode.width_px]
    return np.ascontiguousarray(np.roll(big, 7 * step, axis=1))


def decode_lumas(codec: Codec, frames: Sequence[EncodedFrame]) -> list[NDArray[np.uint8]]:
    """Decode a bitstream from its start with someone else's decoder; the luma of each picture."""
    # libav's own AV1 decoder only drives hardware.
    decoder = av.CodecContext.create("libdav1d" if codec is Codec.AV1 else codec.value, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    pictures: list[NDArray[np.uint8]] = []
    for encoded in frames:
        packet = av.Packet(bytes(encoded.data))
        pictures += [_luma(decoded) for decoded in decoder.decode(packet)]
    pictures += [_luma(decoded) for decoded in decoder.decode(None)]
    return pictures


def _luma(decoded: av.VideoFrame) -> NDArray[np.uint8]:
    plane = decoded.planes[0]
    rows = np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)
    luma: NDArray[np.uint8] = rows[: decoded.height, : decoded.width]
    return luma


def _padded(plane: Plane, padding_bytes: int) -> Plane:
    if not padding_bytes:
        return plane
    rows, row_bytes = plane.shape
    wide = np.full((rows, row_bytes + padding_bytes), 255, np.uint8)
    wide[:, :row_bytes] = plane
    return wide[:, :row_bytes]
