"""Streams that were never streamed, and recordings of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from punktfunk.model.session import StageTiming, StreamSample
from punktfunk.model.video import VideoMode
from punktfunk.session.meter import STAGES
from punktfunk.stats.recorder import Recorder
from punktfunk.stats.recordings import FOLDER, Recordings
from punktfunk.stats.samples import Capture, StreamLabel

BEGAN_UNIX_MS = 1_782_504_843_000
"""2026-06-26T20:14:03Z."""

LABEL = StreamLabel(
    session_id=1,
    mode=VideoMode(width_px=5_120, height_px=1_440, refresh_mhz=119_880),
    codec="hevc",
    client="c0ffee00",
)


@attrs.define
class Clocks:
    """Both stand still until a test moves them."""

    now_ns: int = 10**12
    unix_ms: int = BEGAN_UNIX_MS

    def recorder(self) -> Recorder:
        return Recorder(lambda: self.now_ns, lambda: self.unix_ms)


def window(**members: Any) -> StreamSample:
    """A second of 60 new pictures."""
    plain = {
        "stream_id": 1,
        "window_ms": 1_000,
        "bitrate_kbps": 20_000,
        "frames_new": 60,
        "bytes_sent": 2_000_000,
        "stages": tuple(StageTiming(name=name, p50_us=500, p99_us=900) for name in STAGES),
    }
    return StreamSample(**{**plain, **members})


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def make_window() -> Callable[..., StreamSample]:
    return window


@pytest.fixture
def label() -> StreamLabel:
    return LABEL


@pytest.fixture
def make_capture() -> Callable[..., Capture]:
    """`make_capture(samples, began_unix_ms)`: as a recorder would have it."""

    def make(samples: int = 3, began_unix_ms: int = BEGAN_UNIX_MS) -> Capture:
        clocks = Clocks(unix_ms=began_unix_ms)
        recorder = clocks.recorder()
        recorder.start()
        for _ in range(samples):
            clocks.now_ns += 1_000_000_000
            recorder.record(window(), LABEL)
        capture = recorder.capture()
        assert capture is not None
        return capture

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / FOLDER


@pytest.fixture
def recordings(folder: Path) -> Recordings:
    return Recordings(folder)
