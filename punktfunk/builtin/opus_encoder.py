"""Opus for Moonlight clients: constant rate, and the channel order DESCRIBE promised."""

import numpy as np

from punktfunk.builtin.libopus import MultistreamEncoder, OpusError
from punktfunk.drivers.audio import AudioEncodeDriver, Samples
from punktfunk.errors import DriverFailed, DriverUnavailable
from punktfunk.gamestream.audio import opus_bitrate_kbps, opus_layout
from punktfunk.model.audio import SAMPLE_RATE_HZ, OpusParams


class OpusEncoder(AudioEncodeDriver):
    """Encodes what `punktfunk.gamestream.audio` advertises, by libopus itself."""

    _encoder: MultistreamEncoder | None = None
    _packet: Samples = np.empty((0, 0), np.float32)

    def open(self, params: OpusParams) -> None:
        self.close()
        layout = opus_layout(params)
        try:
            self._encoder = MultistreamEncoder(
                sample_rate_hz=SAMPLE_RATE_HZ,
                streams=layout.streams,
                coupled=layout.coupled,
                mapping=tuple(layout.mapping),
                bitrate_kbps=opus_bitrate_kbps(params),
            )
        except OpusError as error:
            raise DriverUnavailable("opus", str(error)) from error
        # Finding out where an array lies takes as long as encoding a quiet packet: one array
        # is kept, and samples are copied there.
        self._packet = np.empty((params.frames_per_packet, params.layout.channels), np.float32)
        self._packet_at = self._packet.ctypes.data

    def encode(self, samples: Samples) -> bytes:
        if self._encoder is None:
            raise DriverFailed("the Opus encoder is not open")
        if samples.shape != self._packet.shape:
            raise DriverFailed(
                f"expected samples of shape {self._packet.shape}, got {samples.shape}"
            )
        self._packet[:] = samples
        try:
            return self._encoder.encode(self._packet_at, len(self._packet))
        except OpusError as error:
            raise DriverFailed(f"Opus: {error}") from error

    def close(self) -> None:
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            encoder.close()
