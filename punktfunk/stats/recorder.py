"""The running capture: a ring of samples in memory, filled while somebody wants it."""

import time
from collections import deque
from collections.abc import Callable

from punktfunk.model.session import StreamSample
from punktfunk.stats.recording_file import line_of, name_of
from punktfunk.stats.samples import (
    GAMESTREAM,
    Capture,
    CaptureMeta,
    StatsStatus,
    StreamLabel,
    sample_of,
)

MAX_SAMPLES = 10_800
"""Three hours of one stream. When more come, the oldest go."""


class Recorder:
    """Used from one thread.

    Samples are kept as JSON, which is small, and makes a reading of all of them cheap.

    Args:
        now_ns: A monotonic clock.
        unix_ms: The time of day.
    """

    def __init__(
        self,
        now_ns: Callable[[], int] = time.monotonic_ns,
        unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._now_ns = now_ns
        self._unix_ms = unix_ms
        self._armed = False
        self._started_ns = 0
        self._started_unix_ms = 0
        self._samples: deque[bytes] = deque(maxlen=MAX_SAMPLES)
        self._label: StreamLabel | None = None

    def start(self) -> StatsStatus:
        """Begin a capture, or leave the running one as it is."""
        if not self._armed:
            self._armed = True
            self._started_ns, self._started_unix_ms = self._now_ns(), max(0, self._unix_ms())
        return self.status()

    def record(self, sample: StreamSample, label: StreamLabel) -> bytes | None:
        """Take a stream's last window; returns it as it is kept, None while no capture runs."""
        if not self._armed:
            return None
        self._label = label
        told = sample_of(sample, label.session_id, self._elapsed_ms(), label.client)
        line = line_of(told)
        self._samples.append(line)
        return line

    def status(self) -> StatsStatus:
        if not self._armed:
            return StatsStatus()
        return StatsStatus(
            armed=True,
            sample_count=len(self._samples),
            started_unix_ms=self._started_unix_ms,
            kind=self._label.kind if self._label else GAMESTREAM,
        )

    def capture(self) -> Capture | None:
        """Everything so far; None when no capture runs."""
        if not self._armed:
            return None
        label = self._label
        width, height = (label.mode.width_px, label.mode.height_px) if label else (0, 0)
        meta = CaptureMeta(
            id=name_of(self._started_unix_ms, width, height),
            started_unix_ms=self._started_unix_ms,
            duration_ms=self._elapsed_ms(),
            kind=self.status().kind,
            width=width,
            height=height,
            fps=round(label.mode.refresh_hz) if label else 0,
            codec=label.codec if label else "",
            client=label.client if label else "",
            sample_count=len(self._samples),
        )
        return Capture(meta, tuple(self._samples))

    def stop(self) -> None:
        """End the capture and forget it."""
        self._armed = False
        self._samples.clear()
        self._label = None

    def _elapsed_ms(self) -> int:
        return (self._now_ns() - self._started_ns) // 1_000_000
