"""What a stream did, counted where it happens and read once a second.

Writers are the stream's threads, one per counter; the reader swaps windows. Appending to
a list and adding to an attribute that one thread owns need no lock under the GIL.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from punktfunk.model.session import StageTiming, StreamSample

STAGES = ("capture", "submit", "encode", "packetize", "send")
_MAX_VALUES = 4_096


class Meter:
    """Counters of one stream; each is written by the one thread whose work it counts."""

    def __init__(self) -> None:
        self.frames_new = 0
        self.frames_repeated = 0
        self.frames_dropped = 0
        self.keyframes = 0
        self.bytes_sent = 0
        self.packets_sent = 0
        self.packets_dropped = 0
        self.send_errors = 0
        self.audio_packets = 0
        self.client_frames_lost = 0
        self.client_packets_missing = 0
        self.client_packets_recovered = 0
        self.rejected_messages = 0
        self._durations: dict[str, list[int]] = {stage: [] for stage in STAGES}
        self._latencies: list[int] = []
        self._started_ns = time.monotonic_ns()
        self._before: dict[str, int] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage of one frame."""
        started_ns = time.perf_counter_ns()
        try:
            yield
        finally:
            self.add(name, time.perf_counter_ns() - started_ns)

    def add(self, stage: str, duration_ns: int) -> None:
        values = self._durations[stage]
        if len(values) < _MAX_VALUES:
            values.append(duration_ns)

    def add_latency(self, latency_ns: int) -> None:
        """Capture to last packet of one frame, encode and pacing pauses taken off."""
        if len(self._latencies) < _MAX_VALUES:
            self._latencies.append(latency_ns)

    def sample(self, stream_id: int, bitrate_kbps: int, encoding: int = 0) -> StreamSample:
        """Everything since the last call, and start the next window."""
        now_ns = time.monotonic_ns()
        window_ms = (now_ns - self._started_ns) // 1_000_000
        self._started_ns = now_ns
        durations, self._durations = self._durations, {stage: [] for stage in STAGES}
        latencies, self._latencies = self._latencies, []
        return StreamSample(
            stream_id=stream_id,
            window_ms=window_ms,
            encoding=encoding,
            bitrate_kbps=bitrate_kbps,
            stages=tuple(
                StageTiming(name=name, p50_us=_us(values, 0.5), p99_us=_us(values, 0.99))
                for name, values in durations.items()
            ),
            latency_p50_us=_us(latencies, 0.5),
            latency_p99_us=_us(latencies, 0.99),
            frames_new=self._since("frames_new"),
            frames_repeated=self._since("frames_repeated"),
            frames_dropped=self._since("frames_dropped"),
            keyframes=self._since("keyframes"),
            bytes_sent=self._since("bytes_sent"),
            packets_sent=self._since("packets_sent"),
            packets_dropped=self._since("packets_dropped"),
            send_errors=self._since("send_errors"),
            audio_packets=self._since("audio_packets"),
            client_frames_lost=self._since("client_frames_lost"),
            client_packets_missing=self._since("client_packets_missing"),
            client_packets_recovered=self._since("client_packets_recovered"),
            rejected_messages=self._since("rejected_messages"),
        )

    def _since(self, counter: str) -> int:
        total: int = getattr(self, counter)
        before = self._before.get(counter, 0)
        self._before[counter] = total
        return total - before


def _us(values_ns: list[int], quantile: float) -> int:
    if not values_ns:
        return 0
    ordered = sorted(values_ns)
    return ordered[min(len(ordered) - 1, int(len(ordered) * quantile))] // 1_000
