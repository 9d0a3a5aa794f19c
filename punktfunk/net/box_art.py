"""A picture for games that have none: a quiet gradient, made here, in box-art format."""

import colorsys
import struct
import zlib
from functools import lru_cache

import numpy as np

WIDTH_PX, HEIGHT_PX = 600, 800
_HUES = 12


def default_box_art(moonlight_id: int) -> bytes:
    """A PNG of 600x800 (3:4). Apps get different hues, each app always the same one."""
    return _gradient(moonlight_id % _HUES)


@lru_cache(maxsize=_HUES)
def _gradient(hue: int) -> bytes:
    top = np.array(colorsys.hsv_to_rgb(hue / _HUES, 0.55, 0.55))
    bottom = np.array(colorsys.hsv_to_rgb((hue + 1.5) / _HUES, 0.75, 0.15))
    down = np.linspace(0, 1, HEIGHT_PX)[:, None, None]
    across = np.linspace(-1, 1, WIDTH_PX)[None, :, None]
    light = 1 - 0.25 * across**2
    picture = np.rint((top * (1 - down) + bottom * down) * light * 255).astype(np.uint8)
    rows = picture.reshape(HEIGHT_PX, WIDTH_PX * 3)
    # Filter 2 (difference to the row above) makes a gradient small.
    differences = np.diff(rows, axis=0, prepend=np.zeros((1, WIDTH_PX * 3), np.uint8))
    filtered = np.insert(differences, 0, 2, axis=1).tobytes()
    header = struct.pack(">IIBBBBB", WIDTH_PX, HEIGHT_PX, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(filtered))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
