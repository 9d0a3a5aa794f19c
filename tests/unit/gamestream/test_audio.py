"""Sound on the wire, and whether each channel comes out of the right speaker."""

import json
from pathlib import Path

import attrs
import av
import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from punktfunk.errors import DriverFailed
from punktfunk.gamestream.audio import (
    MAX_DATAGRAM_BYTES,
    MAX_OPUS_BYTES,
    OPUS_LAYOUTS,
    PARITY_ROWS,
    AudioPacketizer,
    OpusLayout,
    opus_bitrate_kbps,
    opus_layout,
    surround_params,
)
from punktfunk.model.audio import LAYOUTS, SAMPLE_RATE_HZ, OpusParams
from punktfunk.wire.gf256 import invert_matrix, multiply_matrices

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "gamestream" / "audio_packets.json").read_text()
)
KEY = bytes.fromhex(VECTORS["rikey"])
VORBIS_ORDER = {6: (0, 2, 1, 4, 5, 3), 8: (0, 2, 1, 6, 7, 4, 5, 3)}
SURROUND = [entry for entry in OPUS_LAYOUTS.values() if entry.layout.channels > 2]


def run(packetizer: AudioPacketizer, packets: list[bytes]) -> list[bytes]:
    return [datagram for packet in packets for datagram in packetizer.packetize(packet)]


def test_an_encrypted_block_across_the_wrap_equals_the_recorded_one():
    recorded = VECTORS["encrypted_block"]
    packetizer = AudioPacketizer(
        5, KEY, VECTORS["rikeyid"], first_sequence=65_532, first_timestamp_ms=1_000
    )

    sent = run(packetizer, [bytes.fromhex(packet["opus"]) for packet in recorded["data_packets"]])

    assert [datagram.hex() for datagram in sent] == [
        *(packet["datagram"] for packet in recorded["data_packets"]),
        *recorded["fec_packets"],
    ]


def test_a_plain_block_equals_the_recorded_one():
    recorded = VECTORS["plain_block"]
    packetizer = AudioPacketizer(
        5, first_sequence=recorded["base_seq"], first_timestamp_ms=recorded["base_timestamp"]
    )

    sent = run(packetizer, [bytes.fromhex(packet) for packet in recorded["opus"]])

    assert [datagram.hex() for datagram in sent] == [
        *recorded["data_packets"],
        *recorded["fec_packets"],
    ]


@pytest.mark.parametrize("packet_ms", [5, 10])
def test_numbers_start_at_zero_and_timestamps_count_milliseconds(packet_ms):
    sent = run(AudioPacketizer(packet_ms), [bytes([n]) * 40 for n in range(6)])

    data = [datagram for datagram in sent if datagram[1] == 97]
    parity = [datagram for datagram in sent if datagram[1] == 127]
    assert [int.from_bytes(datagram[2:4], "big") for datagram in data] == list(range(6))
    assert [int.from_bytes(datagram[4:8], "big") for datagram in data] == [
        number * packet_ms for number in range(6)
    ]
    assert [sent.index(datagram) for datagram in parity] == [4, 5]


def test_sequence_numbers_wrap_and_the_next_block_begins_at_zero():
    packetizer = AudioPacketizer(5, first_sequence=65_532, first_timestamp_ms=2**32 - 20)

    sent = run(packetizer, [bytes(40)] * 5)

    assert sent[-1][:8] == bytes([0x80, 97]) + bytes(6)


@settings(max_examples=25)
@given(
    lost=st.sets(st.integers(0, 5), min_size=2, max_size=2),
    packets=st.lists(st.binary(min_size=24, max_size=24), min_size=4, max_size=4),
)
def test_any_two_lost_packets_of_a_block_are_rebuilt(lost, packets):
    sent = run(AudioPacketizer(5, KEY, -2), packets)
    shards = [datagram[12:] for datagram in sent[:4]] + [datagram[24:] for datagram in sent[4:]]
    rows = np.vstack([np.eye(4, dtype=np.uint8), PARITY_ROWS])
    kept = [index for index in range(6) if index not in lost]
    received = np.array([list(shards[index]) for index in kept], dtype=np.uint8)

    rebuilt = multiply_matrices(invert_matrix(rows[kept]), received)

    assert [row.tobytes() for row in rebuilt] == shards[:4]


@pytest.mark.parametrize("rikeyid", [-2, 2**32 - 2])
def test_a_key_number_is_the_same_signed_or_not_and_wraps(rikeyid):
    sent = run(AudioPacketizer(5, KEY, rikeyid), [b"p" * 20] * 3)

    iv = (0).to_bytes(4, "big") + bytes(12)  # 2**32 - 2 + sequence 2
    decryptor = Cipher(algorithms.AES(KEY), modes.CBC(iv)).decryptor()
    assert decryptor.update(sent[2][12:]) + decryptor.finalize() == b"p" * 20 + b"\x0c" * 12


def test_a_packet_of_another_length_is_refused_and_uses_no_number_up():
    packetizer = AudioPacketizer(5)
    packetizer.packetize(bytes(40))

    for wrong in (bytes(41), b"", bytes(MAX_OPUS_BYTES + 1)):
        with pytest.raises(DriverFailed):
            packetizer.packetize(wrong)

    assert packetizer.packetize(bytes(40))[0][2:4] == b"\x00\x01"


@pytest.mark.parametrize("key", [None, KEY])
def test_the_longest_packet_and_its_parity_fit_a_datagram(key):
    sent = run(AudioPacketizer(10, key), [bytes(MAX_OPUS_BYTES)] * 4)

    assert max(len(datagram) for datagram in sent) <= MAX_DATAGRAM_BYTES


@pytest.mark.parametrize("channels", LAYOUTS)
@pytest.mark.parametrize("high_quality", [False, True])
@pytest.mark.parametrize("packet_ms", [5, 10])
def test_every_layouts_rate_makes_packets_that_fit(channels, high_quality, packet_ms):
    params = OpusParams(layout=LAYOUTS[channels], high_quality=high_quality, packet_ms=packet_ms)

    assert opus_bitrate_kbps(params) * packet_ms // 8 <= MAX_OPUS_BYTES
    assert opus_bitrate_kbps(params) <= opus_layout(params).bitrate_kbps


def test_the_lines_of_describe_are_these():
    assert [surround_params(entry) for entry in OPUS_LAYOUTS.values()] == [
        "21101",
        "21101",
        "642014235",
        "660012345",
        "85301645237",
        "88001234567",
    ]


@pytest.mark.parametrize("entry", SURROUND, ids=surround_params)
def test_the_client_ends_up_with_the_encoders_mapping(entry):
    assert mapping_in_the_client(entry) == entry.mapping


@pytest.mark.parametrize("entry", SURROUND, ids=surround_params)
def test_libopus_makes_the_streams_the_table_promises(entry):
    head = encoder(entry).extradata

    assert head[9] == entry.layout.channels
    assert (head[19], head[20]) == (entry.streams, entry.coupled)
    if entry.coupled:  # then the header lists the channels in Vorbis' order
        order = VORBIS_ORDER[entry.layout.channels]
        assert tuple(head[21:]) == tuple(entry.mapping[channel] for channel in order)


@pytest.mark.parametrize("entry", SURROUND, ids=surround_params)
def test_a_tone_on_each_channel_comes_out_of_that_channel_alone(entry):
    decoded = decode_as_client(entry, encode(entry, tones(entry.layout.channels)))

    loudest = [strongest_tone(channel, entry.layout.channels) for channel in decoded]
    assert loudest == list(range(entry.layout.channels))


def test_the_plain_order_would_have_sent_sound_to_the_wrong_speaker():
    entry = OPUS_LAYOUTS[6, False]

    decoded = decode(entry, encode(entry, tones(6)), (0, 1, 2, 3, 4, 5))

    assert [strongest_tone(channel, 6) for channel in decoded] == [0, 1, 4, 5, 2, 3]


def test_mapping_family_1_would_have_silenced_the_lfe():
    entry = attrs.evolve(OPUS_LAYOUTS[8, False], mapping_family=1)

    decoded = decode_as_client(entry, encode(entry, tones(8)))

    assert np.abs(decoded[3, SAMPLE_RATE_HZ // 10 :]).max() < 1_000


def mapping_in_the_client(entry: OpusLayout) -> tuple[int, ...]:
    """Model of the client: it moves the last digit of a normal layout to position 3."""
    channels, streams, coupled, *digits = (int(digit) for digit in surround_params(entry))
    assert (channels, streams, coupled) == (entry.layout.channels, entry.streams, entry.coupled)
    if not entry.high_quality:
        digits.insert(3, digits.pop())
    return tuple(digits)


def encoder(entry: OpusLayout) -> av.AudioCodecContext:
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate = SAMPLE_RATE_HZ
    codec.layout = {2: "stereo", 6: "5.1", 8: "7.1"}[entry.layout.channels]
    codec.format = "flt"
    codec.bit_rate = entry.bitrate_kbps * 1_000
    codec.options = {
        "vbr": "off",
        "frame_duration": "5",
        "application": "lowdelay",
        "mapping_family": str(entry.mapping_family),
    }
    codec.open()
    return codec


def tone_hz(channel: int) -> int:
    # The LFE gets a low tone, as its stream may keep nothing else; the others lie well apart.
    return 80 if channel == 3 else 400 + 200 * channel


def tones(channels: int) -> np.ndarray:
    seconds = np.arange(SAMPLE_RATE_HZ // 2) / SAMPLE_RATE_HZ
    return np.stack(
        [0.5 * np.sin(2 * np.pi * tone_hz(channel) * seconds) for channel in range(channels)]
    ).astype(np.float32)


def encode(entry: OpusLayout, samples: np.ndarray) -> list[bytes]:
    codec = encoder(entry)
    packets = []
    for start in range(0, samples.shape[1], codec.frame_size):
        part = samples[:, start : start + codec.frame_size]
        interleaved = np.ascontiguousarray(part.T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(interleaved, "flt", codec.layout.name)
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts = start
        packets += [bytes(packet) for packet in codec.encode(frame)]
    assert len({len(packet) for packet in packets}) == 1
    return packets


def decode_as_client(entry: OpusLayout, packets: list[bytes]) -> np.ndarray:
    return decode(entry, packets, mapping_in_the_client(entry))


def decode(entry: OpusLayout, packets: list[bytes], mapping: tuple[int, ...]) -> np.ndarray:
    """Decode with the given mapping, which an Opus header lists in Vorbis' channel order."""
    channels = entry.layout.channels
    head = b"OpusHead" + bytes([1, channels, 0, 0]) + SAMPLE_RATE_HZ.to_bytes(4, "little")
    vorbis_mapping = [mapping[channel] for channel in VORBIS_ORDER[channels]]
    head += bytes([0, 0, 1, entry.streams, entry.coupled, *vorbis_mapping])
    codec = av.CodecContext.create("libopus", "r")
    codec.sample_rate = SAMPLE_RATE_HZ
    codec.layout = {6: "5.1", 8: "7.1"}[channels]
    codec.extradata = head
    frames = [frame for packet in packets for frame in codec.decode(av.Packet(packet))]
    assert all(not frame.format.is_planar for frame in frames)
    parts = []
    for frame in frames:
        samples = np.frombuffer(bytes(frame.planes[0]), dtype=np.int16)
        parts.append(samples[: frame.samples * channels].reshape(-1, channels).T)
    return np.concatenate(parts, axis=1)


def strongest_tone(samples: np.ndarray, channels: int) -> int:
    settled = samples[SAMPLE_RATE_HZ // 10 :]
    spectrum = np.abs(np.fft.rfft(settled * np.hanning(len(settled))))
    hz_per_bin = SAMPLE_RATE_HZ / len(settled)
    bins = [round(tone_hz(channel) / hz_per_bin) for channel in range(channels)]
    levels = [float(spectrum[at - 2 : at + 3].max()) for at in bins]
    first, second = sorted(levels, reverse=True)[:2]
    assert first > 10 * second
    assert np.abs(settled).max() > 10_000
    return levels.index(first)
