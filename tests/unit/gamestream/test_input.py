"""Input packets, as the real client sends them and as nobody should (threat row 8)."""

import json
import math
import struct
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.input import decode_input
from punktfunk.model.input import (
    BatteryState,
    ButtonEvent,
    ContactKind,
    EnableHaptics,
    KeyEvent,
    Modifiers,
    MotionKind,
    PadArrival,
    PadBattery,
    PadButtons,
    PadCapabilities,
    PadMotion,
    PadRemoved,
    PadState,
    PadTouch,
    PadType,
    PenButtons,
    PenEvent,
    PenTool,
    PointerButton,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    TextEvent,
    TouchEvent,
)

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors/gamestream/input_packets.json").read_text()
)["packets"]
PACKETS = [bytes.fromhex(vector["bytes"]) for vector in VECTORS]


def f32(value: float) -> float:
    return struct.unpack("<f", struct.pack("<f", value))[0]


PS_BUTTONS = PadButtons(0x0010F4FF)
EXPECTED = [
    EnableHaptics(),
    PointerMotion(1, 1),
    PointerMotion(-1, -1),
    KeyEvent(vk=0x41, evdev=30, pressed=True, modifiers=Modifiers.SHIFT),
    KeyEvent(vk=0x41, evdev=30, pressed=False, us_layout=False),
    PointerMotion(-5, 300),
    PointerPosition(100 / 1279, 200 / 719),
    ButtonEvent(PointerButton.RIGHT, True),
    ButtonEvent(PointerButton.RIGHT, False),
    ScrollEvent(vertical_120ths=-120),
    ScrollEvent(horizontal_120ths=60),
    PadArrival(
        pad=1, type=PadType.PLAYSTATION, capabilities=PadCapabilities(0x1FF), buttons=PS_BUTTONS
    ),
    PadState(pad=1),
    PadState(
        pad=1,
        buttons=PadButtons.A | PadButtons.PADDLE1 | PadButtons.TOUCHPAD,
        left_trigger=0x80,
        right_trigger=0xFF,
        left_x=1000,
        left_y=-1000,
        right_x=32767,
        right_y=-32768,
    ),
    PadTouch(pad=1, kind=ContactKind.DOWN, touchpad=1, pointer_id=7, x=0.25, y=0.5, pressure=1.0),
    PadMotion(pad=1, kind=MotionKind.GYRO, x=1.5, y=-2.5, z=3.0),
    PadBattery(pad=1, state=BatteryState.CHARGING, percent=77),
    TouchEvent(
        kind=ContactKind.DOWN,
        pointer_id=3,
        x=f32(0.1),
        y=f32(0.2),
        pressure=f32(0.3),
        contact_major=f32(0.01),
        contact_minor=f32(0.02),
        rotation_deg=45,
    ),
    PenEvent(
        kind=ContactKind.HOVER,
        tool=PenTool.PEN,
        buttons=PenButtons.PRIMARY,
        x=f32(0.6),
        y=f32(0.7),
        distance=f32(0.8),
        tilt_deg=30,
    ),
    TextEvent("a"),
    TextEvent("é"),
    TextEvent("€"),
]


def packet(magic: int, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 4) + struct.pack("<I", magic) + body


def pad_state(pad: int, mask: int, version: int = 0x1A, middle: int = 0x14) -> bytes:
    return packet(
        0x0C,
        struct.pack(
            "<HHHHHBBhhhhHHH", version, pad, mask, middle, 0, 0, 0, 0, 0, 0, 0, 0x9C, 0, 0x55
        ),
    )


@pytest.mark.parametrize(
    ("vector", "expected"),
    list(zip(VECTORS, EXPECTED, strict=True)),
    ids=[f"{number}-{vector['kind']}" for number, vector in enumerate(VECTORS)],
)
def test_the_clients_packets_mean_what_it_meant(vector: dict, expected: object) -> None:
    assert decode_input(bytes.fromhex(vector["bytes"])) == expected


@pytest.mark.parametrize("whole", PACKETS, ids=lambda data: data.hex()[8:16])
def test_a_packet_cut_off_or_padded_is_refused(whole: bytes) -> None:
    for size in range(len(whole)):
        with pytest.raises(ProtocolError):
            decode_input(whole[:size])
    with pytest.raises(ProtocolError):
        decode_input(whole + b"\0")


@pytest.mark.parametrize("whole", PACKETS[:-3], ids=lambda data: data.hex()[8:16])
def test_a_packet_whose_size_field_agrees_but_whose_kind_has_another_is_refused(
    whole: bytes,
) -> None:
    magic = int.from_bytes(whole[4:8], "little")

    for body in (whole[8:] + b"\0", whole[8:-1], b""):
        with pytest.raises(ProtocolError):
            decode_input(packet(magic, body))


@pytest.mark.parametrize("size", [0, 1, 3, 4, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_size_field_that_lies_is_refused(size: int) -> None:
    with pytest.raises(ProtocolError):
        decode_input(struct.pack(">I", size) + PACKETS[3][4:])


def test_an_unknown_magic_is_refused() -> None:
    with pytest.raises(ProtocolError):
        decode_input(packet(0x55000008, bytes(4)))


@pytest.mark.parametrize("pad", [16, 255])
def test_pads_beyond_the_sixteenth_are_refused(pad: int) -> None:
    packets = [
        pad_state(pad, 0xFFFF),
        packet(0x55000004, struct.pack("<BBHI", pad, 1, 0, 0)),
        packet(0x55000005, struct.pack("<BBBBIfff", pad, 1, 0, 0, 0, 0, 0, 0)),
        packet(0x55000006, struct.pack("<BBHfff", pad, 1, 0, 0, 0, 0)),
        packet(0x55000007, bytes([pad, 1, 50, 0])),
    ]

    for data in packets:
        with pytest.raises(ProtocolError):
            decode_input(data)


@pytest.mark.parametrize(("version", "middle"), [(0x1B, 0x14), (0x1A, 0x15), (0, 0)])
def test_a_pad_state_of_another_version_is_refused(version: int, middle: int) -> None:
    with pytest.raises(ProtocolError):
        decode_input(pad_state(0, 1, version, middle))


def test_a_pad_whose_own_bit_is_gone_is_removed() -> None:
    assert decode_input(pad_state(3, 0b0111)) == PadRemoved(3)
    assert decode_input(pad_state(3, 0b1000)) == PadState(pad=3)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(value: float) -> None:
    packets = [
        packet(0x55000002, struct.pack("<BBHIfffff", 1, 0, 0, 0, *(values)))
        for values in _one_bad(value, 5)
    ]
    packets += [
        packet(0x55000003, struct.pack("<BBBBfffHBBff", 1, 1, 0, 0, *v[:3], 0, 0, 0, *v[3:]))
        for v in _one_bad(value, 5)
    ]
    packets += [
        packet(0x55000005, struct.pack("<BBBBIfff", 0, 1, 0, 0, 0, *values))
        for values in _one_bad(value, 3)
    ]
    packets += [
        packet(0x55000006, struct.pack("<BBHfff", 0, 1, 0, *values))
        for values in _one_bad(value, 3)
    ]

    for data in packets:
        with pytest.raises(ProtocolError):
            decode_input(data)


def _one_bad(value: float, count: int) -> list[list[float]]:
    return [[value if i == bad else 0.5 for i in range(count)] for bad in range(count)]


def test_positions_outside_the_picture_are_brought_to_its_edge() -> None:
    touch = decode_input(packet(0x55000002, struct.pack("<BBHIfffff", 3, 0, 0, 0, -5, 7, 2, 9, -1)))
    pointer = decode_input(packet(0x05, struct.pack(">hhhhh", -20, 3_000, 0, 1279, 719)))

    assert (touch.x, touch.y, touch.pressure) == (0.0, 1.0, 1.0)
    assert (touch.contact_major, touch.contact_minor) == (1.0, 0.0)
    assert pointer == PointerPosition(0.0, 1.0)


@pytest.mark.parametrize(("right", "bottom"), [(0, 719), (1279, 0), (-1, 719), (0, 0)])
def test_a_position_in_an_area_of_no_size_is_refused(right: int, bottom: int) -> None:
    with pytest.raises(ProtocolError):
        decode_input(packet(0x05, struct.pack(">hhhhh", 1, 1, 0, right, bottom)))


@pytest.mark.parametrize(
    "data", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xe2\x82", b"a\0", b"a" * 33, b"a" * 129]
)
def test_text_that_is_not_text_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_input(packet(0x17, data))


def test_typed_text_stays_out_of_logs() -> None:
    event = decode_input(packet(0x17, b"hunter2"))

    assert event == TextEvent("hunter2")
    assert "hunter2" not in repr(event)


@pytest.mark.parametrize("button", [0, 6, 255])
def test_an_unknown_pointer_button_is_refused(button: int) -> None:
    with pytest.raises(ProtocolError):
        decode_input(packet(0x08, bytes([button])))


@pytest.mark.parametrize("event", [8, 255])
def test_an_unknown_touch_event_is_refused(event: int) -> None:
    with pytest.raises(ProtocolError):
        decode_input(packet(0x55000002, bytes([event]) + bytes(27)))


def test_what_newer_clients_may_add_is_kept_out_but_does_not_hurt() -> None:
    arrival = decode_input(packet(0x55000004, struct.pack("<BBHI", 0, 9, 0xFFFF, 0xFFFFFFFF)))
    battery = decode_input(packet(0x55000007, bytes([0, 77, 255, 0])))

    assert arrival.type is PadType.UNKNOWN
    assert arrival.capabilities == PadCapabilities(0x1FF)
    assert arrival.buttons == PadButtons(0x3FF7FF)
    assert battery == PadBattery(pad=0, state=BatteryState.UNKNOWN, percent=None)


_MAGICS = sorted({int.from_bytes(data[4:8], "little") for data in PACKETS})


@settings(max_examples=500)
@given(
    st.one_of(
        st.binary(max_size=64),
        st.builds(packet, st.sampled_from(_MAGICS), st.binary(max_size=40)),
        st.builds(
            lambda whole, at, value: (
                whole[: 8 + at % (len(whole) - 8)]
                + bytes([value])
                + whole[9 + at % (len(whole) - 8) :]
            ),
            st.sampled_from(PACKETS),
            st.integers(0, 60),
            st.integers(0, 255),
        ),
    )
)
def test_any_bytes_are_an_event_within_bounds_or_refused(data: bytes) -> None:
    try:
        event = decode_input(data)
    except ProtocolError:
        return

    values = attrs.asdict(event)
    assert 0 <= values.get("pad", 0) < 16
    for name in ("x", "y", "z", "pressure", "distance", "contact_major", "contact_minor"):
        value = values.get(name, 0.0)
        assert math.isfinite(value)
        assert isinstance(event, PadMotion) or 0.0 <= value <= 1.0
