import struct

import numpy as np
from punktfunk_capture_x11.cursor import CursorImage

from punktfunk.plugin import Area

WIDTH, HEIGHT = 8, 6


def answer(width: int, height: int, hot: tuple[int, int], pixels: list[int]) -> memoryview:
    """The answer to GetCursorImage, as a server sends it. It points to (3, 2)."""
    head = struct.pack("=BxHI", 1, 9, width * height)
    place = struct.pack("=hhHHHHI8x", 3, 2, width, height, *hot, 77)
    return memoryview(head + place + struct.pack(f"={width * height}I", *pixels))


def plane(level: int) -> np.ndarray:
    return np.full((HEIGHT, WIDTH * 4), level, np.uint8)


def test_a_cursor_is_read_with_the_point_it_points_with() -> None:
    cursor = CursorImage.read(answer(2, 3, (1, 2), [0] * 6))

    assert cursor.pixels.shape == (3, 2, 4)
    assert cursor.area_at(10, 20) == Area(9, 18, 2, 3)


def test_an_opaque_pixel_hides_what_is_below_and_a_clear_one_does_not() -> None:
    cursor = CursorImage.read(answer(2, 1, (0, 0), [0xFF10_2030, 0x0000_0000]))
    picture = plane(100)

    cursor.paint(picture, cursor.area_at(3, 2))

    pixels = picture.reshape(HEIGHT, WIDTH, 4)
    assert pixels[2, 3, :3].tolist() == [0x30, 0x20, 0x10]
    assert pixels[2, 4, :3].tolist() == [100, 100, 100]
    assert (np.delete(picture, slice(12, 16), axis=1) == 100).all()


def test_half_of_what_is_below_a_half_clear_pixel_is_seen() -> None:
    cursor = CursorImage.read(answer(1, 1, (0, 0), [0x8040_4040]))
    picture = plane(100)

    cursor.paint(picture, cursor.area_at(0, 0))

    assert picture[0, :3].tolist() == [64 + 50, 64 + 50, 64 + 50]


def test_a_cursor_at_the_edge_is_painted_as_far_as_it_is_inside() -> None:
    cursor = CursorImage.read(answer(2, 2, (1, 1), [0xFF00_0000 + n for n in (1, 2, 3, 4)]))

    for x, y in ((0, 0), (WIDTH, HEIGHT), (-50, 3)):
        picture = plane(100)
        cursor.paint(picture, cursor.area_at(x, y))
        changed = int((picture.reshape(HEIGHT, WIDTH, 4)[:, :, 0] != 100).sum())
        assert changed == (1 if x >= 0 else 0)


def test_colours_do_not_run_over() -> None:
    cursor = CursorImage.read(answer(1, 1, (0, 0), [0x01FF_FFFF]))
    picture = plane(255)

    cursor.paint(picture, cursor.area_at(0, 0))

    assert picture[0, :3].tolist() == [255, 255, 255]
