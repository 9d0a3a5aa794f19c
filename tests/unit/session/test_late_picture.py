"""A machine that is busy for a moment, and what it may not do to all later pictures."""

import queue
import statistics
import threading
import time

from punktfunk.drivers.capture import CaptureDriver
from punktfunk.drivers.compositor import Display
from punktfunk.drivers.encode import EncodeDriver
from punktfunk.model.offers import Kind
from punktfunk.model.video import ColorSpec, EncodedFrame, PixelFormat, VideoMode
from punktfunk.pixels import Converter
from punktfunk.registry.loading import load_driver
from punktfunk.session.meter import Meter
from punktfunk.session.picture import FrameQueue, PictureLoop

MODE = VideoMode(width_px=320, height_px=240, refresh_mhz=60_000)


class LateOnce(CaptureDriver):
    """The test card, but the tenth picture is handed out late, as by a busy machine."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures = 0
        self._card = load_driver(Kind.CAPTURE, "testcard", {})

    def open(self, seat, display, mode):
        self._card.open(seat, display, mode)

    def read(self, timeout_s):
        frame = self._card.read(timeout_s)
        if frame is not None:
            self.pictures += 1
            if self.pictures == 10:
                time.sleep(0.026)
        return frame

    def close(self):
        self._card.close()


class AgeEncoder(EncodeDriver):
    """Notes how old each picture was, and ends after some."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self.ages_ns: list[int] = []
        self._stop = stop

    def open(self, params):
        pass

    def encode(self, frame, *, keyframe=False):
        self.ages_ns.append(time.monotonic_ns() - frame.captured_ns)
        if len(self.ages_ns) == 80:
            self._stop.set()
        return EncodedFrame(data=b"x", keyframe=keyframe, captured_ns=frame.captured_ns)

    def set_bitrate(self, bitrate_kbps):
        pass

    def close(self):
        pass


def test_one_late_picture_does_not_delay_all_that_follow():
    frames: FrameQueue = queue.Queue()  # nobody takes anything
    capture, stop = LateOnce(), threading.Event()
    capture.open(None, Display(compositor="null", mode=MODE), MODE)
    encoder = AgeEncoder(stop)
    loop = PictureLoop(
        mode=MODE,
        capture=capture,
        encoder=encoder,
        converter=Converter(PixelFormat.BGRX, PixelFormat.I420, 320, 240, ColorSpec()),
        outgoing=frames,
        meter=Meter(),
    )

    loop.run(stop)

    assert statistics.median(encoder.ages_ns[-15:]) < 4_000_000
