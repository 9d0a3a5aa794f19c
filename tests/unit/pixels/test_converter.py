import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from punktfunk.model.frames import Area, Frame
from punktfunk.model.video import ColorSpace, ColorSpec, PixelFormat
from punktfunk.pixels import Converter, warm_up

# Where in a pixel its red, green and blue are.
SOURCES = {
    PixelFormat.BGRX: (2, 1, 0),
    PixelFormat.RGBX: (0, 1, 2),
    PixelFormat.XBGR: (3, 2, 1),
    PixelFormat.XRGB: (1, 2, 3),
}
TARGETS = (PixelFormat.I420, PixelFormat.NV12)
COLORS = [ColorSpec(space=space, full_range=full) for space in ColorSpace for full in (False, True)]

KR_KB = {
    ColorSpace.REC601: (0.299, 0.114),
    ColorSpace.REC709: (0.2126, 0.0722),
    ColorSpace.REC2020: (0.2627, 0.0593),
}


@pytest.fixture(params=["numba", "numpy"])
def backend(request, monkeypatch):
    monkeypatch.setenv("PUNKTFUNK_PIXELS", request.param)
    return request.param


def picture(width, height, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width * 4), dtype=np.uint8)


def frame_of(plane, source=PixelFormat.BGRX, **more):
    return Frame(
        format=source,
        width_px=plane.shape[1] // 4,
        height_px=plane.shape[0],
        planes=(plane,),
        captured_ns=more.pop("captured_ns", 1),
        **more,
    )


def convert(plane, source, target, color, size=None):
    width, height = size or (plane.shape[1] // 4, plane.shape[0])
    return Converter(source, target, width, height, color).convert(frame_of(plane, source))


def yuv(frame):
    if frame.format is PixelFormat.I420:
        return frame.planes
    luma, uv = frame.planes
    return luma, uv[:, 0::2], uv[:, 1::2]


def reference(plane, source, color):
    """The same in floating point, straight from the standards' definition."""
    pixels = plane.reshape(plane.shape[0], -1, 4).astype(np.float64)
    red, green, blue = (pixels[..., at] for at in SOURCES[source])
    kr, kb = KR_KB[color.space]

    def luma_of(r, g, b):
        return kr * r + (1 - kr - kb) * g + kb * b

    def halved(channel):
        rows, columns = channel.shape
        channel = np.pad(channel, ((0, rows % 2), (0, columns % 2)), mode="edge")
        return (
            channel[0::2, 0::2] + channel[0::2, 1::2] + channel[1::2, 0::2] + channel[1::2, 1::2]
        ) / 4

    y = luma_of(red, green, blue)
    red, green, blue = halved(red), halved(green), halved(blue)
    y_half = luma_of(red, green, blue)
    cb, cr = (blue - y_half) / (2 - 2 * kb), (red - y_half) / (2 - 2 * kr)
    if not color.full_range:
        y, cb, cr = 16 + y * 219 / 255, cb * 224 / 255, cr * 224 / 255
    return y, np.clip(cb + 128, 0, 255), np.clip(cr + 128, 0, 255)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("color", COLORS, ids=str)
def test_colours_follow_the_standards(backend, source, target, color):
    plane = picture(64, 36)

    converted = yuv(convert(plane, source, target, color))

    for plane_out, wanted in zip(converted, reference(plane, source, color), strict=True):
        assert np.abs(plane_out - wanted).max() <= 1.0


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(1, 70),
    height=st.integers(1, 40),
    source=st.sampled_from(list(SOURCES)),
    target=st.sampled_from(TARGETS),
    color=st.sampled_from(COLORS),
    padding_px=st.integers(0, 5),
    bottom_up=st.booleans(),
)
def test_numba_and_numpy_agree_for_every_size_and_stride(
    width, height, source, target, color, padding_px, bottom_up
):
    plane = picture(width + padding_px, height, seed=width * 100 + height)[:, : 4 * width]
    if bottom_up:
        plane = plane[::-1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PUNKTFUNK_PIXELS", "numba")
        fast = yuv(convert(plane, source, target, color))
        patch.setenv("PUNKTFUNK_PIXELS", "numpy")
        slow = yuv(convert(plane, source, target, color))

    for one, other in zip(fast, slow, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("source", SOURCES)
def test_a_stretched_picture_has_the_same_colours_whatever_their_order(backend, source):
    pixels = np.zeros((20, 30, 4), np.uint8)
    pixels[..., SOURCES[source]] = (200, 60, 20)
    plane = pixels.reshape(20, 120)

    stretched = yuv(convert(plane, source, PixelFormat.I420, ColorSpec(), size=(44, 32)))

    for plane_out, wanted in zip(stretched, reference(plane, source, ColorSpec()), strict=True):
        assert np.abs(plane_out - wanted[0, 0]).max() <= 1.0


def test_odd_sizes_repeat_the_edge(backend):
    plane = picture(5, 3)
    color = ColorSpec()

    converted = yuv(convert(plane, PixelFormat.BGRX, PixelFormat.I420, color))

    assert [p.shape for p in converted] == [(3, 5), (2, 3), (2, 3)]
    for plane_out, wanted in zip(converted, reference(plane, PixelFormat.BGRX, color), strict=True):
        assert np.abs(plane_out - wanted).max() <= 1.0


@pytest.mark.parametrize(("full_range", "white"), [(False, 235), (True, 255)])
def test_greys_have_no_tint(backend, full_range, white):
    plane = np.full((2, 8), 255, dtype=np.uint8)
    color = ColorSpec(space=ColorSpace.REC709, full_range=full_range)

    luma, u, v = yuv(convert(plane, PixelFormat.BGRX, PixelFormat.I420, color))

    assert (set(luma.flat), set(u.flat), set(v.flat)) == ({white}, {128}, {128})


def test_the_purest_blue_does_not_wrap_around_in_full_range(backend):
    plane = np.tile(np.array([255, 0, 0, 0], dtype=np.uint8), (2, 2))

    _, u, _ = yuv(convert(plane, PixelFormat.BGRX, PixelFormat.I420, ColorSpec(full_range=True)))

    assert set(u.flat) == {255}


def test_a_larger_source_is_cropped(backend):
    plane = picture(21, 11)

    cropped = convert(plane, PixelFormat.BGRX, PixelFormat.I420, ColorSpec(), size=(20, 10))

    whole = convert(plane[:10, :80], PixelFormat.BGRX, PixelFormat.I420, ColorSpec())
    assert all(np.array_equal(a, b) for a, b in zip(yuv(cropped), yuv(whole), strict=True))


def test_a_source_of_another_size_is_stretched_between_its_pixels(backend):
    plane = np.repeat(np.array([[0, 200]], np.uint8), 4, axis=1).repeat(2, axis=0)

    luma, _, _ = yuv(
        convert(plane, PixelFormat.BGRX, PixelFormat.I420, ColorSpec(full_range=True), size=(8, 40))
    )

    assert np.abs(luma[0].astype(int) - [0, 0, 25, 75, 125, 175, 200, 200]).max() <= 1
    assert (luma == luma[0]).all()


@pytest.mark.parametrize("size", [(64, 36), (160, 20), (31, 77)])
def test_half_the_size_and_others_keep_a_plain_colour(backend, size):
    plane = np.tile(np.array([10, 200, 90, 7], np.uint8), (72, 128))

    stretched = convert(plane, PixelFormat.BGRX, PixelFormat.I420, ColorSpec(), size=size)

    whole = convert(plane, PixelFormat.BGRX, PixelFormat.I420, ColorSpec())
    for one, other in zip(yuv(stretched), yuv(whole), strict=True):
        assert set(one.flat) == {other.flat[0]}


@given(
    has=st.tuples(st.integers(2, 60), st.integers(2, 60)),
    wanted=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    seed=st.integers(0, 1_000),
)
def test_numba_and_numpy_stretch_alike(has, wanted, seed):
    plane = picture(*has, seed=seed)
    results = []
    for backend in ("numba", "numpy"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PUNKTFUNK_PIXELS", backend)
            results.append(
                convert(plane, PixelFormat.BGRX, PixelFormat.NV12, ColorSpec(), size=wanted)
            )

    assert all(np.array_equal(a, b) for a, b in zip(*map(yuv, results), strict=True))


@given(
    has=st.tuples(st.integers(2, 70), st.integers(2, 70)),
    wanted=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    data=st.data(),
)
def test_stretching_the_damage_gives_what_stretching_everything_gives(has, wanted, data):
    before, after = picture(*has, seed=1), picture(*has, seed=2)
    left = data.draw(st.integers(0, has[0] - 1))
    top = data.draw(st.integers(0, has[1] - 1))
    width = data.draw(st.integers(1, has[0] - left))
    height = data.draw(st.integers(1, has[1] - top))
    changed = before.copy()
    place = (slice(top, top + height), slice(4 * left, 4 * (left + width)))
    changed[place] = after[place]
    converter = Converter(PixelFormat.BGRX, PixelFormat.I420, *wanted, ColorSpec())
    converter.convert(frame_of(before))

    converted = converter.convert(frame_of(changed, damage=(Area(left, top, width, height),)))

    whole = convert(changed, PixelFormat.BGRX, PixelFormat.I420, ColorSpec(), size=wanted)
    assert all(np.array_equal(a, b) for a, b in zip(yuv(converted), yuv(whole), strict=True))


def test_a_read_only_source_is_fine(backend):
    plane = picture(8, 4)
    plane.flags.writeable = False

    luma, _, _ = yuv(convert(plane, PixelFormat.BGRX, PixelFormat.I420, ColorSpec()))

    assert luma.shape == (4, 8)


def test_rows_that_do_not_start_at_a_pixel_boundary_are_fine(backend):
    memory = np.random.default_rng(3).integers(0, 256, 4 * 37 + 1, dtype=np.uint8)
    plane = memory[1:].reshape(4, 37)[:, :32]

    crooked = convert(plane, PixelFormat.BGRX, PixelFormat.I420, ColorSpec())

    straight = convert(plane.copy(), PixelFormat.BGRX, PixelFormat.I420, ColorSpec())
    assert all(np.array_equal(a, b) for a, b in zip(yuv(crooked), yuv(straight), strict=True))


def test_the_frame_is_released_and_its_times_are_kept():
    released = []
    converter = Converter(PixelFormat.BGRX, PixelFormat.I420, 8, 4, ColorSpec())
    frame = frame_of(picture(8, 4), captured_ns=77, fresh=False, release=lambda: released.append(1))

    converted = converter.convert(frame)

    assert (released, converted.captured_ns, converted.fresh) == ([1], 77, False)


@st.composite
def areas(draw, reach=60):
    """Also ones that lie outside of the picture, partly or all of them."""
    left, top = draw(st.integers(-4, reach)), draw(st.integers(-4, reach))
    return Area(left, top, draw(st.integers(0, reach)), draw(st.integers(0, reach)))


def repaint(plane, area, seed):
    pixels = plane.reshape(plane.shape[0], -1, 4)
    rows = slice(max(0, area.top_px), max(0, area.top_px + area.height_px))
    columns = slice(max(0, area.left_px), max(0, area.left_px + area.width_px))
    part = pixels[rows, columns]
    part[:] = np.random.default_rng(seed).integers(0, 256, part.shape, dtype=np.uint8)


@pytest.mark.parametrize("backend_name", ["numba", "numpy"])
@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 50),
    height=st.integers(1, 40),
    target=st.sampled_from(TARGETS),
    changes=st.lists(
        st.tuples(st.lists(areas(), max_size=20), st.booleans()), min_size=1, max_size=4
    ),
)
def test_converting_the_damage_gives_what_converting_everything_gives(
    backend_name, width, height, target, changes
):
    plane = picture(width, height)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PUNKTFUNK_PIXELS", backend_name)
        converter = Converter(PixelFormat.BGRX, target, width, height, ColorSpec())
        converter.convert(frame_of(plane))
        for number, (damage, seen) in enumerate([*changes, ([], True)]):
            for area in damage:
                repaint(plane, area, number)
            frame = frame_of(plane, damage=tuple(damage))
            if seen:
                changed = converter.convert(frame)
            else:
                converter.skip(frame)
        whole = convert(plane, PixelFormat.BGRX, target, ColorSpec())

    for one, other in zip(yuv(changed), yuv(whole), strict=True):
        assert np.array_equal(one, other)


def test_only_the_damage_is_converted(backend):
    converter = Converter(PixelFormat.BGRX, PixelFormat.I420, 64, 64, ColorSpec())
    before = converter.convert(frame_of(np.zeros((64, 256), np.uint8))).planes[0].copy()
    everything_white = np.full((64, 256), 255, np.uint8)

    after = converter.convert(frame_of(everything_white, damage=(Area(9, 5, 4, 2),))).planes[0]

    assert {(int(y), int(x)) for y, x in np.argwhere(after != before)} == {
        (y, x) for y in range(4, 8) for x in range(8, 14)
    }


def test_a_first_picture_and_one_of_another_size_are_converted_whole(backend):
    converter = Converter(PixelFormat.BGRX, PixelFormat.I420, 20, 10, ColorSpec())
    for plane in (picture(20, 10, seed=1), picture(24, 12, seed=2)):
        converted = converter.convert(frame_of(plane, damage=()))

        whole = convert(plane, PixelFormat.BGRX, PixelFormat.I420, ColorSpec(), size=(20, 10))
        assert all(np.array_equal(a, b) for a, b in zip(yuv(converted), yuv(whole), strict=True))


def test_a_refused_frame_does_not_lose_the_damage_of_others():
    converter = Converter(PixelFormat.BGRX, PixelFormat.I420, 8, 4, ColorSpec())
    converter.convert(frame_of(picture(8, 4, seed=1)))
    plane = picture(8, 4, seed=2)
    with pytest.raises(ValueError, match="expected bgrx"):
        converter.convert(frame_of(plane, PixelFormat.RGBX, damage=(Area(0, 0, 8, 4),)))

    converted = converter.convert(frame_of(plane, damage=()))

    whole = convert(plane, PixelFormat.BGRX, PixelFormat.I420, ColorSpec())
    assert all(np.array_equal(a, b) for a, b in zip(yuv(converted), yuv(whole), strict=True))


def test_a_skipped_frame_is_released():
    released = []
    converter = Converter(PixelFormat.BGRX, PixelFormat.I420, 8, 4, ColorSpec())

    converter.skip(frame_of(picture(8, 4), release=lambda: released.append(1)))

    assert released == [1]


def test_a_frame_of_the_wrong_size_or_format_is_released_and_refused():
    released = []
    converter = Converter(PixelFormat.BGRX, PixelFormat.I420, 8, 4, ColorSpec())

    with pytest.raises(ValueError, match="too small"):
        converter.convert(frame_of(picture(8, 1), release=lambda: released.append("size")))
    with pytest.raises(ValueError, match="expected bgrx"):
        converter.convert(
            frame_of(picture(8, 4), PixelFormat.RGBX, release=lambda: released.append("format"))
        )
    assert released == ["size", "format"]


def test_unknown_conversions_are_refused():
    with pytest.raises(ValueError, match="cannot convert"):
        Converter(PixelFormat.NV12, PixelFormat.I420, 8, 4, ColorSpec())


def test_planes_of_an_i420_result_lie_behind_each_other():
    frame = convert(picture(50, 20), PixelFormat.BGRX, PixelFormat.I420, ColorSpec())

    luma, u, v = frame.planes
    stride = luma.strides[0]
    assert u.strides[0] == v.strides[0] == stride // 2
    assert u.ctypes.data - luma.ctypes.data == stride * 20
    assert v.ctypes.data - u.ctypes.data == stride // 2 * 10


def test_warming_up_loads_the_kernels(backend):
    warm_up()
