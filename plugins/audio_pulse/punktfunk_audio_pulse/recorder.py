"""Samples of a source. Driven by the thread that reads: no thread of its own, no callback."""

import ctypes
import time

import numpy as np

from punktfunk.plugin import SAMPLE_RATE_HZ, ChannelLayout, DriverFailed, Samples
from punktfunk_audio_pulse import libpulse

START_S = 5.0
MAX_BACKLOG_MS = 100
"""Sound older than that is of no use to anyone who listens live."""

_SAMPLE_BYTES = 4
_AS_YOU_LIKE = 0xFFFF_FFFF


class Recorder:
    """One record stream; used by one thread.

    Raises:
        DriverFailed: from the constructor and from `read`, when the source or its server is
            gone or does not answer.
    """

    def __init__(
        self, server: str, source: str, layout: ChannelLayout, frames_per_read: int
    ) -> None:
        self._pulse = libpulse.load()
        self._channels = layout.channels
        frame_bytes = _SAMPLE_BYTES * layout.channels
        self._block_bytes = frames_per_read * frame_bytes
        self._backlog_bytes = max(
            SAMPLE_RATE_HZ * MAX_BACKLOG_MS // 1_000 * frame_bytes, 4 * self._block_bytes
        )
        self._pending = bytearray()
        self._context = self._stream = None
        self._loop = self._pulse.pa_mainloop_new()
        try:
            self._connect(server)
            self._record(source, layout)
        except BaseException:
            self.close()
            raise

    def read(self, timeout_s: float) -> Samples | None:
        """Return exactly `frames_per_read` frames, or None when they did not come in time.

        What came is kept for the next read, except when it is too old.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            self._skip_backlog()
            self._take()
            if len(self._pending) >= self._block_bytes:
                block = np.frombuffer(bytes(self._pending[: self._block_bytes]), np.dtype("<f4"))
                del self._pending[: self._block_bytes]
                # Programs may play louder than full scale; encoders would wrap or clip badly.
                return np.clip(block, -1.0, 1.0).reshape(-1, self._channels)
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return None
            self._iterate(left_s)
            self._check()

    def close(self) -> None:
        if self._stream:
            self._pulse.pa_stream_disconnect(self._stream)
            self._pulse.pa_stream_unref(self._stream)
        if self._context:
            self._pulse.pa_context_disconnect(self._context)
            self._pulse.pa_context_unref(self._context)
        if self._loop:
            self._pulse.pa_mainloop_free(self._loop)
        self._stream = self._context = self._loop = None

    def _connect(self, server: str) -> None:
        api = self._pulse.pa_mainloop_get_api(self._loop)
        self._context = self._pulse.pa_context_new(api, b"punktfunk")
        flags = libpulse.CONTEXT_NOAUTOSPAWN
        if self._pulse.pa_context_connect(self._context, server.encode(), flags, None) < 0:
            raise DriverFailed(f"the sound server does not answer: {self._reason()}")
        deadline = time.monotonic() + START_S
        while self._pulse.pa_context_get_state(self._context) != libpulse.CONTEXT_READY:
            self._iterate_until(deadline)

    def _record(self, source: str, layout: ChannelLayout) -> None:
        spec = libpulse.SampleSpec(libpulse.FLOAT32LE, SAMPLE_RATE_HZ, layout.channels)
        channels = libpulse.ChannelMap()
        positions = ",".join(layout.speakers).encode()
        self._pulse.pa_channel_map_parse(ctypes.byref(channels), positions)
        self._stream = self._pulse.pa_stream_new(
            self._context, b"session sound", ctypes.byref(spec), ctypes.byref(channels)
        )
        attributes = libpulse.BufferAttributes(
            maxlength=2 * self._backlog_bytes,
            tlength=_AS_YOU_LIKE,
            prebuf=_AS_YOU_LIKE,
            minreq=_AS_YOU_LIKE,
            fragsize=self._block_bytes,
        )
        # Never moved: the sound of some other source must not reach a client.
        flags = libpulse.STREAM_ADJUST_LATENCY | libpulse.STREAM_DONT_MOVE
        if (
            self._pulse.pa_stream_connect_record(
                self._stream, source.encode(), ctypes.byref(attributes), flags
            )
            < 0
        ):
            raise DriverFailed(f"{source} cannot be recorded: {self._reason()}")
        deadline = time.monotonic() + START_S
        while self._pulse.pa_stream_get_state(self._stream) != libpulse.STREAM_READY:
            self._iterate_until(deadline)

    def _iterate_until(self, deadline: float) -> None:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise DriverFailed("the sound server does not answer in time")
        self._iterate(left_s)
        self._check()

    def _iterate(self, timeout_s: float) -> None:
        if (
            self._pulse.pa_mainloop_prepare(self._loop, max(0, int(timeout_s * 1e6))) < 0
            or self._pulse.pa_mainloop_poll(self._loop) < 0
            or self._pulse.pa_mainloop_dispatch(self._loop) < 0
        ):
            raise DriverFailed("the connection to the sound server broke")

    def _check(self) -> None:
        if self._pulse.pa_context_get_state(self._context) >= libpulse.CONTEXT_FAILED:
            raise DriverFailed(f"the sound server is gone: {self._reason()}")
        if self._stream and self._pulse.pa_stream_get_state(self._stream) >= libpulse.STREAM_FAILED:
            raise DriverFailed(f"the sink is gone: {self._reason()}")

    def _skip_backlog(self) -> None:
        while self._readable() > self._backlog_bytes:
            self._pending.clear()
            self._peek()
            self._pulse.pa_stream_drop(self._stream)

    def _take(self) -> None:
        while len(self._pending) < self._block_bytes and self._readable():
            data, size = self._peek()
            # No address but a size: a hole, which sounds like silence.
            self._pending += ctypes.string_at(data, size) if data else bytes(size)
            self._pulse.pa_stream_drop(self._stream)

    def _readable(self) -> int:
        size = int(self._pulse.pa_stream_readable_size(self._stream))
        return 0 if size == ctypes.c_size_t(-1).value else size

    def _peek(self) -> tuple[int | None, int]:
        data, size = ctypes.c_void_p(), ctypes.c_size_t()
        if self._pulse.pa_stream_peek(self._stream, ctypes.byref(data), ctypes.byref(size)) < 0:
            raise DriverFailed(f"the sink is gone: {self._reason()}")
        return data.value, size.value

    def _reason(self) -> str:
        text: bytes = self._pulse.pa_strerror(self._pulse.pa_context_errno(self._context))
        return text.decode(errors="replace")
