"""Sound without a sound card: a continuous tone for every channel, or silence."""

import time
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from punktfunk.drivers.audio import AudioDriver, Samples
from punktfunk.drivers.seat import Seat
from punktfunk.errors import DriverFailed
from punktfunk.model.audio import SAMPLE_RATE_HZ, ChannelLayout, Speaker

TONES_HZ: Mapping[Speaker, int] = MappingProxyType(
    {
        Speaker.FRONT_LEFT: 440,
        Speaker.FRONT_RIGHT: 554,
        Speaker.FRONT_CENTER: 659,
        Speaker.LFE: 80,
        Speaker.REAR_LEFT: 784,
        Speaker.REAR_RIGHT: 932,
        Speaker.SIDE_LEFT: 1_109,
        Speaker.SIDE_RIGHT: 1_319,
    }
)
"""Whole numbers of periods a second, so that one second of samples can be repeated."""

AMPLITUDE = 0.2

_NS_PER_S = 1_000_000_000
_MOST_BEHIND_FRAMES = SAMPLE_RATE_HZ // 4


class ToneAudio(AudioDriver):
    """Hands out samples at the pace of a real device, by the monotonic clock."""

    _table: Samples | None = None
    _frames_per_read = 0
    _started_ns = 0
    _position = 0  # frames handed out since then

    def prepare(self, seat: Seat, layout: ChannelLayout) -> Mapping[str, str]:
        return {}

    def start(self, layout: ChannelLayout, frames_per_read: int) -> None:
        self._table = self._waves(layout, SAMPLE_RATE_HZ + frames_per_read)
        self._table.flags.writeable = False
        self._frames_per_read = frames_per_read
        self._started_ns = time.monotonic_ns()
        self._position = 0

    def read(self, timeout_s: float) -> Samples | None:
        if self._table is None:
            raise DriverFailed("the tone was not started")
        end = self._position + self._frames_per_read
        now_ns = time.monotonic_ns()
        wait_s = (self._started_ns + end * _NS_PER_S // SAMPLE_RATE_HZ - now_ns) / _NS_PER_S
        if wait_s > timeout_s:
            time.sleep(max(0.0, timeout_s))
            return None
        if wait_s > 0:
            time.sleep(wait_s)
        elif -wait_s * SAMPLE_RATE_HZ > _MOST_BEHIND_FRAMES:
            # Nobody listened for a while. A device would have dropped that, too.
            self._started_ns = now_ns - end * _NS_PER_S // SAMPLE_RATE_HZ
        start = self._position % SAMPLE_RATE_HZ
        self._position = end
        return self._table[start : start + self._frames_per_read]

    def stop(self) -> None:
        self._table = None

    def close(self) -> None:
        self.stop()

    def _waves(self, layout: ChannelLayout, frames: int) -> Samples:
        """A second of sound, and as much of it again as one read may run over the end."""
        seconds = np.arange(frames) / SAMPLE_RATE_HZ
        tones_hz = np.array([TONES_HZ[speaker] for speaker in layout.speakers])
        waves: Samples = np.sin(2 * np.pi * seconds[:, np.newaxis] * tones_hz).astype(np.float32)
        return waves * np.float32(AMPLITUDE)


class SilentAudio(ToneAudio):
    """For machines without a sound server: the picture need not wait for one."""

    def _waves(self, layout: ChannelLayout, frames: int) -> Samples:
        return np.zeros((frames, layout.channels), np.float32)
