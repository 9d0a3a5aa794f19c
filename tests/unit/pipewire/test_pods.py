import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from punktfunk.errors import DriverFailed, ProtocolError
from punktfunk.model.frames import DmaBuf, DmaBufFormat
from punktfunk.model.video import PixelFormat, VideoMode
from punktfunk.pipewire import pods
from punktfunk.pipewire.formats import PictureFormat, answer, offer, offers

MODE = VideoMode(width_px=1_280, height_px=720, refresh_mhz=59_940)
PIXELS, MODIFIER, SIZE, MAX_RATE = 0x2_0001, 0x2_0002, 0x2_0003, 0x2_0005


def test_an_object_reads_as_it_was_built() -> None:
    built = pods.build(
        7,
        3,
        (
            (1, pods.identifier(2)),
            (2, pods.integer(-5)),
            (3, pods.rectangle(640, 360)),
            (4, pods.fraction(60, 1)),
        ),
    )

    assert pods.read_object(built) == {1: 2, 2: -5, 3: (640, 360), 4: (60, 1)}


def test_of_a_choice_the_default_is_read() -> None:
    built = pods.build(7, 3, ((1, pods.one_of(pods.integer(8), pods.integer(9))),))

    assert pods.read_object(built) == {1: 8}


def test_every_pod_is_padded_to_eight_bytes() -> None:
    for pod in (offer(MODE, exact_size=False), *answer(cursor=True), pods.integer(1)):
        assert len(pod) % 8 == 0


def test_the_bytes_of_an_integer_are_pipewires() -> None:
    assert pods.integer(5).hex() == "0400000004000000" + "0500000000000000"


def test_we_ask_for_the_modes_size_and_rate() -> None:
    asked = pods.read_object(offer(MODE, exact_size=False))

    assert asked[SIZE] == (1_280, 720)
    assert asked[MAX_RATE] == (59_940, 1_000)


def test_an_exact_rate_leaves_no_choice() -> None:
    rate = pods.fraction(MODE.refresh_mhz, 1_000)

    assert offer(MODE, exact_size=True, exact_rate=True).count(rate) == 1
    assert len(offer(MODE, exact_size=True, exact_rate=True)) < len(offer(MODE, exact_size=True))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        pods.read_object(data)
    except ProtocolError:
        return


@given(st.integers(0, 400))
def test_an_object_cut_off_anywhere_is_refused(length: int) -> None:
    whole = offer(MODE, exact_size=True)
    if length >= len(whole):
        return

    with pytest.raises(ProtocolError):
        pods.read_object(whole[:length])


def test_an_object_that_says_it_is_longer_than_it_is_is_refused() -> None:
    whole = bytearray(offer(MODE, exact_size=True))
    struct.pack_into("=I", whole, 0, 60_000)

    with pytest.raises(ProtocolError):
        pods.read_object(bytes(whole))


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (8, PixelFormat.BGRX),
        (12, PixelFormat.BGRX),
        (7, PixelFormat.RGBX),
        (11, PixelFormat.RGBX),
        (10, PixelFormat.XBGR),
        (14, PixelFormat.XBGR),
        (9, PixelFormat.XRGB),
        (13, PixelFormat.XRGB),
    ],
)
def test_every_order_of_four_bytes_is_understood(pixels: int, expected: PixelFormat) -> None:
    assert PictureFormat.read({PIXELS: pixels, SIZE: (4, 2)}) == PictureFormat(expected, 4, 2)


@pytest.mark.parametrize("modifier", [0, DmaBuf.IMPLICIT, 2**64 - 1])
def test_a_layout_of_gpu_memory_is_understood_up_to_its_last_bit(modifier: int) -> None:
    pod = pods.build(7, 3, ((PIXELS, pods.identifier(8)), (SIZE, pods.rectangle(4, 2))))
    with_it = pods.build(
        *(7, 3),
        (
            (PIXELS, pods.identifier(8)),
            (SIZE, pods.rectangle(4, 2)),
            (MODIFIER, pods.one_of(pods.long(modifier), pods.long(5))),
        ),
    )

    assert PictureFormat.read(pods.read_object(pod)).modifier is None
    assert PictureFormat.read(pods.read_object(with_it)).modifier == modifier


def test_gpu_memory_as_it_is_comes_first_and_such_that_must_be_read_last() -> None:
    taken = (DmaBufFormat(PixelFormat.BGRX, (9, 0)), DmaBufFormat(PixelFormat.NV12))
    asked = [pods.read_object(it) for it in offers(MODE, dmabufs=taken)]

    assert [it.get(MODIFIER) for it in asked] == [9, None, 0]
    assert len(offers(MODE, [PixelFormat.NV12])) == 1


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {PIXELS: 2, SIZE: (4, 2)},
        {PIXELS: 8, SIZE: (0, 2)},
        {PIXELS: 8, SIZE: (4, 20_000)},
        {PIXELS: 8, SIZE: (4, 2), MODIFIER: (1, 2)},
    ],
)
def test_a_format_that_nobody_offered_is_refused(properties: dict[int, pods.Value]) -> None:
    with pytest.raises(DriverFailed):
        PictureFormat.read(properties)
