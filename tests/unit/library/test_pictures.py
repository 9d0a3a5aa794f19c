"""What counts as a picture, told from its first bytes."""

import os
import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from punktfunk.library.pictures import (
    MAX_FILE_BYTES,
    MAX_PIXELS,
    MAX_SIDE_PX,
    is_picture,
    media_type_of,
    read_picture,
    size_px,
)

FORMATS = {
    "png": ("PNG", {}, "image/png"),
    "jpeg": ("JPEG", {}, "image/jpeg"),
    "progressive": ("JPEG", {"progressive": True}, "image/jpeg"),
    "exif": ("JPEG", {"exif": b"Exif\0\0" + bytes(3_000)}, "image/jpeg"),
    "lossy": ("WEBP", {}, "image/webp"),
    "lossless": ("WEBP", {"lossless": True}, "image/webp"),
    "extended": ("WEBP", {"exif": b"Exif\0\0" + bytes(50)}, "image/webp"),
}


def encoded(form: str, size: tuple[int, int] = (61, 97)) -> bytes:
    kind, options, _ = FORMATS[form]
    file = BytesIO()
    Image.effect_noise(size, 40).convert("RGB").save(file, kind, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + bytes(5)


@pytest.mark.parametrize("form", FORMATS)
def test_type_and_size_are_read_whatever_the_file_is_called(tmp_path, form: str) -> None:
    path = tmp_path / "cover.txt"
    path.write_bytes(encoded(form))

    picture = read_picture(path)

    assert picture is not None
    assert picture.media_type == FORMATS[form][2]
    assert (picture.width_px, picture.height_px) == (61, 97)
    assert picture.data == path.read_bytes()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + bytes(40),
        b"\0\0\1\0\1\0" + bytes(40),
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"BM" + bytes(60),
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"RIFF\x10\0\0\0WEBP",
        b"RIFF\x10\0\0\0WAVE" + bytes(40),
        b"RIFF\x30\0\0\0WEBPVP9 " + bytes(40),
    ],
)
def test_anything_else_is_no_picture(tmp_path, data: bytes) -> None:
    path = tmp_path / "cover.png"
    path.write_bytes(data)

    assert read_picture(path) is None


@pytest.mark.parametrize(
    ("width", "height"),
    [(0, 10), (10, 0), (MAX_SIDE_PX + 1, 10), (10, 2**32 - 1), (8_000, MAX_PIXELS // 8_000 + 1)],
)
def test_threat_20_a_picture_that_would_be_giant_is_refused_by_its_header(
    tmp_path, width: int, height: int
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(width, height))

    assert is_picture(path)
    assert read_picture(path) is None


def test_threat_20_a_giant_file_is_not_read_to_its_end(tmp_path) -> None:
    path = tmp_path / "giant.png"
    path.write_bytes(png_header(600, 900))
    os.truncate(path, MAX_FILE_BYTES + 1)

    assert read_picture(path) is None
    os.truncate(path, MAX_FILE_BYTES)
    assert read_picture(path) is not None


def test_threat_19_only_regular_files_are_opened_and_never_through_a_link(tmp_path) -> None:
    real, link, pipe = tmp_path / "a.png", tmp_path / "link.png", tmp_path / "pipe.png"
    real.write_bytes(encoded("png"))
    link.symlink_to(real)
    os.mkfifo(pipe)

    assert read_picture(real) is not None
    for path in (link, pipe, tmp_path, tmp_path / "nothing", tmp_path / "a.png\0b"):
        assert read_picture(path) is None
        assert not is_picture(path)


@given(form=st.sampled_from(list(FORMATS)), cut=st.integers(0, 4_000), junk=st.binary(max_size=40))
def test_headers_that_are_cut_or_overwritten_raise_nothing(form, cut, junk) -> None:
    data = encoded(form)
    for text in (data[:cut], data[:cut] + junk, data[:cut] + junk + data[cut + len(junk) :]):
        media_type_of(text)
        size_px(text)


def test_a_jpeg_of_nothing_but_segments_is_given_up() -> None:
    assert size_px(b"\xff\xd8" + b"\xff\xe1\0\2" * 100_000) is None
    assert size_px(b"\xff\xd8" + b"\xff" * 100_000) is None
