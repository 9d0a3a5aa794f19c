"""A session's threads as a whole: noticed when they hang, closed whatever closes badly."""

import time

import attrs
import pytest

from punktfunk.drivers.capture import CaptureDriver
from punktfunk.drivers.compositor import Display
from punktfunk.errors import DriverFailed
from punktfunk.model.audio import STEREO
from punktfunk.model.offers import Kind
from punktfunk.registry.loading import load_driver, load_driver_class
from punktfunk.session.drivers import load
from punktfunk.session.lasting import LastingCapture
from punktfunk.session.stream import MediaSockets, Stream
from punktfunk.session.studio import Studio

pytestmark = pytest.mark.usefixtures("install_faulty")


@attrs.define
class Scene:
    """As much of a stage as a stream looks at."""

    plan: object
    audio: object
    seat: object = None
    display: Display | None = None

    def open_capture(self, mode, dmabufs):
        capture = LastingCapture(
            lambda: load(CaptureDriver, Kind.CAPTURE, self.plan.capture), lambda error: None
        )
        capture.open(self.seat, self.display, mode)
        return capture


@pytest.fixture
def open_stream(make_plan, make_stream, media):
    streams = []
    tone = load_driver(Kind.AUDIO, "tone", {})
    tone.prepare(None, STEREO)
    load_driver_class(Kind.CAPTURE, "stuck").let_go.clear()

    def start(capture: str, audio: object = tone) -> tuple[Stream, Studio]:
        plan = make_stream()
        studio = Studio(Scene(plan=make_plan(capture=capture), audio=audio), lambda: None)
        mode = plan.request.mode
        streams.append(Stream(plan, studio, MediaSockets(*media), lambda: None, mode))
        return streams[-1], studio

    yield start
    load_driver_class(Kind.CAPTURE, "stuck").let_go.set()
    for stream in streams:
        stream.close()


def test_threads_that_turn_are_left_alone(open_stream):
    stream, studio = open_stream("testcard")
    stream.start_picture()
    time.sleep(0.2)

    stream.check(time.monotonic_ns())
    studio.check(time.monotonic_ns())
    assert stream.close() == ""
    assert stream.close() == ""


def test_a_driver_that_does_not_return_is_noticed_and_not_closed_under_its_thread(
    open_stream, monkeypatch
):
    monkeypatch.setattr("punktfunk.session.threads._HANG_LIMIT_NS", 500_000_000)
    stream, studio = open_stream("stuck")
    stream.start_picture()
    studio.check(time.monotonic_ns())

    time.sleep(0.6)
    with pytest.raises(DriverFailed, match="the picture thread hangs"):
        studio.check(time.monotonic_ns())

    assert stream.close() == "picture"


def test_one_part_that_closes_badly_does_not_keep_the_others_open(open_stream, caplog):
    class Clumsy(load_driver_class(Kind.AUDIO, "tone")):
        def stop(self):
            raise KeyError("never started")

    stream, studio = open_stream("testcard", Clumsy())
    assert studio.mode is not None

    assert stream.close() == ""

    assert "the sound did not close" in caplog.text
    assert studio.mode is None  # the capture is closed
