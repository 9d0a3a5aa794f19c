"""What an Opus encoder promises."""

from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import pytest

from punktfunk.drivers.audio import AudioEncodeDriver, Samples
from punktfunk.model.audio import (
    SAMPLE_RATE_HZ,
    STEREO,
    SURROUND_51,
    SURROUND_71,
    ChannelLayout,
    OpusParams,
)
from punktfunk.testing.contract import DriverContract, or_skip
from punktfunk.testing.seat import FakeSeat

_PACKETS = 40


class AudioEncodeDriverContract(DriverContract):
    """Promises of an Opus encoder. Claim `surround` when it does 5.1 and 7.1."""

    driver_base = AudioEncodeDriver
    possible_capabilities = frozenset({"surround"})

    @pytest.fixture(params=[5, 10], ids=lambda packet_ms: f"{packet_ms}ms")
    def packet_ms(self, request: pytest.FixtureRequest) -> int:
        packet_ms: int = request.param
        return packet_ms

    @pytest.fixture(params=[False, True], ids=["normal", "high"])
    def high_quality(self, request: pytest.FixtureRequest) -> bool:
        high_quality: bool = request.param
        return high_quality

    @pytest.fixture(
        params=[STEREO, SURROUND_51, SURROUND_71],
        ids=lambda layout: f"{layout.channels}ch",
    )
    def layout(self, request: pytest.FixtureRequest) -> ChannelLayout:
        layout: ChannelLayout = request.param
        if layout is not STEREO:
            self.claims("surround")
        return layout

    @pytest.fixture
    def params(self, layout: ChannelLayout, high_quality: bool, packet_ms: int) -> OpusParams:
        return OpusParams(layout=layout, high_quality=high_quality, packet_ms=packet_ms)

    @pytest.fixture
    def encoder(self, driver: Any, params: OpusParams) -> Iterator[Any]:
        """The driver, opened with each of the parameters in turn."""
        try:
            or_skip(lambda: driver.open(params))
            yield driver
        finally:
            driver.close()

    def open_driver(self, driver: Any, seat: FakeSeat) -> None:
        driver.open(OpusParams())

    def test_every_packet_has_the_same_length(self, encoder: Any, params: OpusParams) -> None:
        rng = np.random.default_rng(1)
        shape = (params.frames_per_packet, params.layout.channels)
        silence = np.zeros(shape, np.float32)
        noise = rng.uniform(-1, 1, (_PACKETS, *shape)).astype(np.float32)
        tones = _tone(params, range(_PACKETS))

        packets = [encoder.encode(samples) for samples in [silence, *noise, silence, *tones]]

        assert len({len(packet) for packet in packets}) == 1
        assert all(isinstance(packet, bytes) and packet for packet in packets)

    def test_left_stays_left_and_right_stays_right(self, encoder: Any, params: OpusParams) -> None:
        if params.layout is not STEREO:
            pytest.skip("only stereo can be decoded without the layout's mapping")
        left_only = [samples * [1, 0] for samples in _tone(params, range(_PACKETS))]

        packets = [encoder.encode(samples.astype(np.float32)) for samples in left_only]

        decoded = _decode_stereo(packets)
        left, right = np.sqrt((decoded[len(decoded) // 2 :] ** 2).mean(axis=0))
        assert left > 0.2
        assert right < left / 10

    def test_a_packet_lasts_as_long_as_was_asked_for(
        self, encoder: Any, params: OpusParams
    ) -> None:
        (samples,) = _tone(params, range(1))

        packet = encoder.encode(samples)

        # RFC 6716, section 3.1: the first five bits say mode and length; the last two, that
        # there is one frame in the packet.
        lengths_ms = {16: 2.5, 17: 5, 18: 10, 19: 20}
        configuration, code = packet[0] >> 3, packet[0] & 3
        assert code == 0
        if configuration >= 16:
            assert lengths_ms[16 + configuration % 4] == params.packet_ms
        else:
            assert configuration in (12, 14)  # hybrid modes, 10 ms
            assert params.packet_ms == 10


def _tone(params: OpusParams, packets: range) -> list[Samples]:
    """Make 440 Hz on all channels, at half of full scale."""
    count = params.frames_per_packet
    tones = []
    for packet in packets:
        time_s = (np.arange(count) + packet * count) / SAMPLE_RATE_HZ
        wave = (0.5 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)
        tones.append(np.repeat(wave[:, None], params.layout.channels, axis=1))
    return tones


def _decode_stereo(packets: list[bytes]) -> Samples:
    decoder = av.CodecContext.create("opus", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.sample_rate = SAMPLE_RATE_HZ
    decoder.layout = "stereo"
    # An Ogg header: version 1, two channels, no skip, 48 kHz, no gain, mapping family 0.
    decoder.extradata = b"OpusHead\x01\x02\x00\x00\x80\xbb\x00\x00\x00\x00\x00"
    blocks = []
    for packet in packets:
        for frame in decoder.decode(av.Packet(packet)):
            block = frame.to_ndarray()
            blocks.append(block.T if frame.format.is_planar else block.reshape(-1, 2))
    return np.concatenate(blocks).astype(np.float32)
