"""Pictures in files that others wrote: what they are, how large, and their bytes.

Nothing is decoded here. The type is what the first bytes say, whatever the file is called.
"""

import os
import stat
from pathlib import Path

import attrs

MAX_FILE_BYTES = 8 << 20
MAX_SIDE_PX = 8_192
MAX_PIXELS = 20_000_000

_HEAD_BYTES = 32
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_MAX_JPEG_SEGMENTS = 1_000


@attrs.frozen(kw_only=True)
class Picture:
    """A PNG, JPEG or WebP file, whole and not yet decoded."""

    data: bytes = attrs.field(repr=False)
    media_type: str
    width_px: int
    height_px: int


def is_picture(path: Path) -> bool:
    """Say whether a file begins as a picture that we serve."""
    return media_type_of(_read(path, _HEAD_BYTES) or b"") is not None


def read_picture(path: Path) -> Picture | None:
    """Read a picture; None for anything else, for one that is too large, and for a link."""
    data = _read(path, MAX_FILE_BYTES + 1)
    try:
        return None if data is None else checked_picture(data)
    except ValueError:
        return None


def checked_picture(data: bytes) -> Picture:
    """Look at the header.

    Raises:
        ValueError: it is no picture that we serve, or too large a one; says which.
    """
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"it is longer than {MAX_FILE_BYTES >> 20} MiB")
    media_type, size = media_type_of(data), size_px(data)
    if media_type is None:
        raise ValueError("it is no PNG, JPEG or WebP")
    if size is None or 0 in size:
        raise ValueError("it is damaged")
    width_px, height_px = size
    if max(size) > MAX_SIDE_PX or width_px * height_px > MAX_PIXELS:
        raise ValueError(
            f"it has {width_px} x {height_px} pixels; up to {MAX_SIDE_PX} a side and "
            f"{MAX_PIXELS // 1_000_000} million in all can be"
        )
    return Picture(data=data, media_type=media_type, width_px=width_px, height_px=height_px)


def media_type_of(head: bytes) -> str | None:
    """Tell the type from a file's first 32 bytes."""
    if head.startswith(_PNG):
        return "image/png"
    if head.startswith(_JPEG):
        return "image/jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def size_px(data: bytes) -> tuple[int, int] | None:
    """Read width and height from the header; None when there is no sound one."""
    match media_type_of(data):
        case "image/png":
            return _png_size(data)
        case "image/jpeg":
            return _jpeg_size(data)
        case "image/webp":
            return _webp_size(data)
    return None


def _png_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 24 or data[12:16] != b"IHDR":
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    for _ in range(_MAX_JPEG_SEGMENTS):
        while data[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        if len(data) < at + 4 or data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker in _JPEG_ALONE:
            at += 2
            continue
        if marker in _JPEG_SIZES:
            if len(data) < at + 9:
                return None
            height = int.from_bytes(data[at + 5 : at + 7], "big")
            return int.from_bytes(data[at + 7 : at + 9], "big"), height
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 30:
        return None
    match data[12:16]:
        case b"VP8X":
            width = int.from_bytes(data[24:27], "little")
            return width + 1, int.from_bytes(data[27:30], "little") + 1
        case b"VP8L" if data[20] == 0x2F:
            bits = int.from_bytes(data[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 " if data[23:26] == b"\x9d\x01\x2a":
            width = int.from_bytes(data[26:28], "little") & 0x3FFF
            return width, int.from_bytes(data[28:30], "little") & 0x3FFF
    return None


def _read(path: Path, most_bytes: int) -> bytes | None:
    """Read the beginning of a regular file, never through a link; None when it is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            return file.read(most_bytes)
    except OSError:
        return None
