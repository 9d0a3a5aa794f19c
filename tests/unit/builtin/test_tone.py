import time

import numpy as np
import pytest

from punktfunk.builtin.tone import ToneAudio
from punktfunk.errors import DriverFailed
from punktfunk.model.audio import LAYOUTS, SAMPLE_RATE_HZ, STEREO
from punktfunk.testing.tones import TONES_HZ, dominant_tone


@pytest.fixture
def clock(monkeypatch):
    """A clock that only sleeping moves on."""

    class Clock:
        now_ns = 5_000_000_000

        def sleep(self, seconds):
            self.now_ns += round(seconds * 1e9)

    clock = Clock()
    monkeypatch.setattr("punktfunk.builtin.tone.time.monotonic_ns", lambda: clock.now_ns)
    monkeypatch.setattr("punktfunk.builtin.tone.time.sleep", clock.sleep)
    return clock


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: str(layout.channels))
def test_every_channel_has_its_own_tone(clock, layout):
    tone = ToneAudio()
    tone.start(layout, 480)

    samples = np.concatenate([tone.read(1.0) for _ in range(50)])

    heard = [dominant_tone(channel, SAMPLE_RATE_HZ) for channel in samples.T]
    assert np.allclose(heard, [TONES_HZ[speaker] for speaker in layout.speakers], atol=1.0)


def test_the_wave_is_continuous_beyond_a_second(clock):
    tone = ToneAudio()
    tone.start(STEREO, 441)

    samples = np.concatenate([tone.read(1.0) for _ in range(250)])

    steps = np.abs(np.diff(samples[:, 0]))
    assert steps.max() < 0.2 * 2 * np.pi * 440 / SAMPLE_RATE_HZ * 1.01


def test_reading_takes_as_long_as_the_sound(clock):
    tone = ToneAudio()
    tone.start(STEREO, 240)
    begin = clock.now_ns

    for _ in range(40):
        assert tone.read(1.0).shape == (240, 2)

    assert clock.now_ns - begin == pytest.approx(200_000_000, abs=1_000)


def test_samples_that_are_not_due_are_not_waited_for(clock):
    tone = ToneAudio()
    tone.start(STEREO, 480)

    assert tone.read(0.004) is None
    assert tone.read(0.007) is not None


def test_a_short_delay_is_caught_up_a_long_one_is_dropped(clock):
    tone = ToneAudio()
    tone.start(STEREO, 480)
    tone.read(1.0)

    clock.sleep(0.100)
    before = clock.now_ns
    for _ in range(10):
        tone.read(1.0)
    assert clock.now_ns - before == pytest.approx(0, abs=10_000)

    clock.sleep(3.0)
    before = clock.now_ns
    for _ in range(10):
        tone.read(1.0)
    assert clock.now_ns - before == pytest.approx(90_000_000, abs=10_000)


def test_nothing_is_prepared_and_stopping_ends_it():
    tone = ToneAudio()
    assert tone.prepare(None, STEREO) == {}
    tone.start(STEREO, 240)
    tone.stop()
    tone.close()

    with pytest.raises(DriverFailed):
        tone.read(0.0)


def test_it_runs_by_the_real_clock():
    tone = ToneAudio()
    tone.start(STEREO, 480)

    before = time.monotonic()
    for _ in range(5):
        assert tone.read(5.0) is not None

    assert time.monotonic() - before > 0.045


def test_silence_has_no_tone():
    assert dominant_tone(np.zeros(100), SAMPLE_RATE_HZ) == 0.0
