import av
import numpy as np
import pytest

from punktfunk.builtin.testcard import TestCardCapture
from punktfunk.drivers.compositor import Display
from punktfunk.model.video import Codec, ColorSpec, PixelFormat, VideoMode
from punktfunk.pixels import Converter

DECODERS = {Codec.H264: "h264", Codec.HEVC: "hevc", Codec.AV1: "libdav1d"}


def _decode(codec, encoded):
    """Decode `EncodedFrame`s with FFmpeg's decoders; every picture, in order."""
    decoder = av.CodecContext.create(DECODERS[codec], "r")
    decoder.thread_count = 1
    pictures = []
    for frame in encoded:
        pictures += decoder.decode(av.Packet(bytes(frame.data)))
    return [*pictures, *decoder.decode(None)]


def _card_frames(width, height, count, color=None):
    """Test card pictures as I420, as fast as they can be drawn."""
    fast = VideoMode(width_px=width, height_px=height, refresh_mhz=1_000_000)
    card = TestCardCapture()
    card.open(None, Display(compositor="null", mode=fast), fast)
    converter = Converter(PixelFormat.BGRX, PixelFormat.I420, width, height, color or ColorSpec())
    for _ in range(count):
        yield converter.convert(card.read(1.0))
    card.close()


def _luma(picture):
    plane = picture.planes[0]
    rows = np.frombuffer(plane, dtype=np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]


@pytest.fixture
def decode():
    return _decode


@pytest.fixture
def card_frames():
    return _card_frames


@pytest.fixture
def luma_of():
    return _luma
