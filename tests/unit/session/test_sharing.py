"""One encoder for several streams: who may share it, and what a slow one costs the others."""

import threading
import time
from types import SimpleNamespace

import attrs
import numpy as np
import pytest

from punktfunk.drivers.encode import EncodeDriver
from punktfunk.model.audio import STEREO, SURROUND_51, SURROUND_71
from punktfunk.model.frames import Frame
from punktfunk.model.video import (
    Codec,
    ColorSpec,
    EncodedFrame,
    EncodeParams,
    PixelFormat,
    VideoMode,
)
from punktfunk.session.camera import Tap
from punktfunk.session.encoding import Encoding, can_share
from punktfunk.session.meter import Meter
from punktfunk.session.mixing import Mixer
from punktfunk.session.outlet import MOST_QUEUED_FRAMES, OutgoingFrame, Outlet
from punktfunk.session.picture import PictureLoop

MODE = VideoMode(width_px=64, height_px=64, refresh_mhz=60_000)
PARAMS = EncodeParams(codec=Codec.H264, mode=MODE, bitrate_kbps=5_000, max_reference_frames=1)


class Counting(EncodeDriver):
    """Numbers what it makes, and takes its time for it."""

    def __init__(self, encode_s: float = 0.0) -> None:
        super().__init__()
        self.made: list[bool] = []
        self.rates_kbps: list[int] = []
        self.invalidated = 0
        self.closed = False
        self._encode_s = encode_s

    def open(self, params):
        pass

    def encode(self, frame, *, keyframe=False):
        time.sleep(self._encode_s)
        self.made.append(keyframe)
        return EncodedFrame(
            data=bytes([len(self.made)]), keyframe=keyframe, captured_ns=frame.captured_ns
        )

    def set_bitrate(self, bitrate_kbps):
        self.rates_kbps.append(bitrate_kbps)

    def invalidate_references(self, first_frame, last_frame):
        self.invalidated += 1
        return True

    def close(self):
        self.closed = True


def picture() -> Frame:
    return Frame(
        format=PixelFormat.BGRX,
        width_px=64,
        height_px=64,
        planes=(np.zeros((64, 256), np.uint8),),
        captured_ns=time.monotonic_ns(),
    )


class Steady:
    """A display that always has another picture."""

    def read(self, timeout_s):
        time.sleep(min(timeout_s, 0.005))
        return picture()


def attached(encoding: Encoding, bitrate_kbps: int = 5_000) -> Outlet:
    outlet = Outlet(Meter())
    encoding.claim(outlet, bitrate_kbps)
    encoding.attach(outlet)
    return outlet


def taken(outlet: Outlet) -> list[OutgoingFrame]:
    frames = []
    while (frame := outlet.get(0)) is not None:
        frames.append(frame)
    return frames


@pytest.mark.parametrize(
    ("change", "shared"),
    [
        ({}, True),
        ({"bitrate_kbps": 100}, True),
        ({"slices_per_frame": 4}, True),
        ({"max_reference_frames": 0}, True),
        ({"codec": Codec.HEVC}, False),
        ({"color": ColorSpec(full_range=True)}, False),
        ({"mode": attrs.evolve(MODE, refresh_mhz=30_000)}, False),
    ],
)
def test_clients_share_what_both_can_decode(change, shared):
    assert can_share(PARAMS, attrs.evolve(PARAMS, **change)) is shared


@pytest.mark.parametrize("more", [{"slices_per_frame": 4}, {"max_reference_frames": 0}])
def test_a_client_gets_no_more_slices_and_references_than_it_asked_for(more):
    assert not can_share(attrs.evolve(PARAMS, **more), PARAMS)


def test_all_get_the_same_frames_and_who_comes_later_begins_with_an_idr():
    encoding = Encoding(Counting(), PARAMS)
    first = attached(encoding)
    encoding.show(picture())
    encoding.show(picture())
    time.sleep(0.11)  # IDRs keep a distance
    second = attached(encoding)
    encoding.show(picture())
    encoding.show(picture())

    early, late = taken(first), taken(second)

    assert [it.encoded.data for it in early[2:]] == [it.encoded.data for it in late]
    assert [it.encoded.keyframe for it in early] == [True, False, True, False]


def test_the_most_modest_wish_for_a_rate_counts_as_long_as_it_is_there():
    encoder = Counting()
    encoding = Encoding(encoder, PARAMS)
    attached(encoding, 5_000)
    modest = attached(encoding, 2_000)
    encoding.show(picture())
    encoding.drop(modest)
    encoding.show(picture())

    assert encoder.rates_kbps == [2_000, 5_000]


def test_who_falls_behind_misses_frames_and_the_other_none():
    encoding = Encoding(Counting(), PARAMS)
    slow, quick = attached(encoding), attached(encoding)
    seen = []
    for _ in range(20):
        encoding.show(picture())
        seen += taken(quick)

    assert len(seen) == 20
    assert len(taken(slow)) == MOST_QUEUED_FRAMES
    assert slow.meter.frames_dropped == 20 - MOST_QUEUED_FRAMES
    assert quick.meter.frames_dropped == 0


@pytest.fixture
def clock(monkeypatch):
    """The encoding's clock; it stands still until `clock.ns` is moved on."""
    clock = SimpleNamespace(ns=time.monotonic_ns())
    ours = SimpleNamespace(
        monotonic_ns=lambda: clock.ns, perf_counter_ns=lambda: clock.ns, sleep=time.sleep
    )
    monkeypatch.setattr("punktfunk.session.encoding.time", ours)
    return clock


def test_who_has_room_again_begins_with_an_idr_and_costs_the_other_one_a_second(clock):
    encoder = Counting()
    encoding = Encoding(encoder, PARAMS)
    slow, quick = attached(encoding), attached(encoding)
    for _ in range(MOST_QUEUED_FRAMES + 1):
        encoding.show(picture())
        taken(quick)
    for _ in range(4):  # fills up again as often as it is emptied
        taken(slow)
        for _ in range(MOST_QUEUED_FRAMES + 3):
            clock.ns += 30_000_000
            encoding.show(picture())
            taken(quick)

    assert encoder.made[0]
    assert sum(encoder.made[1:]) == 1
    assert slow.meter.keyframes == 2


def test_lost_references_of_one_among_several_are_answered_by_an_idr(clock):
    encoder = Counting()
    encoding = Encoding(encoder, PARAMS)
    first, second = attached(encoding), attached(encoding)
    encoding.show(picture())
    clock.ns += 110_000_000
    encoding.invalidate_references(first, 1, 1)
    encoding.show(picture())
    assert (encoder.made, encoder.invalidated) == ([True, True], 0)

    encoding.drop(second)
    encoding.invalidate_references(first, 2, 2)
    encoding.show(picture())

    assert (encoder.made, encoder.invalidated) == ([True, True, False], 1)


@pytest.fixture
def run():
    stop = threading.Event()
    threads = []

    def start(loop):
        threads.append(threading.Thread(target=loop.run, args=(stop,), daemon=True))
        threads[-1].start()

    yield start
    stop.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_slow_encoder_beside_the_first_does_not_slow_it_down(run):
    quick, slow = Counting(), Counting(encode_s=0.5)
    first = Encoding(quick, PARAMS)
    second = Encoding(slow, attrs.evolve(PARAMS, codec=Codec.HEVC))
    outlets = attached(first), attached(second)
    loop, tap = PictureLoop(Steady(), first), Tap()
    loop.add_tap(tap)
    run(loop)
    run(PictureLoop(tap, second))

    def turn() -> bool:
        for outlet in outlets:
            taken(outlet)
        return len(slow.made) >= 3

    until(turn)

    assert len(quick.made) > 3 * len(slow.made)


def test_the_first_encoding_can_go_while_another_one_stays(run):
    gone, stays = Encoding(Counting(), PARAMS), Encoding(Counting(), PARAMS)
    leaver, outlet = attached(gone), attached(stays)
    loop, tap = PictureLoop(Steady(), gone), Tap()
    loop.add_tap(tap)
    run(loop)
    run(PictureLoop(tap, stays))
    until(lambda: taken(leaver))

    loop.encoding = None
    assert gone.in_use.acquire(timeout=10)
    gone.close()
    taken(outlet)

    until(lambda: taken(outlet))


def test_a_tap_has_the_newest_picture_and_no_more_memory_than_it_needs():
    tap = Tap()
    assert tap.read(0) is None
    lent = []
    for grey in range(1, 9):
        frame = picture()
        frame.planes[0][:] = grey
        tap.offer(frame)
        frame.planes[0][:] = 0
        if len(lent) < 2:
            lent.append(tap.read(0))
    newest = tap.read(0)

    assert [it.planes[0][0, 0] for it in (*lent, newest)] == [1, 2, 8]
    tap.offer(picture())
    assert tap.read(0) is None  # all copies are out
    newest.release()
    tap.offer(picture())
    assert tap.read(0).planes[0] is newest.planes[0]


def test_sound_is_cut_into_other_portions_without_a_loss():
    mixer = Mixer(STEREO, STEREO, 480)
    samples = np.arange(960, dtype=np.float32).reshape(480, 2) / 1_000
    portions = mixer.mix(samples[:240])
    portions += mixer.mix(samples[240:])

    assert len(portions) == 1
    assert np.array_equal(portions[0], samples)


@pytest.mark.parametrize("have", [SURROUND_51, SURROUND_71])
def test_surround_for_two_ears_keeps_sides_apart_and_the_centre_in_the_middle(have):
    sound = np.zeros((4, have.channels), np.float32)
    sound[0, 0] = sound[1, 4] = sound[2, 2] = sound[3, 3] = 0.5

    (mixed,) = Mixer(have, STEREO, 4).mix(sound)

    front_left, rear_left, centre, lfe = mixed
    assert front_left.tolist() == [0.5, 0]
    assert rear_left[0] > 0.3
    assert rear_left[1] == 0
    assert centre[0] == centre[1] > 0.3
    assert not lfe.any()


def test_stereo_in_a_surround_layout_comes_from_the_front():
    (mixed,) = Mixer(STEREO, SURROUND_71, 1).mix(np.array([[0.5, -0.5]], np.float32))

    assert mixed.tolist() == [[0.5, -0.5, 0, 0, 0, 0, 0, 0]]
