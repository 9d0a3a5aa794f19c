from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from punktfunk.builtin.annexb import nal_units, tidy
from punktfunk.model.video import Codec

LONG, SHORT = b"\0\0\0\1", b"\0\0\1"
SPS, PPS, IDR, SLICE, SEI, AUD = (
    b"\x67abc",
    b"\x68de",
    b"\x65xyz",
    b"\x61uvw",
    b"\x06s",
    b"\x09\x10",
)


def test_what_stands_before_the_slice_of_a_key_frame_is_taken_away():
    unit = LONG + AUD + LONG + SPS + LONG + PPS + SHORT + SEI + SHORT + IDR + SHORT + IDR

    data, keyframe = tidy(memoryview(unit), Codec.H264)

    assert keyframe
    assert bytes(data) == LONG + SPS + LONG + PPS + SHORT + IDR + SHORT + IDR


def test_a_clean_frame_is_not_copied():
    unit = memoryview(LONG + SLICE)

    data, keyframe = tidy(unit, Codec.H264)

    assert data is unit
    assert not keyframe


def test_a_cra_picture_of_hevc_is_no_key_frame():
    unit = LONG + bytes([21 << 1, 1]) + b"data"

    assert not tidy(memoryview(unit), Codec.HEVC)[1]


def test_an_idr_of_hevc_is_a_key_frame():
    sets = b"".join(LONG + bytes([kind << 1, 1]) + b"p" for kind in (32, 33, 34))
    sei = SHORT + bytes([39 << 1, 1]) + b"info"
    idr = SHORT + bytes([19 << 1, 1]) + b"data"

    data, keyframe = tidy(memoryview(sets + sei + idr), Codec.HEVC)

    assert keyframe
    assert bytes(data) == sets + idr


@pytest.mark.parametrize("data", [b"", b"\0\0\1", LONG + SPS, b"nothing of the kind"])
def test_a_frame_without_a_slice_is_refused(data):
    with pytest.raises(ValueError, match="no slice"):
        tidy(memoryview(data), Codec.H264)


@given(st.binary(max_size=200), st.sampled_from([Codec.H264, Codec.HEVC]))
def test_units_never_overlap_nor_leave_the_data(data, codec):
    units = list(nal_units(data, codec))

    assert all(0 <= unit.start < unit.end <= len(data) for unit in units)
    assert all(a.end == b.start for a, b in pairwise(units))
