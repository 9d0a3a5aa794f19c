import time

import numpy as np
import pytest

from punktfunk.plugin import (
    SAMPLE_RATE_HZ,
    STEREO,
    SURROUND_51,
    SURROUND_71,
    DriverFailed,
    Speaker,
)

pytestmark = [pytest.mark.desktop, pytest.mark.usefixtures("need_programs")]

FRAMES = 240
LEVEL = 0.25


def tones(layout, frames: int = 4_800) -> np.ndarray:
    """A tone of its own on every channel: 500 Hz, 1000 Hz, ... Whole periods in 0.1 s."""
    time_s = np.arange(frames)[:, None] / SAMPLE_RATE_HZ
    return LEVEL * np.sin(2 * np.pi * tone_hz(np.arange(layout.channels)) * time_s)


def tone_hz(channel):
    return 500 * (channel + 1)


def spectrum(samples: np.ndarray) -> np.ndarray:
    """Amplitude by frequency in steps of 10 Hz, channels × frequencies."""
    frames = SAMPLE_RATE_HZ // 10
    block = samples[-frames:] * np.hanning(frames)[:, None]
    return np.abs(np.fft.rfft(block, axis=0)).T / (frames / 4)


def record(driver, seconds: float) -> np.ndarray:
    blocks = []
    while len(blocks) * FRAMES < seconds * SAMPLE_RATE_HZ:
        block = driver.read(1.0)
        assert block is not None
        blocks.append(block)
    return np.concatenate(blocks)


def record_sound(driver) -> np.ndarray:
    """Record until something is heard, then a little more."""
    for _ in range(1_000):
        block = driver.read(1.0)
        if block is not None and np.abs(block).max() > 0.01:
            return record(driver, 0.3)
    raise AssertionError("only silence")


@pytest.mark.parametrize("layout", [STEREO, SURROUND_51, SURROUND_71], ids=lambda it: it.channels)
def test_every_channel_arrives_where_it_was_played(make_driver, seat, play, layout) -> None:
    driver = make_driver(server="own")
    environment = driver.prepare(seat, layout)
    driver.start(layout, FRAMES)

    play(environment, layout, tones(layout))
    heard = spectrum(record_sound(driver))

    for channel in range(layout.channels):
        levels = {other: heard[channel][tone_hz(other) // 10] for other in range(layout.channels)}
        assert levels.pop(channel) == pytest.approx(LEVEL, rel=0.1)
        assert max(levels.values(), default=0) < 0.01


def test_a_surround_sink_is_mixed_down_for_a_stereo_stream(make_driver, seat, play) -> None:
    driver = make_driver(server="own")
    environment = driver.prepare(seat, SURROUND_71)
    driver.start(STEREO, FRAMES)

    play(environment, SURROUND_71, tones(SURROUND_71))
    left, right = spectrum(record_sound(driver))

    order = SURROUND_71.speakers
    center, rear = order.index(Speaker.FRONT_CENTER), order.index(Speaker.REAR_LEFT)
    assert left[tone_hz(0) // 10] > 0.05
    assert right[tone_hz(0) // 10] < 0.01
    assert left[tone_hz(center) // 10] == pytest.approx(right[tone_hz(center) // 10], rel=0.1)
    assert left[tone_hz(rear) // 10] > 3 * right[tone_hz(rear) // 10]


def test_a_stereo_program_stays_stereo_on_a_surround_sink(make_driver, seat, play) -> None:
    driver = make_driver(server="own")
    environment = driver.prepare(seat, SURROUND_51)
    driver.start(SURROUND_51, FRAMES)

    play(environment, STEREO, tones(STEREO))
    heard = record_sound(driver)

    assert [bool(peak > 0.1) for peak in np.abs(heard).max(axis=0)] == [True, True] + [False] * 4


def test_silence_is_delivered_at_the_pace_of_the_clock(make_driver, seat) -> None:
    driver = make_driver(server="own")
    driver.prepare(seat, STEREO)
    driver.start(STEREO, FRAMES)
    record(driver, 0.1)

    began = time.monotonic()
    silence = record(driver, 1.0)
    took_s = time.monotonic() - began

    assert not silence.any()
    assert took_s == pytest.approx(1.0, abs=0.3)


def test_what_is_louder_than_full_scale_is_limited(make_driver, seat, play) -> None:
    driver = make_driver(server="own")
    environment = driver.prepare(seat, STEREO)
    driver.start(STEREO, FRAMES)

    play(environment, STEREO, 8 * tones(STEREO))
    heard = record_sound(driver)

    assert np.abs(heard).max() == 1.0


def test_a_reader_that_was_away_hears_the_present(make_driver, seat, play) -> None:
    driver = make_driver(server="own")
    environment = driver.prepare(seat, STEREO)
    driver.start(STEREO, FRAMES)
    player = play(environment, STEREO, tones(STEREO))
    record_sound(driver)

    player._stop.set()
    time.sleep(1.5)  # the reader is busy elsewhere: the tone ended long before it is back
    loud = sum(bool(np.abs(driver.read(1.0)).max() > 0.01) for _ in range(100))

    assert loud * FRAMES < 0.2 * SAMPLE_RATE_HZ


def test_capturing_goes_on_after_the_sink_was_idle(make_driver, seat, play) -> None:
    driver = make_driver(server="own")
    environment = driver.prepare(seat, STEREO)
    driver.start(STEREO, FRAMES)
    driver.stop()

    driver.start(STEREO, FRAMES)
    play(environment, STEREO, tones(STEREO))

    assert np.abs(record_sound(driver)).max() == pytest.approx(LEVEL, rel=0.1)


def test_reading_without_starting_is_an_error(make_driver, seat) -> None:
    driver = make_driver(server="own")
    driver.prepare(seat, STEREO)

    with pytest.raises(DriverFailed, match="not started"):
        driver.read(0.1)


def test_the_delay_from_player_to_reader(make_driver, seat, play, capsys) -> None:
    driver = make_driver(server="own")
    environment = driver.prepare(seat, STEREO)
    driver.start(STEREO, FRAMES)
    record(driver, 0.5)
    play(environment, STEREO, np.zeros((FRAMES, 2)))
    record(driver, 0.3)
    delays_ms = []

    for _ in range(5):
        click = play(environment, STEREO, np.full((FRAMES, 2), 0.5))
        while not np.abs(driver.read(1.0)).max() > 0.1:
            assert time.monotonic() - click.began < 5
        delays_ms.append((time.monotonic() - click.began) * 1_000)
        click.close()
        click.close = lambda: None
        while np.abs(driver.read(1.0)).max() > 0.1:
            assert time.monotonic() - click.began < 5

    with capsys.disabled():
        print(f" [sound delay, new stream to reader: {sorted(delays_ms)[2]:.0f} ms] ", end="")
