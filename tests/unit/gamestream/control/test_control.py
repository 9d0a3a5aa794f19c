"""The encrypted control channel: vectors of the real client, and forgeries (threat row 12)."""

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.control import (
    MAX_FAILURES_IN_A_ROW,
    ControlChannel,
    ControlCipher,
    FrameFecStatus,
    Input,
    InvalidateReferences,
    LtrAck,
    Ping,
    RequestIdr,
    Scheme,
    Side,
    StartB,
    Termination,
    decode_message,
    encode_message,
)
from punktfunk.model.feedback import (
    AdaptiveTriggers,
    HdrMetadata,
    HdrMode,
    MotionRequest,
    RgbLed,
    Rumble,
    TriggerEffect,
    TriggerRumble,
)
from punktfunk.model.input import KeyEvent, Modifiers
from punktfunk.model.pads import MotionKind

VECTORS = json.loads(
    (Path(__file__).parents[3] / "vectors/gamestream/control_messages.json").read_text()
)
KEY = bytes.fromhex(VECTORS["key"])
FROM_HOST = [vector for vector in VECTORS["messages"] if vector["from"] == "host"]
FROM_CLIENT = [vector for vector in VECTORS["messages"] if vector["from"] == "client"]

HOST_MESSAGES = {
    "rumble": Rumble(pad=1, low_frequency=0x1234, high_frequency=0xABCD),
    "trigger rumble": TriggerRumble(pad=1, left=111, right=222),
    "motion enable": MotionRequest(pad=1, kind=MotionKind.GYRO, rate_hz=100),
    "rgb led": RgbLed(pad=1, red=10, green=20, blue=30),
    "adaptive triggers": AdaptiveTriggers(
        pad=1,
        left=TriggerEffect(type=0x26, parameters=bytes(range(1, 11))),
        right=TriggerEffect(type=0x21, parameters=bytes(range(11, 21))),
    ),
    "hdr on": HdrMode(
        HdrMetadata(
            red=(35_400, 14_600),
            green=(8_500, 39_850),
            blue=(6_550, 2_300),
            white=(15_635, 16_450),
            max_luminance_nits=1_000,
            min_luminance_10000ths_nit=50,
            max_content_light_nits=800,
            max_frame_average_light_nits=400,
            max_full_frame_luminance_nits=600,
        )
    ),
    "termination graceful": Termination(),
}
CLIENT_MESSAGES = {
    "start A / IDR request": RequestIdr(),
    "start B": StartB(),
    "periodic ping": Ping(),
    "invalidate 10..12": InvalidateReferences(10, 12),
    "ltr ack": LtrAck(20),
    "input: key down A": Input(
        KeyEvent(vk=0x41, evdev=30, pressed=True, modifiers=Modifiers.SHIFT)
    ),
}
PING = bytes.fromhex("000208000400000000000000")


def scheme(vector: dict) -> Scheme:
    return Scheme.V2 if vector["scheme"].startswith("v2") else Scheme.LEGACY


def name(vector: dict) -> str:
    return f"{vector['name']} {scheme(vector).value}"


def from_client(sequence: int, plaintext: bytes = PING, used: Scheme = Scheme.V2) -> bytes:
    return ControlCipher(KEY, used).seal(plaintext, sequence, Side.CLIENT)


@pytest.mark.parametrize("vector", FROM_HOST, ids=name)
def test_host_messages_are_written_as_the_real_client_reads_them(vector: dict) -> None:
    message = HOST_MESSAGES[vector["name"]]
    cipher = ControlCipher(KEY, scheme(vector))

    plaintext = encode_message(message)

    assert plaintext.hex() == vector["plaintext"]
    assert cipher.seal(plaintext, vector["seq"], Side.HOST).hex() == vector["wire"]


@pytest.mark.parametrize("used", Scheme)
def test_the_channel_numbers_its_messages_from_zero(used: Scheme) -> None:
    channel = ControlChannel(KEY, used)
    vectors = [vector for vector in FROM_HOST if scheme(vector) is used]

    sealed = [channel.seal(HOST_MESSAGES[vector["name"]]).hex() for vector in vectors]

    assert [vector["seq"] for vector in vectors] == list(range(len(vectors)))
    assert sealed == [vector["wire"] for vector in vectors]


@pytest.mark.parametrize("vector", FROM_CLIENT, ids=name)
def test_client_messages_are_understood(vector: dict) -> None:
    channel = ControlChannel(KEY, scheme(vector))

    message = channel.receive(bytes.fromhex(vector["wire"]))

    assert message == CLIENT_MESSAGES[vector["name"]]
    assert channel.counters.accepted == 1


def test_frame_fec_status_is_big_endian() -> None:
    payload = bytes(range(1, 22))

    status = decode_message(struct.pack("<HH", 0x5502, 21) + payload)

    assert status == FrameFecStatus(
        frame_index=0x01020304,
        highest_sequence=0x0506,
        next_contiguous_sequence=0x0708,
        missing_before_highest=0x090A,
        total_data=0x0B0C,
        total_parity=0x0D0E,
        received_data=0x0F10,
        received_parity=0x1112,
        fec_percent=0x13,
        block_index=0x14,
        block_count=0x15,
    )


def test_hdr_off_has_the_same_length_and_nothing_in_it() -> None:
    assert encode_message(HdrMode()) == struct.pack("<HH", 0x010E, 27) + bytes(27)


def test_a_trigger_without_effect_is_not_flagged() -> None:
    effect = TriggerEffect(type=1, parameters=bytes(10))

    assert encode_message(AdaptiveTriggers(pad=0, right=effect))[6] == 0x04
    assert encode_message(AdaptiveTriggers(pad=0, left=effect))[6] == 0x08


def test_messages_may_come_in_any_order_but_only_once() -> None:
    channel = ControlChannel(KEY, Scheme.V2)
    order = [5, 3, 4, 0, 1, 2, 4_000]

    accepted = [channel.receive(from_client(number)) for number in order]
    again = [channel.receive(from_client(number)) for number in order]

    assert accepted == [Ping()] * len(order)
    assert again == [None] * len(order)
    assert channel.counters.replayed == len(order)


def test_a_message_too_old_to_remember_counts_as_a_replay() -> None:
    channel = ControlChannel(KEY, Scheme.V2)
    channel.receive(from_client(100_000))

    assert channel.receive(from_client(100_000 - 4_095)) == Ping()
    assert channel.receive(from_client(100_000 - 4_096)) is None


def test_a_forged_message_does_not_use_up_its_number() -> None:
    channel = ControlChannel(KEY, Scheme.V2)
    genuine = from_client(7)

    channel.receive(genuine[:-1] + bytes([genuine[-1] ^ 1]))

    assert channel.receive(genuine) == Ping()


def test_the_legacy_scheme_takes_numbers_as_they_come() -> None:
    channel = ControlChannel(KEY, Scheme.LEGACY)

    messages = [channel.receive(from_client(n, used=Scheme.LEGACY)) for n in (0, 256, 0)]

    assert messages == [Ping(), Ping(), Ping()]


@pytest.mark.parametrize("used", Scheme)
def test_a_cut_tag_or_any_cut_is_dropped(used: Scheme) -> None:
    channel = ControlChannel(KEY, used)
    whole = from_client(1, used=used)

    for size in range(len(whole)):
        cut = whole[:size]
        assert channel.receive(cut) is None
        if size >= 4:
            honest_length = cut[:2] + struct.pack("<H", size - 4) + cut[4:]
            assert channel.receive(honest_length) is None
    assert channel.counters.accepted == 0


@pytest.mark.parametrize("used", Scheme)
def test_a_changed_bit_anywhere_is_dropped(used: Scheme) -> None:
    whole = from_client(1, used=used)
    channel = ControlChannel(KEY, used)
    # In the legacy scheme the upper bytes of the number are not protected.
    open_bits = range(40, 64) if used is Scheme.LEGACY else range(0)

    for bit in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        expected = Ping() if bit in open_bits else None
        assert channel.receive(bytes(changed)) == expected, bit


def test_our_own_messages_sent_back_to_us_are_dropped() -> None:
    channel = ControlChannel(KEY, Scheme.V2)

    assert channel.receive(channel.seal(Termination())) is None
    assert channel.counters.unauthentic == 1


def test_another_scheme_or_key_is_dropped() -> None:
    channel = ControlChannel(KEY, Scheme.V2)

    assert channel.receive(from_client(0, used=Scheme.LEGACY)) is None
    other = ControlCipher(bytes(16), Scheme.V2).seal(PING, 0, Side.CLIENT)
    assert channel.receive(other) is None
    assert channel.counters.unauthentic == 2


def test_plaintext_is_dropped_and_counted() -> None:
    channel = ControlChannel(KEY, Scheme.V2)

    assert channel.receive(PING) is None
    assert channel.counters.unencrypted == 1


def test_only_bad_messages_break_the_channel() -> None:
    channel = ControlChannel(KEY, Scheme.V2)
    forged = bytearray(from_client(0))
    forged[-1] ^= 1

    for number in range(200):
        channel.receive(bytes(forged))
        channel.receive(from_client(number))
    assert not channel.broken
    for _ in range(MAX_FAILURES_IN_A_ROW - 1):
        channel.receive(bytes(forged))
    assert not channel.broken
    channel.receive(bytes(forged))

    assert channel.broken


def test_unknown_types_are_ignored_and_counted() -> None:
    channel = ControlChannel(KEY, Scheme.V2)

    assert channel.receive(from_client(0, struct.pack("<HH", 0x0201, 2) + b"ab")) is None
    assert channel.counters.unknown == 1
    assert not channel.broken


@pytest.mark.parametrize(
    "plaintext",
    [
        b"",
        b"\x02",
        b"\x02\x03\x02",
        bytes.fromhex("0203ffff0000"),
        bytes.fromhex("020300000000"),
        bytes.fromhex("02030000"),
        bytes.fromhex("070302000000"),
        bytes.fromhex("0103180000"),
        bytes.fromhex("01031700") + bytes(23),
        struct.pack("<HH6I", 0x0301, 24, 12, 0, 10, 0, 0, 0),
        bytes.fromhex("5003040014000000"),
        struct.pack("<HH", 0x5502, 20) + bytes(20),
        struct.pack("<HH", 0x0206, 0),
        struct.pack("<HH", 0x0206, 99) + bytes.fromhex("0000000a03000000004180010000"),
        struct.pack("<HH", 0x0206, 8) + bytes(8),
    ],
)
def test_an_authentic_but_malformed_message_is_dropped_and_counted(plaintext: bytes) -> None:
    channel = ControlChannel(KEY, Scheme.V2)

    assert channel.receive(from_client(0, plaintext)) is None
    assert channel.counters.malformed == 1
    assert channel.receive(from_client(1)) == Ping()


def test_a_new_message_proves_its_sender_and_is_still_new_afterwards() -> None:
    channel = ControlChannel(KEY, Scheme.V2)
    payload = from_client(3)

    assert channel.proves_sender(payload)
    assert channel.receive(payload) == Ping()
    assert not channel.proves_sender(payload), "a replay proves nothing"


def test_a_stranger_proves_nothing_and_wears_nothing_out() -> None:
    channel = ControlChannel(KEY, Scheme.V2)
    forged = from_client(3)[:-1] + b"\0"

    for payload in (forged, b"", PING, bytes(2_000), channel.seal(Termination())):
        assert not any(channel.proves_sender(payload) for _ in range(100))

    assert not channel.broken
    assert channel.counters == ControlChannel(KEY, Scheme.V2).counters


def test_the_legacy_scheme_never_proves_where_a_client_is() -> None:
    channel = ControlChannel(KEY, Scheme.LEGACY)

    assert not channel.proves_sender(from_client(0, used=Scheme.LEGACY))


def test_the_key_is_in_no_repr_and_no_error() -> None:
    channel = ControlChannel(KEY, Scheme.V2)
    cipher = ControlCipher(KEY, Scheme.V2)

    with pytest.raises(ProtocolError) as caught:
        cipher.open(from_client(0)[:-1] + b"\0", Side.CLIENT)

    shown = f"{channel!r} {cipher!r} {vars(channel)!r} {caught.value!r} {caught.value.fields}"
    assert KEY.hex() not in shown
    assert repr(KEY)[2:-1] not in shown


@settings(max_examples=300)
@given(payload=st.binary(max_size=200), used=st.sampled_from(Scheme))
def test_no_bytes_from_the_network_raise_or_mean_anything(payload: bytes, used: Scheme) -> None:
    channel = ControlChannel(KEY, used)

    assert channel.receive(payload) is None
    assert not channel.proves_sender(payload)


@settings(max_examples=300)
@given(
    kind=st.sampled_from([0x0200, 0x0206, 0x0301, 0x0302, 0x0307, 0x0350, 0x5502, 0x0001, 0xFFFF]),
    body=st.binary(max_size=64),
    length_error=st.sampled_from([0, 0, 0, 1, -1, 1_000]),
)
def test_no_authentic_message_raises(kind: int, body: bytes, length_error: int) -> None:
    channel = ControlChannel(KEY, Scheme.V2)
    length = max(len(body) + length_error, 0)

    channel.receive(from_client(0, struct.pack("<HH", kind, length) + body))

    counters = channel.counters
    assert counters.accepted + counters.malformed + counters.unknown == 1
