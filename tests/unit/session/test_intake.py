"""What an encoder gets of a captured picture: its colours, and a GPU's memory where it takes it."""

import os
import time
from pathlib import Path

import attrs
import numpy as np
import pytest

from punktfunk.drivers.encode import EncodeDriver
from punktfunk.errors import DriverFailed
from punktfunk.model.frames import FOURCC, Area, DmaBuf, DmaBufFormat, DmaBufPlane, Frame
from punktfunk.model.video import PACKED, Codec, EncodedFrame, EncodeParams, PixelFormat, VideoMode
from punktfunk.session.camera import Tap
from punktfunk.session.encoding import Encoding
from punktfunk.session.meter import Meter
from punktfunk.session.outlet import Outlet

MODE = VideoMode(width_px=64, height_px=32, refresh_mhz=60_000)
PARAMS = EncodeParams(codec=Codec.H264, mode=MODE, bitrate_kbps=1_000)
# Where in a pixel its red, green and blue are.
ORDERS = {
    PixelFormat.BGRX: (2, 1, 0),
    PixelFormat.RGBX: (0, 1, 2),
    PixelFormat.XBGR: (3, 2, 1),
    PixelFormat.XRGB: (1, 2, 3),
}
TILED = 7


class Seeing(EncodeDriver):
    """Keeps what it is given, and says what it was told to say of GPU memory."""

    def __init__(self, *dmabufs: DmaBufFormat) -> None:
        super().__init__()
        self.dmabufs = dmabufs
        self.planes: list[tuple[np.ndarray, ...]] = []
        self.seen: list[DmaBuf | None] = []

    def open(self, params):
        pass

    def encode(self, frame, *, keyframe=False):
        self.planes.append(tuple(plane.copy() for plane in frame.planes))
        self.seen.append(frame.dmabuf)
        return EncodedFrame(data=b"x", keyframe=keyframe, captured_ns=frame.captured_ns)

    def set_bitrate(self, bitrate_kbps):
        pass

    def close(self):
        pass


def pixels(seed: int = 0) -> np.ndarray:
    """Red, green and blue of a picture."""
    return np.random.default_rng(seed).integers(0, 256, (32, 64, 3), dtype=np.uint8)


def packed(rgb: np.ndarray, order: PixelFormat) -> np.ndarray:
    plane = np.full((32, 64, 4), 0xAB, np.uint8)
    plane[..., ORDERS[order]] = rgb
    return plane.reshape(32, 256)


def picture(rgb: np.ndarray, order: PixelFormat, **more) -> Frame:
    return Frame(
        format=order,
        width_px=64,
        height_px=32,
        planes=(packed(rgb, order),),
        captured_ns=time.monotonic_ns(),
        **more,
    )


def rec709(rgb: np.ndarray) -> tuple[np.ndarray, ...]:
    """Luma and chroma of limited range, straight from the definition."""
    red, green, blue = (rgb[..., at].astype(np.float64) for at in range(3))

    def halved(it: np.ndarray) -> np.ndarray:
        return (it[::2, ::2] + it[1::2, ::2] + it[::2, 1::2] + it[1::2, 1::2]) / 4

    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    cb, cr = halved((blue - luma) / 1.8556), halved((red - luma) / 1.5748)
    return 16 + luma * 219 / 255, 128 + cb * 224 / 255, 128 + cr * 224 / 255


def shows(planes: tuple[np.ndarray, ...], rgb: np.ndarray) -> bool:
    return all(
        np.abs(plane - wanted).max() <= 1.0
        for plane, wanted in zip(planes, rec709(rgb), strict=True)
    )


@pytest.fixture
def encoding():
    made = []

    def make(*dmabufs: DmaBufFormat) -> tuple[Seeing, Encoding]:
        encoder = Seeing(*dmabufs)
        made.append(Encoding(encoder, PARAMS))
        outlet = Outlet(Meter())
        made[-1].claim(outlet, 1_000)
        made[-1].attach(outlet)
        return encoder, made[-1]

    yield make
    for it in made:
        it.close()


def test_every_order_of_four_bytes_is_known_here():
    assert set(ORDERS) == set(PACKED)


@pytest.mark.parametrize("order", PACKED)
def test_right_colours_reach_the_encoder_in_any_order(encoding, order):
    encoder, it = encoding()

    it.show(picture(pixels(), order))

    assert it.failure is None
    assert shows(encoder.planes[0], pixels())


def test_a_capture_may_change_the_order_between_two_pictures(encoding):
    encoder, it = encoding()

    for number, order in enumerate([*PACKED, *PACKED]):
        it.show(picture(pixels(number), order, damage=(Area(0, 0, 2, 2),)))

        assert shows(encoder.planes[-1], pixels(number))


def test_what_a_skipped_picture_of_another_order_changed_is_seen_in_the_next(encoding):
    encoder, it = encoding()
    it.show(picture(pixels(1), PixelFormat.BGRX))
    it.skip(picture(pixels(2), PixelFormat.XRGB, damage=(Area(0, 0, 64, 32),)))

    it.show(picture(pixels(2), PixelFormat.BGRX, damage=()))

    assert shows(encoder.planes[-1], pixels(2))


def test_a_picture_that_no_converter_knows_ends_the_encoding_in_words(encoding):
    encoder, it = encoding()
    released = []
    frame = attrs.evolve(
        picture(pixels(), PixelFormat.BGRX),
        format=PixelFormat.NV12,
        release=lambda: released.append(1),
    )

    it.show(frame)

    assert isinstance(it.failure, DriverFailed)
    assert "nv12" in str(it.failure)
    assert released == [1]
    assert encoder.seen == []


class Gpu:
    """Lends pictures in memory that is a GPU's by name, and counts what comes back."""

    def __init__(self) -> None:
        self.lent = 0
        self.returned: list[int] = []

    def lend(self, rgb: np.ndarray, *, modifier: int = DmaBuf.LINEAR, **changes) -> Frame:
        fd = os.memfd_create("picture")
        os.write(fd, packed(rgb, PixelFormat.RGBX).tobytes())
        number = self.lent = self.lent + 1
        frame = Frame(
            format=PixelFormat.RGBX,
            width_px=64,
            height_px=32,
            planes=(),
            dmabuf=DmaBuf(
                fourcc=FOURCC[PixelFormat.RGBX],
                modifier=modifier,
                planes=(DmaBufPlane(fd, 0, 256),),
            ),
            captured_ns=time.monotonic_ns(),
            release=lambda: self._take_back(fd, number),
        )
        return attrs.evolve(frame, **changes)

    def _take_back(self, fd: int, number: int) -> None:
        assert number not in self.returned, "released twice"
        os.close(fd)
        self.returned.append(number)


@pytest.fixture
def gpu():
    before = _open_files()
    gpu = Gpu()
    yield gpu
    assert len(gpu.returned) == gpu.lent
    assert _open_files() == before


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


TAKES_ANY = DmaBufFormat(PixelFormat.RGBX, (TILED, DmaBuf.LINEAR))


@pytest.mark.parametrize("modifier", [TILED, DmaBuf.LINEAR])
def test_gpu_memory_that_the_encoder_takes_reaches_it_unread(encoding, gpu, modifier):
    encoder, it = encoding(TAKES_ANY)

    frame = gpu.lend(pixels(), modifier=modifier)
    it.show(frame)

    assert encoder.seen == [frame.dmabuf]
    assert encoder.planes == [()]
    it.close()


def test_the_last_picture_is_kept_for_its_repetition_and_given_back_for_the_next(encoding, gpu):
    encoder, it = encoding(TAKES_ANY)
    first = gpu.lend(pixels())
    it.show(first)

    it.repeat(time.monotonic_ns() + 60_000_000)
    assert encoder.seen == [first.dmabuf, first.dmabuf]
    assert gpu.returned == []
    it.show(gpu.lend(pixels(1)))
    assert len(gpu.returned) == 1
    it.skip(gpu.lend(pixels(2)))
    assert len(gpu.returned) == 2
    it.close()


@pytest.mark.parametrize("taken", [(), (DmaBufFormat(PixelFormat.BGRX),)])
def test_gpu_memory_that_the_encoder_does_not_take_is_read(encoding, gpu, taken):
    encoder, it = encoding(*taken)

    it.show(gpu.lend(pixels()))

    assert it.failure is None
    assert encoder.seen == [None]
    assert shows(encoder.planes[0], pixels())


def test_gpu_memory_of_another_size_is_read_and_stretched(encoding, gpu):
    encoder, it = encoding(TAKES_ANY)
    grey = np.full((32, 64, 3), 128, np.uint8)

    it.show(gpu.lend(grey, height_px=16))

    assert encoder.seen == [None]
    assert np.abs(encoder.planes[0][0].astype(int) - 126).max() <= 1


def test_gpu_memory_that_nobody_can_use_ends_the_encoding_in_words(encoding, gpu):
    _, it = encoding()

    it.show(gpu.lend(pixels(), modifier=TILED))

    assert isinstance(it.failure, DriverFailed)
    assert "only the GPU" in str(it.failure)


def test_what_changed_while_pictures_stayed_on_the_gpu_is_seen_after_it(encoding, gpu):
    encoder, it = encoding(TAKES_ANY)
    it.show(picture(pixels(1), PixelFormat.RGBX))
    it.show(gpu.lend(pixels(2)))

    it.show(picture(pixels(2), PixelFormat.RGBX, damage=()))

    assert shows(encoder.planes[-1], pixels(2))


def test_a_second_encoder_gets_a_copy_that_the_cpu_can_read(gpu):
    tap = Tap()
    frame = gpu.lend(pixels())

    tap.offer(frame)
    frame.release()

    copy = tap.read(1)
    assert copy.dmabuf is None
    assert np.array_equal(copy.planes[0], packed(pixels(), PixelFormat.RGBX))


def test_a_picture_that_cannot_be_copied_is_the_second_encoders_failure_alone(gpu):
    tap = Tap()
    frame = gpu.lend(pixels(), modifier=TILED)

    tap.offer(frame)
    frame.release()

    with pytest.raises(DriverFailed, match="only the GPU"):
        tap.read(1)
