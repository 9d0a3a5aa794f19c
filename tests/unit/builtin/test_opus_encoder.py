import ctypes

import numpy as np
import pytest

from punktfunk.builtin import libopus
from punktfunk.builtin.libopus import MultistreamEncoder, OpusError
from punktfunk.builtin.opus_encoder import OpusEncoder
from punktfunk.builtin.tone import AMPLITUDE
from punktfunk.errors import DriverFailed, DriverUnavailable
from punktfunk.gamestream.audio import OPUS_LAYOUTS, opus_bitrate_kbps, surround_params
from punktfunk.model.audio import SAMPLE_RATE_HZ, STEREO, SURROUND_51, OpusParams
from punktfunk.testing.tones import TONES_HZ, dominant_tone

EVERY = [
    OpusParams(layout=entry.layout, high_quality=entry.high_quality, packet_ms=packet_ms)
    for entry in OPUS_LAYOUTS.values()
    for packet_ms in (5, 10)
]


def named(params):
    return f"{params.layout.channels}{'-high' if params.high_quality else ''}-{params.packet_ms}ms"


class ClientDecoder:
    """Decodes as a client does that knows nothing but the `surround-params` string."""

    def __init__(self, description, rotated):
        channels, streams, coupled, *mapping = (int(digit) for digit in description)
        if rotated:
            mapping.insert(3, mapping.pop())
        self.channels = channels
        self.library = libopus.load()
        self.library.opus_multistream_decoder_create.restype = ctypes.c_void_p
        error = ctypes.c_int()
        self.state = ctypes.c_void_p(
            self.library.opus_multistream_decoder_create(
                SAMPLE_RATE_HZ, channels, streams, coupled, bytes(mapping), ctypes.byref(error)
            )
        )
        assert error.value == 0

    def decode(self, packet, frames):
        samples = np.zeros((frames, self.channels), np.float32)
        decoded = self.library.opus_multistream_decode_float(
            self.state, packet, len(packet), ctypes.c_void_p(samples.ctypes.data), frames, 0
        )
        assert decoded == frames
        return samples

    def close(self):
        self.library.opus_multistream_decoder_destroy(self.state)


def tones(params, seconds=0.5):
    at = np.arange(int(seconds * SAMPLE_RATE_HZ))[:, np.newaxis] / SAMPLE_RATE_HZ
    hz = np.array([TONES_HZ[speaker] for speaker in params.layout.speakers])
    return (AMPLITUDE * np.sin(2 * np.pi * at * hz)).astype(np.float32)


def packets_of(samples, params):
    encoder = OpusEncoder()
    encoder.open(params)
    count = params.frames_per_packet
    packets = [
        encoder.encode(samples[start : start + count])
        for start in range(0, len(samples) - count + 1, count)
    ]
    encoder.close()
    return packets


@pytest.mark.parametrize("params", EVERY, ids=named)
def test_every_tone_comes_out_of_its_own_speaker(params):
    description = surround_params(OPUS_LAYOUTS[params.layout.channels, params.high_quality])
    rotated = params.layout.channels > 2 and not params.high_quality
    client = ClientDecoder(description, rotated)

    decoded = [
        client.decode(packet, params.frames_per_packet)
        for packet in packets_of(tones(params), params)
    ]
    client.close()

    sound = np.concatenate(decoded)[4_800:]
    heard = [dominant_tone(channel, SAMPLE_RATE_HZ) for channel in sound.T]
    assert np.allclose(heard, [TONES_HZ[speaker] for speaker in params.layout.speakers], atol=2.0)
    strengths = sound.std(axis=0) * np.sqrt(2)
    assert np.allclose(strengths, AMPLITUDE, rtol=0.25)


@pytest.mark.parametrize("params", EVERY, ids=named)
def test_packets_have_one_length_and_that_is_the_bitrate(params):
    rng = np.random.default_rng(1)
    loud = rng.normal(0, 0.3, (4_800, params.layout.channels)).astype(np.float32)
    silence = np.zeros((4_800, params.layout.channels), np.float32)

    packets = packets_of(np.concatenate([silence, loud, silence]), params)

    (length,) = {len(packet) for packet in packets}
    wanted = opus_bitrate_kbps(params) * params.packet_ms / 8
    assert abs(length - wanted) <= 2


def test_samples_of_another_shape_are_refused():
    encoder = OpusEncoder()
    encoder.open(OpusParams(layout=STEREO, packet_ms=5))

    with pytest.raises(DriverFailed, match="240, 2"):
        encoder.encode(np.zeros((480, 2), np.float32))
    with pytest.raises(DriverFailed, match="240, 2"):
        encoder.encode(np.zeros((240, 6), np.float32))
    encoder.close()


def test_samples_need_not_be_contiguous():
    params = OpusParams(layout=STEREO, packet_ms=10)
    wide = tones(OpusParams(layout=SURROUND_51), 0.01)

    assert packets_of(wide[:, :2], params) == packets_of(wide[:, :2].copy(), params)


def test_a_closed_encoder_says_so():
    encoder = OpusEncoder()
    encoder.open(OpusParams())
    encoder.close()
    encoder.close()

    with pytest.raises(DriverFailed, match="not open"):
        encoder.encode(np.zeros((240, 2), np.float32))


def test_parameters_libopus_does_not_take_are_an_error():
    with pytest.raises(OpusError):
        MultistreamEncoder(
            sample_rate_hz=44_100, streams=1, coupled=1, mapping=(0, 1), bitrate_kbps=96
        )


def test_a_machine_without_libopus_gets_a_reason(monkeypatch):
    monkeypatch.setattr(libopus, "_bundled_with_av", list)
    monkeypatch.setattr(libopus, "_SYSTEM_NAME", "libopus-not-here.so.0")
    libopus.load.cache_clear()

    with pytest.raises(DriverUnavailable, match="libopus was not found"):
        OpusEncoder().open(OpusParams())
    libopus.load.cache_clear()
