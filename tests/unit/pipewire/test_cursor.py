import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from punktfunk.model.frames import Area
from punktfunk.model.video import PixelFormat
from punktfunk.pipewire.cursor import Cursor

BGRA = 12


def meta(
    x: int,
    y: int,
    *,
    number: int = 1,
    hot: tuple[int, int] = (0, 0),
    pixels: bytes = bytes((10, 20, 30, 255)) * 4,
    side: int = 2,
) -> bytes:
    """What comes with a buffer: where the pointer is, and a square picture of it."""
    head = struct.pack("=IIiiiiI", number, 0, x, y, *hot, 28)
    return head + struct.pack("=IIIiI", BGRA, side, side, 4 * side, 20) + pixels


def picture(width: int = 8, height: int = 6) -> np.ndarray:
    return np.full((height, 4 * width), 100, np.uint8)


def test_a_cursor_is_drawn_where_its_hot_spot_says() -> None:
    cursor, plane = Cursor(), picture()

    assert cursor.update(meta(4, 3, hot=(1, 1)))
    cursor.draw(plane, PixelFormat.BGRX)

    pixels = plane.reshape(6, 8, 4)
    assert pixels[2:4, 3:5, :3].tolist() == [[[10, 20, 30]] * 2] * 2
    assert (np.delete(pixels.reshape(48, 4), [19, 20, 27, 28], axis=0)[:, :3] == 100).all()


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (PixelFormat.RGBX, [30, 20, 10, 100]),
        (PixelFormat.XBGR, [100, 10, 20, 30]),
        (PixelFormat.XRGB, [100, 30, 20, 10]),
    ],
)
def test_colours_are_where_the_picture_has_them(order: PixelFormat, expected: list[int]) -> None:
    cursor, plane = Cursor(), picture()
    cursor.update(meta(0, 0))

    cursor.draw(plane, order)

    assert plane[0, :4].tolist() == expected


def test_half_a_shadow_lets_half_of_the_picture_through() -> None:
    cursor, plane = Cursor(), picture()
    cursor.update(meta(0, 0, pixels=bytes((0, 0, 0, 128)) * 4))

    cursor.draw(plane, PixelFormat.BGRX)

    assert plane[0, 0] == round(100 * 127 / 255)


@pytest.mark.parametrize(("x", "y"), [(-1, -1), (7, 5), (-50, 2), (3, 99)])
def test_at_the_edge_only_what_is_on_the_picture_is_drawn(x: int, y: int) -> None:
    cursor, plane = Cursor(), picture()
    cursor.update(meta(x, y))

    cursor.draw(plane, PixelFormat.BGRX)

    touched = int((plane.reshape(6, 8, 4)[..., 0] == 10).sum())
    assert touched == (1 if (x, y) in ((-1, -1), (7, 5)) else 0)


def test_a_hidden_cursor_is_not_drawn() -> None:
    cursor, plane = Cursor(), picture()
    cursor.update(meta(1, 1))

    assert cursor.update(meta(1, 1, number=0))
    cursor.draw(plane, PixelFormat.BGRX)

    assert (plane == 100).all()


def test_a_move_keeps_the_picture_it_had() -> None:
    cursor = Cursor()
    cursor.update(meta(1, 1))

    assert cursor.update(struct.pack("=IIiiiiI", 1, 0, 5, 2, 0, 0, 0))
    assert cursor.area(8, 6) == Area(5, 2, 2, 2)
    assert not cursor.update(struct.pack("=IIiiiiI", 1, 0, 5, 2, 0, 0, 0))


@given(st.binary(max_size=120))
def test_any_bytes_are_drawn_or_left_alone(data: bytes) -> None:
    cursor, plane = Cursor(), picture()
    cursor.update(data)

    cursor.draw(plane, PixelFormat.BGRX)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(0, 2**32 - 1),
)
def test_a_picture_that_does_not_fit_its_bytes_is_not_read(
    width: int, height: int, stride: int, offset: int
) -> None:
    head = struct.pack("=IIiiiiI", 1, 0, 0, 0, 0, 0, 28)
    cursor = Cursor()

    cursor.update(head + struct.pack("=IIIiI", BGRA, width, height, stride, offset) + bytes(64))

    assert cursor.image is None or cursor.image.size <= 64


def test_a_pointer_from_elsewhere_is_drawn_until_it_is_taken_away() -> None:
    cursor, image = Cursor(), np.full((2, 2, 4), (30, 20, 10, 255), np.uint8)

    assert cursor.place(3, 1, image)
    assert not cursor.place(3, 1, image)
    shown = picture()
    cursor.draw(shown, PixelFormat.BGRX)
    assert shown.reshape(6, 8, 4)[1, 3, :3].tolist() == [10, 20, 30]

    assert cursor.place(3, 1, None)
    assert cursor.area(8, 6) is None
