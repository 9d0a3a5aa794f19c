"""libopus through ctypes: the multistream encoder with a channel mapping of our choice.

FFmpeg's wrapper would choose the mapping itself. The library comes with the `av` wheel
(opened as a file, so PyAV need not be loaded) or with the distribution.
"""

import ctypes
import importlib.metadata
from ctypes import POINTER, c_char_p, c_int, c_int32, c_ubyte, c_void_p
from functools import cache

MAX_PACKET_BYTES = 8_192
"""More than 10 ms at 2 Mbit/s."""

_SYSTEM_NAME = "libopus.so.0"
_APPLICATION_RESTRICTED_LOWDELAY = 2051
_SET_BITRATE = 4002
_SET_VBR = 4006
_OK = 0


class OpusError(Exception):
    """libopus said no; the text is its own."""


class MultistreamEncoder:
    """A hard constant rate, no look-ahead; used by one thread.

    Args:
        mapping: For each channel, which of the coded channels it becomes: the first
            `2 * coupled` of those are pairs, the others single.

    Raises:
        OpusError: libopus was not found or does not take these parameters.
    """

    def __init__(
        self,
        *,
        sample_rate_hz: int,
        streams: int,
        coupled: int,
        mapping: tuple[int, ...],
        bitrate_kbps: int,
    ) -> None:
        self._state: c_void_p | None = None
        self._library = load()
        self._packet = (c_ubyte * MAX_PACKET_BYTES)()
        error = c_int()
        state = self._library.opus_multistream_encoder_create(
            sample_rate_hz,
            len(mapping),
            streams,
            coupled,
            bytes(mapping),
            _APPLICATION_RESTRICTED_LOWDELAY,
            ctypes.byref(error),
        )
        self._check(error.value)
        self._state = c_void_p(state)
        self._control(_SET_VBR, 0)
        self._control(_SET_BITRATE, bitrate_kbps * 1_000)

    def encode(self, samples_at: int, frames: int) -> bytes:
        """Encode one packet of interleaved 32-bit floats at an address.

        Raises:
            OpusError: it could not be encoded, or the encoder is closed.
        """
        if self._state is None:
            raise OpusError("the encoder is closed")
        length = self._library.opus_multistream_encode_float(
            self._state, samples_at, frames, self._packet, MAX_PACKET_BYTES
        )
        self._check(length)
        return ctypes.string_at(self._packet, length)

    def close(self) -> None:
        state, self._state = self._state, None
        if state is not None:
            self._library.opus_multistream_encoder_destroy(state)

    def _control(self, request: int, value: int) -> None:
        # A function with a variable part: those arguments are promoted, not declared.
        control = self._library.opus_multistream_encoder_ctl
        self._check(control(self._state, c_int(request), c_int32(value)))

    def _check(self, result: int) -> None:
        if result < _OK:
            raise OpusError(self._library.opus_strerror(result).decode(errors="replace"))


@cache
def load() -> ctypes.CDLL:
    """Open libopus.

    Raises:
        OpusError: it is neither in the `av` wheel nor on the system.
    """
    for name in (*_bundled_with_av(), _SYSTEM_NAME):
        try:
            library = ctypes.CDLL(name)
            _declare(library)
        except (OSError, AttributeError):
            continue
        return library
    raise OpusError("libopus was not found, neither in the av wheel nor on the system")


def _bundled_with_av() -> list[str]:
    try:
        files = importlib.metadata.files("av") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [str(file.locate()) for file in files if file.name.startswith("libopus-")]


def _declare(library: ctypes.CDLL) -> None:
    library.opus_multistream_encoder_create.argtypes = [
        *(c_int32, c_int, c_int, c_int, c_char_p, c_int),
        POINTER(c_int),
    ]
    library.opus_multistream_encoder_create.restype = c_void_p
    library.opus_multistream_encode_float.argtypes = [
        *(c_void_p, c_void_p, c_int),
        *(POINTER(c_ubyte), c_int32),
    ]
    library.opus_multistream_encode_float.restype = c_int
    library.opus_multistream_encoder_ctl.restype = c_int
    library.opus_multistream_encoder_destroy.argtypes = [c_void_p]
    library.opus_multistream_encoder_destroy.restype = None
    library.opus_strerror.argtypes = [c_int]
    library.opus_strerror.restype = c_char_p
