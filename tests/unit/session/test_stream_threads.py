"""The loops of a stream's threads, each with the smallest honest driver at its ends."""

import queue
import socket
import threading
import time

import attrs
import numpy as np
import pytest

from punktfunk.drivers.capture import CaptureDriver
from punktfunk.drivers.encode import EncodeDriver
from punktfunk.errors import DriverFailed
from punktfunk.gamestream.audio import AudioPacketizer
from punktfunk.gamestream.endpoint import EndpointLearner
from punktfunk.gamestream.video import VideoPacketizer
from punktfunk.model.audio import STEREO, OpusParams
from punktfunk.model.frames import Area, Frame
from punktfunk.model.offers import Kind
from punktfunk.model.video import Codec, EncodedFrame, EncodeParams, PixelFormat, VideoMode
from punktfunk.registry.loading import load_driver
from punktfunk.session.encoding import MIN_REPEAT_HZ, Encoding
from punktfunk.session.endpoints import Endpoint
from punktfunk.session.meter import Meter
from punktfunk.session.outlet import QUEUED_FRAMES, OutgoingFrame, Outlet
from punktfunk.session.picture import PictureLoop
from punktfunk.session.sender import VideoSender
from punktfunk.session.sound import Listener, SoundLoop
from punktfunk.session.transmit import TransmitLoop

MODE = VideoMode(width_px=64, height_px=64, refresh_mhz=60_000)
PAYLOAD = b"0123456789ABCDEF"


class PaintedCapture(CaptureDriver):
    """Shows what was painted, as soon as it was painted. Lends two pictures at most."""

    def __init__(self) -> None:
        super().__init__()
        self.painted: queue.Queue[tuple[int, tuple[Area, ...] | None]] = queue.Queue()
        self.lent = 0
        self.most_lent = 0

    def open(self, seat, display, mode):
        pass

    def paint(self, grey: int = 0, damage: tuple[Area, ...] | None = None) -> None:
        self.painted.put((grey, damage))

    def read(self, timeout_s):
        try:
            grey, damage = self.painted.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if grey < 0:
            raise DriverFailed("no picture will ever come again")
        self.lent += 1
        self.most_lent = max(self.most_lent, self.lent)
        return Frame(
            format=PixelFormat.BGRX,
            width_px=64,
            height_px=64,
            planes=(np.full((64, 256), grey, dtype=np.uint8),),
            captured_ns=time.monotonic_ns(),
            damage=damage,
            release=self._release,
        )

    def _release(self) -> None:
        self.lent -= 1

    def close(self):
        pass


class NotingEncoder(EncodeDriver):
    """Its bitstream says the grey of the picture."""

    def __init__(self, *, can_invalidate: bool = False) -> None:
        super().__init__()
        self.can_invalidate = can_invalidate
        self.invalidated: list[tuple[int, int]] = []
        self.made = 0

    def open(self, params):
        pass

    def encode(self, frame, *, keyframe=False):
        self.made += 1
        return EncodedFrame(
            data=bytes([frame.planes[0][0, 0]]), keyframe=keyframe, captured_ns=frame.captured_ns
        )

    def set_bitrate(self, bitrate_kbps):
        pass

    def invalidate_references(self, first_frame, last_frame):
        self.invalidated.append((first_frame, last_frame))
        return self.can_invalidate

    def close(self):
        pass


class Picture:
    """A running picture loop and what comes out of it."""

    def __init__(self, mode: VideoMode = MODE, *, can_invalidate: bool = False) -> None:
        self.capture = PaintedCapture()
        self.encoder = NotingEncoder(can_invalidate=can_invalidate)
        self.meter = Meter()
        self.outlet = Outlet(self.meter)
        params = EncodeParams(codec=Codec.H264, mode=mode, bitrate_kbps=1_000)
        self.encoding = Encoding(self.encoder, params)
        self.encoding.claim(self.outlet, 1_000)
        self.encoding.attach(self.outlet)
        self.loop = PictureLoop(self.capture, self.encoding)
        self.stop = threading.Event()
        self.error: Exception | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.loop.run(self.stop)
        except Exception as error:
            self.error = error

    def take(self) -> EncodedFrame:
        frame = self.outlet.get(2)
        assert frame is not None
        return frame.encoded

    def take_for(self, duration_s: float) -> list[EncodedFrame]:
        taken = []
        deadline = time.monotonic() + duration_s
        while (left_s := deadline - time.monotonic()) > 0:
            frame = self.outlet.get(left_s)
            if frame is not None:
                taken.append(frame.encoded)
        return taken

    def take_until_keyframe(self) -> tuple[EncodedFrame, float]:
        """The next IDR, and how long it took to come."""
        began = time.monotonic()
        while not (frame := self.take()).keyframe:
            assert time.monotonic() - began < 2
        return frame, time.monotonic() - began

    def close(self) -> None:
        self.stop.set()
        self.thread.join(2)
        assert not self.thread.is_alive()


@pytest.fixture
def make_picture():
    made = []

    def make(*args, **kwargs):
        made.append(Picture(*args, **kwargs))
        return made[-1]

    yield make
    for it in made:
        it.close()


@pytest.fixture
def picture(make_picture):
    return make_picture()


def shown(frame: EncodedFrame) -> int:
    return bytes(frame.data)[0]


def settle(picture: Picture) -> None:
    """A still picture, past the first IDR and the pause that follows one."""
    picture.capture.paint(9)
    assert picture.take().keyframe
    picture.take_for(0.15)


def test_nothing_is_sent_before_there_is_a_picture(picture):
    assert picture.take_for(0.15) == []


def test_a_still_picture_is_repeated_at_the_minimum_rate(picture):
    settle(picture)

    repeats = picture.take_for(1.0)

    assert MIN_REPEAT_HZ * 0.6 <= len(repeats) <= MIN_REPEAT_HZ * 1.2
    assert not any(frame.keyframe for frame in repeats)
    times = [frame.captured_ns for frame in repeats]
    assert times == sorted(set(times))
    assert picture.meter.frames_repeated >= len(repeats)
    assert picture.meter.frames_new == 1


def test_an_idr_is_not_made_to_wait_by_a_still_picture(picture):
    settle(picture)
    waits_s = []
    for _ in range(5):
        picture.take_for(0.15)
        picture.encoding.request_keyframe()
        waits_s.append(picture.take_until_keyframe()[1])

    # One frame of 60 Hz, and what a busy machine adds.
    assert sorted(waits_s)[2] < 0.030


def test_lost_references_are_answered_by_an_idr_when_the_encoder_cannot_do_better(picture):
    settle(picture)
    picture.encoding.invalidate_references(picture.outlet, 4, 6)
    picture.take_until_keyframe()

    assert picture.encoder.invalidated == [(4, 6)]


def test_lost_references_need_no_idr_when_the_encoder_avoids_them(make_picture):
    picture = make_picture(can_invalidate=True)
    settle(picture)
    picture.encoding.invalidate_references(picture.outlet, 4, 6)

    assert not any(frame.keyframe for frame in picture.take_for(0.3))
    assert picture.encoder.invalidated == [(4, 6)]


def test_a_busy_sender_costs_pictures_and_never_an_encoded_frame(picture):
    picture.capture.paint(1)
    deadline = time.monotonic() + 2
    while picture.encoder.made < QUEUED_FRAMES and time.monotonic() < deadline:
        picture.capture.paint(2)
        picture.stop.wait(0.01)
    made = picture.encoder.made
    picture.stop.wait(0.3)  # nobody takes anything
    assert picture.encoder.made <= made + 1

    frames = [picture.take() for _ in range(picture.encoder.made)]

    assert frames[0].keyframe
    assert [frame.captured_ns for frame in frames] == sorted(frame.captured_ns for frame in frames)


def test_a_display_faster_than_the_client_is_slowed_to_the_clients_rate(make_picture):
    picture = make_picture(VideoMode(width_px=64, height_px=64, refresh_mhz=30_000))

    def paint_at_144_hz():
        while not picture.stop.wait(1 / 144):
            picture.capture.paint(1)

    painter = threading.Thread(target=paint_at_144_hz)
    painter.start()
    picture.take_for(0.2)
    taken = picture.take_for(1.0)
    picture.close()
    painter.join()

    assert 22 <= len(taken) <= 33
    assert picture.meter.frames_dropped > 50
    assert picture.capture.most_lent <= 2
    assert picture.capture.lent == 0


def test_the_last_of_two_quick_pictures_is_not_lost(picture):
    settle(picture)
    picture.capture.paint(50)
    picture.capture.paint(200)

    frames = picture.take_for(0.3)

    assert shown(frames[-1]) > 150


def test_what_a_dropped_picture_changed_is_seen_in_the_next(make_picture):
    picture = make_picture(VideoMode(width_px=64, height_px=64, refresh_mhz=2_000))
    picture.capture.paint(9)
    picture.capture.paint(9)
    picture.capture.paint(200, damage=(Area(0, 0, 64, 64),))  # too early, then too late
    picture.capture.paint(200, damage=())

    assert [shown(picture.take()) > 150 for _ in range(3)] == [False, False, True]
    assert picture.meter.frames_dropped == 1


def test_a_capture_that_gives_up_ends_the_loop_with_its_reason(picture):
    picture.capture.paint(-1)
    picture.thread.join(2)

    assert isinstance(picture.error, DriverFailed)


def test_a_stopped_loop_does_not_wait_for_a_sender_that_is_gone(picture):
    for _ in range(QUEUED_FRAMES + 3):
        picture.capture.paint(1)
        picture.stop.wait(0.02)
    began = time.monotonic()
    picture.close()

    assert time.monotonic() - began < 0.5


@attrs.define
class Path:
    """An endpoint and the client at its other end."""

    endpoint: Endpoint
    client: socket.socket

    def receive(self) -> list[bytes]:
        datagrams = [self.client.recv(4_096)]
        self.client.setblocking(False)
        try:
            while True:
                datagrams.append(self.client.recv(4_096))
        except BlockingIOError:
            self.client.settimeout(2)
        return datagrams


@pytest.fixture
def path():
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as host,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        host.bind(("127.0.0.1", 0))
        host.setblocking(False)
        client.connect(host.getsockname())
        client.settimeout(2)
        yield Path(Endpoint(host, EndpointLearner(PAYLOAD, "127.0.0.1")), client)


@pytest.fixture
def running():
    """Runs a loop in a thread until the test is over."""
    stop = threading.Event()
    threads = []

    def run(loop):
        threads.append(threading.Thread(target=loop.run, args=(stop,), daemon=True))
        threads[-1].start()

    yield run
    stop.set()
    for thread in threads:
        thread.join(2)
        assert not thread.is_alive()


class Transmit:
    def __init__(self, path: Path) -> None:
        self.keyframes_wanted = threading.Event()
        self.meter = Meter()
        self.outlet = Outlet(self.meter)
        self.loop = TransmitLoop(
            outlet=self.outlet,
            packetizer=VideoPacketizer(256, 20, 0, None),
            sender=VideoSender(path.endpoint.sock),
            endpoint=path.endpoint,
            interval_ns=16_666_667,
            meter=self.meter,
            request_keyframe=self.keyframes_wanted.set,
        )

    def put(self, size_bytes: int) -> None:
        encoded = EncodedFrame(
            data=bytes(size_bytes), keyframe=True, captured_ns=time.monotonic_ns()
        )
        self.outlet.offer(OutgoingFrame(encoded=encoded, encode_ns=0), time.monotonic_ns())


@pytest.fixture
def transmit(path):
    return Transmit(path)


def learn(path: Path) -> None:
    path.client.send(PAYLOAD + bytes(4))
    assert path.endpoint.drain()


def test_a_frame_reaches_the_client_and_is_counted(path, transmit, running):
    learn(path)
    running(transmit.loop)
    transmit.put(1_000)

    datagrams = path.receive()
    while len(datagrams) < transmit.meter.packets_sent:
        datagrams += path.receive()

    assert {len(datagram) for datagram in datagrams} == {256 + 16}
    assert not transmit.keyframes_wanted.is_set()


def test_a_frame_too_large_for_the_protocol_is_dropped_and_an_idr_asked_for(
    path, transmit, running
):
    learn(path)
    running(transmit.loop)
    transmit.put(4_093 * (256 - 16))

    assert transmit.keyframes_wanted.wait(2)
    assert transmit.meter.frames_dropped == 1
    assert transmit.meter.packets_sent == 0
    transmit.put(100)
    assert path.receive()


def test_a_frame_for_nobody_is_dropped_and_an_idr_asked_for(transmit, running):
    running(transmit.loop)
    transmit.put(100)

    assert transmit.keyframes_wanted.wait(2)
    assert transmit.meter.frames_dropped == 1


@pytest.fixture
def sound(path):
    tone = load_driver(Kind.AUDIO, "tone", {})
    tone.prepare(None, STEREO)
    params = OpusParams(packet_ms=5)

    def open_encoder(wanted):
        encoder = load_driver(Kind.AUDIO_ENCODE, "opus", {})
        encoder.open(wanted)
        return encoder

    loop = SoundLoop(tone, open_encoder)
    loop.join(params, Listener(AudioPacketizer(5, None, 0), path.endpoint, Meter()))
    yield loop
    loop.close()
    tone.close()


def test_sound_flows_once_the_client_is_known(path, sound, running):
    running(sound)
    path.client.settimeout(0.1)
    with pytest.raises(TimeoutError):
        path.client.recv(4_096)
    path.client.settimeout(2)
    learn(path)

    sequences = []
    while len(sequences) < 12:
        datagram = path.client.recv(4_096)
        if datagram[1] == 97:
            sequences.append(int.from_bytes(datagram[2:4], "big"))

    assert sequences == list(range(sequences[0], sequences[0] + 12))
    assert sequences[0] <= 1


def test_sound_that_cannot_be_captured_any_more_ends_the_loop(sound):
    sound._audio.stop()

    with pytest.raises(DriverFailed):
        sound.run(threading.Event())
