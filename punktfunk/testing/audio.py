"""What a source of sound promises."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from punktfunk.drivers.audio import AudioDriver, Samples
from punktfunk.model.audio import STEREO, SURROUND_51, ChannelLayout
from punktfunk.testing.contract import DriverContract, or_skip
from punktfunk.testing.seat import FakeSeat

FRAMES_PER_READ = 240
_PATIENCE_S = 5.0


class AudioDriverContract(DriverContract):
    """Promises of a source of sound. Claim `surround` when it captures 5.1."""

    driver_base = AudioDriver
    possible_capabilities = frozenset({"surround"})

    @pytest.fixture
    def prepared(self, driver: Any, seat: FakeSeat) -> Iterator[Any]:
        """The driver with its sink, not capturing."""
        try:
            or_skip(lambda: driver.prepare(seat, STEREO))
            yield driver
        finally:
            driver.close()

    def open_driver(self, driver: Any, seat: FakeSeat) -> None:
        driver.prepare(seat, STEREO)
        driver.start(STEREO, FRAMES_PER_READ)

    def test_preparing_returns_environment_for_programs(self, driver: Any, seat: FakeSeat) -> None:
        try:
            environment = or_skip(lambda: driver.prepare(seat, STEREO))
        finally:
            driver.close()

        assert all(isinstance(text, str) for pair in environment.items() for text in pair)

    def test_a_read_is_exactly_as_long_as_was_asked_for(self, prepared: Any) -> None:
        prepared.start(STEREO, FRAMES_PER_READ)

        blocks = [read_block(prepared) for _ in range(5)]

        assert [block.shape for block in blocks] == [(FRAMES_PER_READ, 2)] * 5
        assert {block.dtype for block in blocks} == {np.dtype(np.float32)}
        assert max(float(np.abs(block).max()) for block in blocks) <= 1.0

    def test_reading_does_not_wait_longer_than_it_may(self, prepared: Any) -> None:
        prepared.start(STEREO, FRAMES_PER_READ)

        started = time.monotonic()
        prepared.read(0.05)

        assert time.monotonic() - started < 1.0

    def test_sound_comes_at_the_pace_of_the_clock(self, prepared: Any) -> None:
        prepared.start(STEREO, FRAMES_PER_READ)
        read_block(prepared)

        started = time.monotonic()
        for _ in range(100):
            read_block(prepared)
        took_s = time.monotonic() - started

        assert took_s == pytest.approx(0.5, abs=0.25)

    def test_capturing_can_be_stopped_and_started_again(self, prepared: Any) -> None:
        for frames in (FRAMES_PER_READ, 2 * FRAMES_PER_READ):
            prepared.start(STEREO, frames)
            assert read_block(prepared).shape == (frames, 2)
            prepared.stop()

    def test_stopping_twice_is_fine(self, prepared: Any) -> None:
        prepared.start(STEREO, FRAMES_PER_READ)

        prepared.stop()
        prepared.stop()

    def test_a_stream_may_have_more_channels_than_the_sink(self, prepared: Any) -> None:
        self.claims("surround")
        layout: ChannelLayout = SURROUND_51

        prepared.start(layout, FRAMES_PER_READ)

        assert read_block(prepared).shape == (FRAMES_PER_READ, layout.channels)


def read_block(driver: Any) -> Samples:
    """Read until there is a block; a source that stays silent is a failure."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        block: Samples | None = driver.read(0.5)
        if block is not None:
            return block
    pytest.fail(f"no sound came within {_PATIENCE_S:g} s")
