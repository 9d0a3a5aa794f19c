"""The client's sound path: Opus multistream through the system's libopus, tones per channel."""

import ctypes
import ctypes.util
import threading
import time
from collections import deque
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from moonlight_library import CHANNEL_NAMES

QUEUE_PACKETS = 2_000
HISTORY_S = 2.0
WINDOW_S = 0.5
SILENCE_DBFS = -70.0
LARGEST_FRAME_SAMPLES = 5_760  # 120 ms at 48 kHz, Opus' longest


class OpusLayout(NamedTuple):
    sample_rate_hz: int
    channels: int
    streams: int
    coupled_streams: int
    samples_per_frame: int
    mapping: tuple[int, ...]


class OpusError(Exception):
    def __init__(self, step: str, code: int) -> None:
        super().__init__(f"{step}: libopus error {code}")
        self.code = code


class OpusDecoder:
    """Interleaved float output; PyAV's planar 8-channel frames crash when read."""

    def __init__(self, layout: OpusLayout) -> None:
        self._library = _load_opus()
        self._layout = layout
        error = ctypes.c_int()
        mapping = (ctypes.c_uint8 * len(layout.mapping))(*layout.mapping)
        self._state = self._library.opus_multistream_decoder_create(
            layout.sample_rate_hz,
            layout.channels,
            layout.streams,
            layout.coupled_streams,
            mapping,
            ctypes.byref(error),
        )
        if error.value or not self._state:
            raise OpusError("opus_multistream_decoder_create", error.value)
        self._pcm = np.zeros((LARGEST_FRAME_SAMPLES, layout.channels), np.float32)

    def decode(self, packet: bytes | None) -> npt.NDArray[np.float32]:
        """Samples of shape (count, channels); None conceals one lost packet."""
        limit = LARGEST_FRAME_SAMPLES if packet else self._layout.samples_per_frame
        count = self._library.opus_multistream_decode_float(
            self._state, packet, len(packet) if packet else 0, self._pcm.ctypes.data, limit, 0
        )
        if count < 0:
            raise OpusError("opus_multistream_decode_float", count)
        return self._pcm[:count].copy()

    def close(self) -> None:
        if self._state:
            self._library.opus_multistream_decoder_destroy(self._state)
            self._state = None


class AudioPipeline:
    """Takes packets from the library's receive thread, decodes them on another."""

    def __init__(self, layout: OpusLayout) -> None:
        self.layout = layout
        self._decoder = OpusDecoder(layout)
        self._queue: deque[bytes | None] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._busy = False
        self.first_packet_ns: int | None = None
        self._clear()
        self._thread = threading.Thread(target=self._run, name="audio", daemon=True)
        self._thread.start()

    def submit(self, packet: bytes | None) -> None:
        """One packet in order, or None where the network lost one."""
        with self._changed:
            if self.first_packet_ns is None:
                self.first_packet_ns = time.monotonic_ns()
            if len(self._queue) >= QUEUE_PACKETS:
                self._overflows += 1
                return
            self._queue.append(packet)
            self._changed.notify_all()

    def drain(self, timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._busy, timeout_s)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout=5)
        if not self._thread.is_alive():
            self._decoder.close()

    def reset(self) -> None:
        with self._changed:
            self._clear()

    def statistics(self) -> dict[str, Any]:
        with self._changed:
            history = np.concatenate(self._history) if self._history else None
            result: dict[str, Any] = {
                "layout": self.layout._asdict(),
                "packets": self._packets,
                "packets_lost": self._lost,
                "decode_errors": self._errors,
                "last_decode_error": self._last_error,
                "queue_overflows": self._overflows,
                "samples": self._samples,
                "packet_bytes": sorted(self._sizes),
            }
        result["channels"] = [] if history is None else self._tones(history)
        return result

    def _tones(self, history: npt.NDArray[np.float32]) -> list[dict[str, Any]]:
        window = history[-int(WINDOW_S * self.layout.sample_rate_hz) :]
        names = CHANNEL_NAMES if self.layout.channels > 1 else ("FC",)
        return [
            {"channel": names[index]} | dominant_tone(window[:, index], self.layout.sample_rate_hz)
            for index in range(self.layout.channels)
        ]

    def _clear(self) -> None:
        self._packets = self._lost = self._errors = self._overflows = self._samples = 0
        self._last_error: str | None = None
        self._sizes: set[int] = set()
        self._history: deque[npt.NDArray[np.float32]] = deque(
            maxlen=max(1, int(HISTORY_S * self.layout.sample_rate_hz / self._frame_samples()))
        )

    def _frame_samples(self) -> int:
        return self.layout.samples_per_frame or 240

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._queue or self._closed)
                if not self._queue:
                    return
                packet = self._queue.popleft()
                self._busy = True
            self._take(packet)

    def _take(self, packet: bytes | None) -> None:
        try:
            samples = self._decoder.decode(packet)
        except OpusError as error:
            with self._changed:
                self._errors += 1
                self._last_error = str(error)
            return
        with self._changed:
            if packet is None:
                self._lost += 1
            else:
                self._packets += 1
                if len(self._sizes) < 64:
                    self._sizes.add(len(packet))
            self._samples += len(samples)
            self._history.append(samples)


def dominant_tone(samples: npt.NDArray[np.float32], rate_hz: int) -> dict[str, Any]:
    """Strongest frequency of one channel, its share of the energy, and the channel's level.

    `hz` is None below -70 dBFS. `share` near 1 means a clean tone; another channel leaking in
    lowers it.
    """
    if not len(samples):
        return {"hz": None, "rms_dbfs": None, "share": None}
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    level_dbfs = 20 * np.log10(max(rms, 1e-9))
    if level_dbfs < SILENCE_DBFS or len(samples) < 64:
        return {"hz": None, "rms_dbfs": round(level_dbfs, 1), "share": None}
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    power[0] = 0
    peak = int(power.argmax())
    low, high = max(peak - 2, 0), peak + 3
    near = power[low:high]
    centre = float((near * np.arange(low, low + len(near))).sum() / near.sum())
    return {
        "hz": round(centre * rate_hz / len(samples), 1),
        "rms_dbfs": round(level_dbfs, 1),
        "share": round(float(near.sum() / power.sum()), 3),
    }


def _load_opus() -> Any:
    library = ctypes.CDLL(ctypes.util.find_library("opus") or "libopus.so.0")
    library.opus_multistream_decoder_create.restype = ctypes.c_void_p
    library.opus_multistream_decoder_create.argtypes = (
        *([ctypes.c_int32] * 4),
        ctypes.POINTER(ctypes.c_uint8),
        ctypes.POINTER(ctypes.c_int),
    )
    library.opus_multistream_decode_float.argtypes = (
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_int32,
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_int,
    )
    library.opus_multistream_decoder_destroy.argtypes = (ctypes.c_void_p,)
    library.opus_multistream_decoder_destroy.restype = None
    return library
