import struct

from hypothesis import given
from hypothesis import strategies as st
from punktfunk_capture_x11.areas import MOST_AREAS, clip, join, read_region, rows_of

from punktfunk.plugin import Area

areas = st.builds(
    Area, st.integers(-90, 90), st.integers(-90, 90), st.integers(0, 90), st.integers(0, 90)
)


def region(extents: tuple[int, ...], rectangles: list[tuple[int, ...]]) -> memoryview:
    """The answer to FetchRegion, as a server sends it."""
    head = struct.pack("=BxHI", 1, 7, 2 * len(rectangles)) + struct.pack("=hhHH16x", *extents)
    return memoryview(head + b"".join(struct.pack("=hhHH", *it) for it in rectangles))


def test_a_region_is_its_rectangles() -> None:
    answer = region((-1, 2, 30, 40), [(-1, 2, 3, 4), (20, 30, 9, 12)])

    assert read_region(answer) == (Area(-1, 2, 3, 4), Area(20, 30, 9, 12))


def test_an_empty_region_has_none() -> None:
    assert read_region(region((0, 0, 0, 0), [])) == ()


def test_a_region_of_many_pieces_is_one_rectangle() -> None:
    pieces = [(index * 3, 0, 2, 5) for index in range(MOST_AREAS + 1)]

    assert read_region(region((0, 0, 50, 5), pieces)) == (Area(0, 0, 50, 5),)


@given(st.lists(areas, max_size=5))
def test_clipped_areas_lie_inside_and_lose_no_pixel(given_areas) -> None:
    def pixels(them) -> set[tuple[int, int]]:
        return {
            (x, y)
            for it in them
            for x in range(it.left_px, it.left_px + it.width_px)
            for y in range(it.top_px, it.top_px + it.height_px)
        }

    inside = clip(given_areas, 40, 30)

    assert pixels(inside) == {(x, y) for x, y in pixels(given_areas) if 0 <= x < 40 and 0 <= y < 30}


@given(st.lists(areas.filter(lambda area: area.height_px), max_size=5))
def test_rows_reach_from_the_highest_to_the_lowest(given_areas) -> None:
    top, bottom = rows_of(given_areas)

    if given_areas:
        assert top == min(area.top_px for area in given_areas)
        assert bottom == max(area.top_px + area.height_px for area in given_areas)
    else:
        assert top == bottom


def test_no_rows_add_nothing() -> None:
    assert join((0, 0), (3, 9)) == join((3, 9), (5, 5)) == (3, 9)
