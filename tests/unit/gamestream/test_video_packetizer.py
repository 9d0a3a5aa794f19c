import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.video import (
    MAX_DATA_PACKETS,
    FrameType,
    VideoPacketizer,
    VideoPosition,
    frame_header,
    rtp_timestamp,
)
from punktfunk.gamestream.video.packetizer import BATCHES_IN_FLIGHT

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "gamestream" / "video_packets.json").read_text()
)
KEY = bytes(range(16))


def datagrams(batch):
    size = batch.packet_bytes
    return [bytes(batch.data[at : at + size]) for at in range(0, len(batch.data), size)]


def packetize(packetizer, frame, **options):
    options = {"frame_type": FrameType.NORMAL, "timestamp_90k": 1_500, **options}
    return datagrams(packetizer.packetize(frame, **options))


def make_frame(length, seed=1):
    return bytes((i * 7 + i // 251 + seed) & 0xFF for i in range(length))


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda c: c["name"].split(",")[0])
def test_datagrams_are_those_of_the_vectors(case):
    position = VideoPosition(sequence=case["first_seq"], frame_index=case["frame_index"])
    packetizer = VideoPacketizer(
        case["packetSize"], case["fec_percent_setting"], case["min_fec_packets"], None, position
    )

    sent = packetize(
        packetizer,
        bytes.fromhex(case["frame"]),
        frame_type=FrameType(case["frame_type"]),
        timestamp_90k=case["timestamp_90k"],
        latency_tenths_ms=case["latency_tenths_ms"],
    )

    assert [datagram.hex() for datagram in sent] == [p["datagram"] for p in case["packets"]]
    assert packetizer.position.sequence == case["next_seq"]


@pytest.mark.parametrize("case", VECTORS["gcm"]["cases"], ids=lambda c: str(c["counter"]))
def test_encrypted_datagrams_are_those_of_the_vectors(case):
    frame = next(c for c in VECTORS["cases"] if c["packetSize"] == 80 and c["frame_index"] == 1)
    position = VideoPosition(gcm_counter=case["counter"])
    key = bytes.fromhex(VECTORS["gcm"]["key"])
    packetizer = VideoPacketizer(80, 20, 2, key, position)

    sent = packetize(
        packetizer, bytes.fromhex(frame["frame"]), frame_type=FrameType.IDR, timestamp_90k=3_000
    )

    assert sent[0].hex() == case["encrypted_datagram"]


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.data(),
    st.sampled_from([64, 80, 96, 1_024]),
    st.lists(st.integers(1, 30_000), min_size=1, max_size=4),
    st.sampled_from([1, 20, 50, 255]),
    st.sampled_from([0, 2, 5]),
    st.sampled_from([None, KEY]),
)
def test_any_loss_up_to_the_parity_gives_the_same_frames(
    video_receiver, data, packet_size, lengths, percent, minimum, key
):
    packetizer = VideoPacketizer(packet_size, percent, minimum, key)
    receiver = video_receiver(packet_size, key)

    for number, length in enumerate(lengths, start=1):
        frame = make_frame(length, number)
        sent = packetize(packetizer, frame, timestamp_90k=number, latency_tenths_ms=25)
        arrived = _lose(data, sent, packet_size, key)

        assert receiver.frame(arrived) == (number, FrameType.NORMAL, number, 25, frame)


def _lose(data, sent, packet_size, key):
    """Drop up to as many packets of each block as it has parity."""
    places = {}
    for place, datagram in enumerate(sent):
        plain = datagram
        if key:
            plain = AESGCM(key).decrypt(datagram[:12], datagram[32:] + datagram[16:32], None)
        info = int.from_bytes(plain[28:32], "little")
        places.setdefault(plain[27], (info, []))[1].append(place)
    lost = set()
    for info, members in places.values():
        parity = len(members) - (info >> 22)
        lost |= set(data.draw(st.permutations(members))[: data.draw(st.integers(0, parity))])
    return [datagram for place, datagram in enumerate(sent) if place not in lost]


@pytest.mark.parametrize("packets", [848, 849, 1_020, 1_021, MAX_DATA_PACKETS])
def test_huge_frames_arrive_whole(video_receiver, packets):
    frame = make_frame(packets * 48 - 8)
    batch = VideoPacketizer(64, 20, 2, None).packetize(
        frame, frame_type=FrameType.IDR, timestamp_90k=7
    )

    sent = datagrams(batch)

    assert batch.data_packets == packets
    assert batch.packets == len(sent)
    assert video_receiver(64).frame(sent)[4] == frame


def test_a_frame_no_client_can_take_uses_up_no_number():
    packetizer = VideoPacketizer(64, 20, 2, KEY)
    packetize(packetizer, b"first")
    before = packetizer.position

    batch = packetizer.packetize(
        bytes(MAX_DATA_PACKETS * 48 - 7), frame_type=FrameType.NORMAL, timestamp_90k=9
    )

    assert batch is None
    assert packetizer.position == before


def test_numbers_start_where_clients_expect_them_and_run_on(video_receiver):
    packetizer = VideoPacketizer(64, 20, 2, KEY)

    first = packetizer.packetize(b"a", frame_type=FrameType.IDR, timestamp_90k=1)
    plain = AESGCM(KEY).decrypt(
        bytes(first.data[:12]), bytes(first.data[32 : first.packet_bytes]) + first.data[16:32], None
    )

    assert (plain[2:4], plain[20:24]) == (b"\0\0", b"\1\0\0\0")
    assert packetizer.position == VideoPosition(sequence=3, frame_index=2, gcm_counter=3)


def test_a_second_packetizer_goes_on_where_the_first_stopped(video_receiver):
    first = VideoPacketizer(64, 20, 2, KEY)
    receiver = video_receiver(64, KEY)
    receiver.frame(packetize(first, make_frame(900)))

    second = VideoPacketizer(64, 50, 2, KEY, first.position)

    assert receiver.frame(packetize(second, b"next"))[0] == 2


def test_sequence_and_stream_index_wrap_inside_a_frame(video_receiver):
    position = VideoPosition(sequence=2**24 - 5, frame_index=2**32 - 1)
    packetizer = VideoPacketizer(64, 20, 0, None, position)
    receiver = video_receiver(64)

    frame = receiver.frame(packetize(packetizer, make_frame(900)))

    assert frame[4] == make_frame(900)
    assert receiver.stream_index < 100


@pytest.mark.parametrize("key", [None, KEY], ids=["clear", "encrypted"])
def test_a_batch_stays_as_it_is_while_three_more_are_made(key):
    packetizer = VideoPacketizer(64, 20, 2, key)
    batch = packetizer.packetize(make_frame(500), frame_type=FrameType.IDR, timestamp_90k=1)
    kept = bytes(batch.data)

    for _ in range(3):
        packetize(packetizer, make_frame(500, 9))

    assert BATCHES_IN_FLIGHT == 3
    assert bytes(batch.data) == kept


@pytest.mark.parametrize("key", [None, KEY], ids=["clear", "encrypted"])
def test_memory_grows_with_the_frames_and_batches_survive_it(video_receiver, key):
    packetizer = VideoPacketizer(64, 0, 0, key)
    receiver = video_receiver(64, key)
    frames = [make_frame(48 * packets - 8) for packets in (255, 256, 257, 511, 512, 513)]
    held = []

    for frame in [frame for frame in frames for _ in range(BATCHES_IN_FLIGHT + 1)]:
        held.append(
            (frame, packetizer.packetize(frame, frame_type=FrameType.NORMAL, timestamp_90k=1))
        )
        if len(held) > BATCHES_IN_FLIGHT:
            oldest, batch = held.pop(0)
            assert receiver.frame(datagrams(batch))[4] == oldest


def test_what_a_larger_frame_left_in_memory_never_reaches_a_smaller_one(video_receiver):
    packetizer = VideoPacketizer(64, 255, 2, None)
    receiver = video_receiver(64)

    for length in (9_000, 41, 3_000, 1) * (BATCHES_IN_FLIGHT + 1):
        sent = packetize(packetizer, b"\xff" * length)
        assert receiver.frame(sent)[4] == b"\xff" * length
        again = VideoPacketizer(
            64,
            255,
            2,
            None,
            VideoPosition(
                sequence=packetizer.position.sequence - len(sent),
                frame_index=packetizer.position.frame_index - 1,
            ),
        )
        assert packetize(again, b"\xff" * length) == sent


def test_the_percentage_may_change_between_frames(video_receiver):
    packetizer = VideoPacketizer(64, 0, 0, None)
    plain = packetize(packetizer, make_frame(40 * 48 - 8))
    packetizer.fec_percent = 50

    protected = packetize(packetizer, make_frame(40 * 48 - 8))

    assert (len(plain), len(protected)) == (40, 60)


def test_the_long_term_flag_is_on_every_data_packet(video_receiver):
    packetizer = VideoPacketizer(64, 0, 0, None)

    sent = packetize(packetizer, make_frame(200), long_term_reference=True)

    assert {datagram[25] for datagram in sent} == {1}


def test_a_timestamp_of_zero_is_never_sent():
    sent = packetize(VideoPacketizer(64, 0, 0, None), b"x", timestamp_90k=0)

    assert int.from_bytes(sent[0][4:8], "big") == 1
    assert rtp_timestamp(0) == 1
    assert rtp_timestamp(1_000_000_000) == 90_000
    assert rtp_timestamp(2**32 * 100_000 // 9) in (1, 2**32 - 1)


def test_the_latency_field_does_not_overflow():
    header = frame_header(100, 48, FrameType.NORMAL, 1_000_000)

    assert header == bytes([1, 0xFF, 0xFF, 1, 108 % 48, 0, 0, 0])


@pytest.mark.parametrize("packet_size", [0, 16, 48, 72, 1_025, 1_440, 65_536, -64])
def test_a_packet_size_that_cannot_work_is_refused(packet_size):
    with pytest.raises(ProtocolError):
        VideoPacketizer(packet_size, 20, 2, None)


@pytest.mark.parametrize(
    ("percent", "minimum", "key"), [(-1, 0, None), (256, 0, None), (20, -1, None), (20, 2, b"x")]
)
def test_values_out_of_range_are_refused(percent, minimum, key):
    with pytest.raises(ProtocolError):
        VideoPacketizer(64, percent, minimum, key)


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_any_bytes_like_frame_is_taken_and_left_alone(wrap, video_receiver):
    original = make_frame(700)
    frame = wrap(original)

    sent = packetize(VideoPacketizer(64, 20, 2, None), frame)

    assert video_receiver(64).frame(sent)[4] == original
    assert bytes(frame) == original
