"""A program that plays a tone, and tries again when the server has thrown it out."""

import ctypes
import time

import numpy as np
from punktfunk_audio_pulse.libpulse import FLOAT32LE, SampleSpec

from punktfunk.plugin import SAMPLE_RATE_HZ

HZ, LEVEL, PLAYBACK = 1_000, 0.25, 1


def main() -> None:
    library = ctypes.CDLL("libpulse-simple.so.0")
    library.pa_simple_new.restype = ctypes.c_void_p
    time_s = np.arange(SAMPLE_RATE_HZ // 50) / SAMPLE_RATE_HZ
    wave = LEVEL * np.sin(2 * np.pi * HZ * time_s)
    data = np.repeat(wave[:, None], 2, axis=1).astype(np.float32).tobytes()
    spec = SampleSpec(FLOAT32LE, SAMPLE_RATE_HZ, 2)
    while True:
        stream = library.pa_simple_new(
            *(None, b"player", PLAYBACK, None, b"tone", ctypes.byref(spec), None, None, None)
        )
        handle = ctypes.c_void_p(stream)
        while (
            stream and library.pa_simple_write(handle, data, ctypes.c_size_t(len(data)), None) == 0
        ):
            pass
        if stream:
            library.pa_simple_free(handle)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
