"""A program for the desktop: fills the screen, logs its input, plays a tone for each ear.

Usage: desktop_program.py quarters|noise EVENTS. EVENTS gets one JSON object a line.
"""

import ctypes
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parents[3] / "plugins" / "capture_wlroots" / "tests"))

from lab_client import Client

LEFT_HZ, RIGHT_HZ = 500, 700
_RATE_HZ = 48_000
_PLAYBACK, _FLOAT32LE = 1, 5


class Noise(Client):
    """Nothing an encoder could save anything on."""

    def __init__(self, events: Any) -> None:
        self._random = np.random.default_rng(3)
        super().__init__("counter", events)

    def draw(self) -> None:
        buffer = next((buffer for buffer in self.buffers if not buffer.busy), None)
        if buffer is not None:
            buffer.pixels[:] = self._random.integers(0, 1 << 24, buffer.pixels.shape, np.uint32)
        super().draw()


class SampleSpec(ctypes.Structure):
    _fields_ = (
        ("format", ctypes.c_int),
        ("rate", ctypes.c_uint32),
        ("channels", ctypes.c_uint8),
    )


def play_tones() -> None:
    """Play until the process ends."""
    library = ctypes.CDLL("libpulse-simple.so.0")
    library.pa_simple_new.restype = ctypes.c_void_p
    library.pa_simple_write.argtypes = (
        *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p),
    )
    spec = SampleSpec(_FLOAT32LE, _RATE_HZ, 2)
    stream = library.pa_simple_new(
        *(None, b"tones", _PLAYBACK, None, b"tones", ctypes.byref(spec), None, None, None)
    )
    if not stream:
        return
    seconds = np.arange(_RATE_HZ) / _RATE_HZ  # whole periods: it can be repeated
    waves = 0.2 * np.sin(2 * np.pi * seconds[:, np.newaxis] * np.array([LEFT_HZ, RIGHT_HZ]))
    data = waves.astype(np.float32).tobytes()
    while library.pa_simple_write(stream, data, len(data), None) == 0:
        pass


def main() -> None:
    threading.Thread(target=play_tones, daemon=True).start()
    with Path(sys.argv[2]).open("a", buffering=1) as events:
        client = Noise(events) if sys.argv[1] == "noise" else Client("counter", events)
        client.log("started", pid=os.getpid())
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        client.run()
        os._exit(0)


if __name__ == "__main__":
    main()
