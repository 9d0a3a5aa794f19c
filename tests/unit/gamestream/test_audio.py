"""Sound on the wire, and whether each channel comes out of the right speaker."""

import json
from pathlib import Path

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
from punktfunk.model.audio import LAYOUTS, OpusParams
from punktfunk.wire.gf256 import invert_matrix, multiply_matrices

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "gamestream" / "audio_packets.json").read_text()
)
KEY = bytes.fromhex(VECTORS["rikey"])
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


def mapping_in_the_client(entry: OpusLayout) -> tuple[int, ...]:
    """Model of the client: it moves the last digit of a normal layout to position 3."""
    channels, streams, coupled, *digits = (int(digit) for digit in surround_params(entry))
    assert (channels, streams, coupled) == (entry.layout.channels, entry.streams, entry.coupled)
    if not entry.high_quality:
        digits.insert(3, digits.pop())
    return tuple(digits)
