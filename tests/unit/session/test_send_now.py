"""Small frames leave on the picture's own thread; one late frame delays no others."""

import queue
import socket
import statistics
import threading
import time

import pytest

from punktfunk.drivers.capture import CaptureDriver
from punktfunk.drivers.compositor import Display
from punktfunk.drivers.encode import EncodeDriver
from punktfunk.gamestream.endpoint import EndpointLearner
from punktfunk.gamestream.video import VideoPacketizer
from punktfunk.model.offers import Kind
from punktfunk.model.video import ColorSpec, EncodedFrame, PixelFormat, VideoMode
from punktfunk.pixels import Converter
from punktfunk.registry.loading import load_driver
from punktfunk.session.endpoints import Endpoint
from punktfunk.session.meter import Meter
from punktfunk.session.picture import QUEUED_FRAMES, FrameQueue, OutgoingFrame, PictureLoop
from punktfunk.session.sender import VideoSender
from punktfunk.session.transmit import TransmitLoop

MODE = VideoMode(width_px=320, height_px=240, refresh_mhz=60_000)
PAYLOAD = b"0123456789ABCDEF"
SMALL_BYTES, LARGE_BYTES = 2_000, 200_000
FRAME_INDEX = slice(20, 24)  # of a datagram, little-endian


@pytest.fixture
def client():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(2)
        yield sock


@pytest.fixture
def frames() -> FrameQueue:
    return queue.Queue(QUEUED_FRAMES)


@pytest.fixture
def transmit(client, frames):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        client.sendto(PAYLOAD, sock.getsockname())
        endpoint = Endpoint(sock, EndpointLearner(PAYLOAD, "127.0.0.1"))
        while not endpoint.drain():
            pass
        yield TransmitLoop(
            frames=frames,
            packetizer=VideoPacketizer(1_360, 20, 2, None),
            sender=VideoSender(sock),
            endpoint=endpoint,
            interval_ns=MODE.frame_interval_ns,
            meter=Meter(),
            request_keyframe=lambda: None,
        )


def frame_of(size_bytes: int) -> OutgoingFrame:
    encoded = EncodedFrame(data=bytes(size_bytes), keyframe=True, captured_ns=time.monotonic_ns())
    return OutgoingFrame(encoded=encoded, encode_ns=0)


def frame_indices(client, frames: int) -> list[int]:
    """In the order of their first packets."""
    seen: list[int] = []
    while len(seen) < frames:
        index = int.from_bytes(client.recv(2_048)[FRAME_INDEX], "little")
        if index not in seen:
            seen.append(index)
    return seen


def test_a_small_frame_leaves_on_the_callers_thread(client, transmit):
    assert transmit.send_now(frame_of(SMALL_BYTES))

    assert frame_indices(client, 1) == [1]


def test_a_frame_that_must_be_spread_is_left_to_the_sending_thread(transmit):
    assert not transmit.send_now(frame_of(LARGE_BYTES))


def test_no_frame_overtakes_another(client, transmit, frames):
    large, small = frame_of(LARGE_BYTES), frame_of(SMALL_BYTES)
    frames.put(large)

    assert not transmit.send_now(small)

    stop = threading.Event()
    thread = threading.Thread(target=transmit.run, args=(stop,))
    thread.start()
    frames.join()
    assert transmit.send_now(small)
    stop.set()
    thread.join()
    assert frame_indices(client, 2) == [1, 2]


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


def test_one_late_picture_does_not_delay_all_that_follow(frames):
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
        send_now=lambda frame: True,
    )

    loop.run(stop)

    assert statistics.median(encoder.ages_ns[-15:]) < 4_000_000
