"""A machine that is busy for a moment, and what it may not do to all later pictures."""

import statistics
import threading
import time

from punktfunk.drivers.capture import CaptureDriver
from punktfunk.drivers.compositor import Display
from punktfunk.drivers.encode import EncodeDriver
from punktfunk.model.offers import Kind
from punktfunk.model.video import Codec, EncodedFrame, EncodeParams, VideoMode
from punktfunk.registry.loading import load_driver
from punktfunk.session.encoding import Encoding
from punktfunk.session.meter import Meter
from punktfunk.session.outlet import Outlet
from punktfunk.session.picture import PictureLoop

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


def take_all(outlet, stop):
    while not stop.is_set():
        outlet.get(0.1)


def test_one_late_picture_does_not_delay_all_that_follow():
    capture, stop = LateOnce(), threading.Event()
    capture.open(None, Display(compositor="null", mode=MODE), MODE)
    encoder, outlet = AgeEncoder(stop), Outlet(Meter())
    encoding = Encoding(encoder, EncodeParams(codec=Codec.H264, mode=MODE, bitrate_kbps=1_000))
    encoding.claim(outlet, 1_000)
    encoding.attach(outlet)
    sending = threading.Thread(target=take_all, args=(outlet, stop))
    sending.start()

    PictureLoop(capture, encoding).run(stop)

    sending.join()
    assert statistics.median(encoder.ages_ns[-15:]) < 4_000_000
