"""A stream's threads as a whole: noticed when they hang, closed whatever closes badly."""

import time

import attrs
import pytest

from punktfunk.drivers.compositor import Display
from punktfunk.errors import DriverFailed
from punktfunk.model.audio import STEREO
from punktfunk.model.offers import Kind
from punktfunk.registry.loading import load_driver, load_driver_class
from punktfunk.session.stream import MediaSockets, Stream

pytestmark = pytest.mark.usefixtures("install_faulty")


@attrs.define
class Scene:
    """As much of a stage as a stream looks at."""

    plan: object
    audio: object
    seat: object = None
    display: Display | None = None


@pytest.fixture
def open_stream(make_plan, make_stream, media):
    streams = []
    tone = load_driver(Kind.AUDIO, "tone", {})
    tone.prepare(None, STEREO)
    load_driver_class(Kind.CAPTURE, "stuck").let_go.clear()

    def start(capture: str, audio: object = tone) -> Stream:
        scene = Scene(plan=make_plan(capture=capture), audio=audio)
        streams.append(Stream(make_stream(), scene, MediaSockets(*media), lambda: None))
        return streams[-1]

    yield start
    load_driver_class(Kind.CAPTURE, "stuck").let_go.set()
    for stream in streams:
        stream.close()


def test_threads_that_turn_are_left_alone(open_stream):
    stream = open_stream("testcard")
    stream.start_sound()
    stream.start_picture()
    time.sleep(0.2)

    stream.check(time.monotonic_ns())
    assert stream.close() == ""
    assert stream.close() == ""


def test_a_driver_that_does_not_return_is_noticed_and_not_closed_under_its_thread(
    open_stream, monkeypatch
):
    monkeypatch.setattr("punktfunk.session.stream._HANG_LIMIT_NS", 500_000_000)
    stream = open_stream("stuck")
    stream.start_sound()
    stream.start_picture()
    stream.check(time.monotonic_ns())

    time.sleep(0.6)
    with pytest.raises(DriverFailed, match="the picture thread hangs"):
        stream.check(time.monotonic_ns())

    assert stream.close() == "picture"


def test_one_part_that_closes_badly_does_not_keep_the_others_open(open_stream, caplog):
    class Clumsy(load_driver_class(Kind.AUDIO, "tone")):
        def stop(self):
            raise KeyError("never started")

    stream = open_stream("testcard", Clumsy())
    drivers = list(stream._drivers)

    assert stream.close() == ""

    assert "a part of the stream did not close" in caplog.text
    with pytest.raises(DriverFailed):
        drivers[1].read(0)  # the capture is closed
