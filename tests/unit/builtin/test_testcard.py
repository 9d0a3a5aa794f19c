import time
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from punktfunk.builtin.card_cells import CELL_COLUMNS, CELL_ROWS, cells
from punktfunk.builtin.testcard import TestCardCapture
from punktfunk.drivers.compositor import Display
from punktfunk.errors import DriverFailed, DriverUnavailable
from punktfunk.model.video import PixelFormat, VideoMode
from punktfunk.testing.testcard import CardReading, read_card


def mode_of(width, height, refresh_mhz=500_000):
    return VideoMode(width_px=width, height_px=height, refresh_mhz=refresh_mhz)


@pytest.fixture
def opened():
    cards = []

    def open_one(mode):
        card = TestCardCapture()
        card.open(None, Display(compositor="null", mode=mode), mode)
        cards.append(card)
        return card

    yield open_one
    for card in cards:
        card.close()


def luma_of(frame):
    return frame.planes[0].reshape(frame.height_px, -1, 4)[..., 1]


def painted(counter, clock_ns, black=0, white=255, side=16):
    luma = np.full((720, 1280), 90, np.uint8)
    luma[: side * (CELL_ROWS + 1), : side * (CELL_COLUMNS + 1)] = black
    squares = np.where(cells(counter, clock_ns), white, black)
    luma[: side * CELL_ROWS, : side * CELL_COLUMNS] = np.kron(squares, np.ones((side, side)))
    return luma


@pytest.mark.parametrize(
    "size", [(264, 40), (640, 360), (1280, 720), (1279, 719), (1920, 1080), (720, 1280)]
)
def test_frames_count_up_and_carry_their_time(opened, size):
    card = opened(mode_of(*size))

    for counter in range(7):
        frame = card.read(1.0)
        assert read_card(luma_of(frame)) == CardReading(counter, frame.captured_ns)
        assert frame.format is PixelFormat.BGRX
        assert frame.planes[0].shape == (size[1], size[0] * 4)


def test_the_reference_layout_of_the_cells():
    rows = cells(0x8000_0001, 0x0123_4567_89AB_CDEF)

    numbers = [int("".join("01"[cell] for cell in row), 2) for row in rows.astype(int)]
    checksum = zlib.crc32(bytes.fromhex("80000001 01234567 89abcdef"))
    assert numbers == [0x8000_0001, 0x0123_4567, 0x89AB_CDEF, checksum]


@given(
    counter=st.integers(0, 2**32 - 1),
    clock_ns=st.integers(0, 2**64 - 1),
    levels=st.sampled_from([(0, 255), (16, 235)]),
    seed=st.integers(0, 1_000),
)
def test_cells_are_read_through_noise_and_either_range(counter, clock_ns, levels, seed):
    noise = np.random.default_rng(seed).integers(-40, 41, (720, 1280))

    luma = np.clip(painted(counter, clock_ns, *levels) + noise, 0, 255).astype(np.uint8)

    assert read_card(luma) == CardReading(counter, clock_ns)


def test_a_card_with_one_wrong_cell_is_not_believed():
    luma = painted(5, 77)
    luma[:16, 31 * 16 : 32 * 16] = 255 - luma[:16, 31 * 16 : 32 * 16]

    assert read_card(luma) is None


@pytest.mark.parametrize("level", [0, 16, 128, 255])
def test_a_picture_without_a_card_is_not_one(level):
    assert read_card(np.full((720, 1280), level, np.uint8)) is None
    assert read_card(np.full((20, 20), level, np.uint8)) is None


def test_moving_things_leave_no_trace(opened):
    card = opened(mode_of(640, 360))
    pictures = [card.read(1.0).planes[0].copy() for _ in range(9)]
    bar_rows = slice(360 * 5 // 8, 360 * 11 // 16)

    white = [(picture.reshape(360, 640, 4)[bar_rows] == 255).all(axis=2) for picture in pictures]
    below = [picture[360 * 11 // 16 :] for picture in pictures]

    assert {int(mask.sum()) for mask in white} == {40 * (bar_rows.stop - bar_rows.start)}
    assert len({int(mask[0].argmax()) for mask in white}) == 9
    assert all(np.array_equal(rows, below[0]) for rows in below)


def test_everything_that_changed_is_damage_and_little_else(opened):
    card = opened(mode_of(640, 360))
    first = card.read(1.0)
    assert first.damage is None
    before = first.planes[0].copy()

    for _ in range(130):  # the bar goes back to where it began
        frame = card.read(1.0)
        picture = frame.planes[0].copy()
        for area in frame.damage:
            rows = slice(area.top_px, area.top_px + area.height_px)
            columns = slice(4 * area.left_px, 4 * (area.left_px + area.width_px))
            before[rows, columns] = picture[rows, columns]
        assert np.array_equal(picture, before)
        assert sum(area.width_px * area.height_px for area in frame.damage) < 640 * 360 // 10


def test_two_frames_may_be_out_while_a_third_is_drawn(opened):
    card = opened(mode_of(640, 360))
    first, second = card.read(1.0), card.read(1.0)
    kept = [first.planes[0].copy(), second.planes[0].copy()]

    card.read(1.0)

    assert np.array_equal(first.planes[0], kept[0])
    assert np.array_equal(second.planes[0], kept[1])


def test_frames_come_at_the_rate_of_the_mode_without_drift(opened):
    mode = mode_of(640, 360, refresh_mhz=59_940)
    card = opened(mode)

    stamps = [card.read(1.0).captured_ns for _ in range(13)]

    # However late single frames were: the last one is due twelve intervals after the first.
    assert stamps[-1] - stamps[0] > 11.5 * mode.frame_interval_ns


def test_a_frame_that_is_not_due_is_not_waited_for(opened):
    card = opened(mode_of(640, 360, refresh_mhz=1_000))
    card.read(1.0)

    before = time.monotonic()
    assert card.read(0.01) is None
    assert time.monotonic() - before < 0.9


def test_whoever_reads_late_misses_ticks_but_no_number(opened, monkeypatch):
    now = [1_000_000_000]
    monkeypatch.setattr("punktfunk.builtin.testcard.time.monotonic_ns", lambda: now[0])
    card = opened(mode_of(640, 360, refresh_mhz=100_000))
    assert read_card(luma_of(card.read(0))).counter == 0

    now[0] += 57_000_000
    late = card.read(0)
    too_soon = card.read(0)
    now[0] += 3_000_000
    next_tick = card.read(0)

    assert read_card(luma_of(late)).counter == 1
    assert too_soon is None
    assert read_card(luma_of(next_tick)).counter == 2


def test_a_mode_without_room_for_the_cells_is_refused(opened):
    with pytest.raises(DriverUnavailable, match="test card needs"):
        opened(mode_of(200, 200))


def test_a_closed_card_says_so(opened):
    card = opened(mode_of(640, 360))
    card.close()
    card.close()

    with pytest.raises(DriverFailed):
        card.read(0)
