"""A program that plays a tone of its own on every channel. Usage: surround_program.py CHANNELS."""

import ctypes
import sys
import time

import numpy as np

from punktfunk.builtin.tone import TONES_HZ
from punktfunk.plugin import SAMPLE_RATE_HZ, SURROUND_71

_PLAYBACK, _FLOAT32LE = 1, 5


class SampleSpec(ctypes.Structure):
    _fields_ = (
        ("format", ctypes.c_int),
        ("rate", ctypes.c_uint32),
        ("channels", ctypes.c_uint8),
    )


class ChannelMap(ctypes.Structure):
    _fields_ = (("channels", ctypes.c_uint8), ("map", ctypes.c_int * 32))


def main() -> None:
    """Play for ever; a server that throws us out is asked again."""
    speakers = SURROUND_71.speakers[: int(sys.argv[1])]
    spec = SampleSpec(_FLOAT32LE, SAMPLE_RATE_HZ, len(speakers))
    places = ChannelMap()
    ctypes.CDLL("libpulse.so.0").pa_channel_map_parse(
        ctypes.byref(places), ",".join(speakers).encode()
    )
    library = ctypes.CDLL("libpulse-simple.so.0")
    library.pa_simple_new.restype = ctypes.c_void_p
    seconds = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ  # whole periods: it can be repeated
    tones_hz = np.array([TONES_HZ[speaker] for speaker in speakers])
    waves = 0.2 * np.sin(2 * np.pi * seconds[:, np.newaxis] * tones_hz)
    data = waves.astype(np.float32).tobytes()
    size = ctypes.c_size_t(len(data))
    while True:
        stream = library.pa_simple_new(
            *(None, b"surround", _PLAYBACK, None, b"tones", ctypes.byref(spec)),
            *(ctypes.byref(places), None, None),
        )
        handle = ctypes.c_void_p(stream)
        while stream and library.pa_simple_write(handle, data, size, None) == 0:
            pass
        if stream:
            library.pa_simple_free(handle)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
