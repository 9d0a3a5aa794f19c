"""A DualSense's reports, byte by byte."""

import pytest
from punktfunk_gamepad_uinput.dualsense import DESCRIPTOR, DualSense
from punktfunk_gamepad_uinput.held import Held

from punktfunk.plugin import (
    AdaptiveTriggers,
    BatteryState,
    ContactKind,
    MotionKind,
    PadBattery,
    PadButtons,
    PadMotion,
    PadState,
    PadTouch,
    RgbLed,
    Rumble,
    TriggerEffect,
)

ADDRESS = bytes.fromhex("021122334455")


@pytest.fixture
def pad() -> DualSense:
    return DualSense(2, ADDRESS)


def report(pad: DualSense, *events: object) -> bytes:
    held = Held(PadState(pad=2))
    for event in events:
        held.apply(event)
    return pad.report(held, 1_000)


def output(**at: int) -> bytes:
    """An output report; `b3=7` puts 7 at byte 3."""
    data = bytearray(48)
    data[0] = 0x02
    for place, value in at.items():
        data[int(place[1:])] = value
    return bytes(data)


def test_a_pad_on_the_table(pad) -> None:
    assert report(pad).hex() == (
        "01" "80808080" "0000" "01" "08000000" "00000000"
        "000000000000" "000000200000" "03000000" "00"
        "80000000" "80000000" + "00" * 12 + "0a" + "00" * 10
    )  # fmt: skip


def test_everything_at_once(pad) -> None:
    touch = PadTouch(
        pad=2, kind=ContactKind.DOWN, touchpad=0, pointer_id=9, x=1.0, y=0.5, pressure=1.0
    )
    state = PadState(
        pad=2,
        buttons=PadButtons(sum(PadButtons)) & ~(PadButtons.LEFT | PadButtons.DOWN),
        left_trigger=1,
        right_trigger=255,
        left_x=-32_768,
        left_y=32_767,
        right_x=32_767,
        right_y=-32_768,
    )
    gyro = PadMotion(pad=2, kind=MotionKind.GYRO, x=1.0, y=-1.0, z=10_000.0)
    pull = PadMotion(pad=2, kind=MotionKind.ACCELEROMETER, x=9.80665, y=0.0, z=-9.80665)
    battery = PadBattery(pad=2, state=BatteryState.CHARGING, percent=37)

    assert report(pad, state, gyro, pull, touch, battery).hex() == (
        "01" "0000ffff" "01ff" "01" "f1ff0700" "00000000"
        "1000f0ffff7f" "0020000000e0" "03000000" "00"
        "017fc721" "80000000" + "00" * 12 + "13" + "00" * 10
    )  # fmt: skip


@pytest.mark.parametrize(
    ("buttons", "hat"),
    [
        (PadButtons.NONE, 8),
        (PadButtons.UP, 0),
        (PadButtons.UP | PadButtons.RIGHT, 1),
        (PadButtons.RIGHT, 2),
        (PadButtons.RIGHT | PadButtons.DOWN, 3),
        (PadButtons.DOWN, 4),
        (PadButtons.DOWN | PadButtons.LEFT, 5),
        (PadButtons.LEFT, 6),
        (PadButtons.LEFT | PadButtons.UP, 7),
        (PadButtons.LEFT | PadButtons.RIGHT, 8),
    ],
)
def test_the_hat_goes_round(pad, buttons, hat) -> None:
    assert report(pad, PadState(pad=2, buttons=buttons))[8] == hat


def test_a_gyro_that_is_no_number_is_still(pad) -> None:
    nonsense = PadMotion(pad=2, kind=MotionKind.GYRO, x=float("nan"), y=float("inf"), z=1.0)

    assert report(pad, nonsense)[16:22] == bytes([0, 0, 0, 0, 16, 0])


def test_a_third_finger_finds_no_room_and_a_new_one_has_a_new_number(pad) -> None:
    def touch(finger: int, kind: ContactKind = ContactKind.DOWN) -> PadTouch:
        return PadTouch(pad=2, kind=kind, touchpad=0, pointer_id=finger, x=0.0, y=0.0, pressure=1.0)

    told = report(pad, touch(7), touch(8), touch(9), touch(7, ContactKind.UP), touch(9))

    assert (told[33], told[37]) == (3, 2)


def test_the_kernel_is_told_who_it_is_and_how_its_sensors_count(pad) -> None:
    assert pad.feature(0x09) == bytes([0x09, 0x55, 0x44, 0x33, 0x22, 0x11, 0x02]) + bytes(13)
    assert pad.feature(0x05).hex() == (
        "05" "000000000000" + "c02140de" * 3 + "1c021c02" + "002000e0" * 3 + "000000000000"
    )  # fmt: skip
    assert len(pad.feature(0x20)) == 64
    assert pad.feature(0x99) is None


def test_the_descriptor_is_the_one_that_the_kernel_took() -> None:
    assert DESCRIPTOR.hex() == (
        "05010905a101" "85010930093109320935093309341500" "26ff00" "75089506" "8102"
        "0600ff0920150026ff00750895018102"
        "050109391500250775049501" "8142"
        "05091901290f150025017501950f8102"
        "0600ff0921150025017501950d8102"
        "0922150026ff00750895348102"
        "0600ff85020922150026ff007508952f9102"
        "0600ff85050925150026ff00750895 28b102"
        "0600ff85090929150026ff0075089513b102"
        "0600ff85200940150026ff007508953fb102c0"
    ).replace(" ", "")  # fmt: skip


def test_motors_come_back_once(pad) -> None:
    held = Held(PadState(pad=2))
    shake = output(b1=0x03, b3=0x40, b4=0xFF)

    first = pad.on_output(shake, held).feedback

    assert first == [Rumble(pad=2, low_frequency=0xFFFF, high_frequency=0x40 * 257)]
    assert pad.on_output(shake, held).feedback == []
    assert pad.on_output(output(b39=0x04), held).feedback == [
        Rumble(pad=2, low_frequency=0, high_frequency=0)
    ]


def test_the_light_comes_back(pad) -> None:
    light = output(b2=0x04, b45=1, b46=2, b47=3)

    feedback = pad.on_output(light, Held(PadState(pad=2))).feedback

    assert feedback == [RgbLed(pad=2, red=1, green=2, blue=3)]


def test_the_triggers_come_back_and_the_other_one_stays(pad) -> None:
    held = Held(PadState(pad=2))
    right = pad.on_output(output(b1=0x04, b11=0x21, b21=10), held).feedback
    left = pad.on_output(output(b1=0x08, b22=0x26, b23=7), held).feedback

    strong = TriggerEffect(type=0x21, parameters=bytes(9) + b"\x0a")
    soft = TriggerEffect(type=0x26, parameters=b"\x07" + bytes(9))
    assert right == [AdaptiveTriggers(pad=2, right=strong)]
    assert left == [AdaptiveTriggers(pad=2, left=soft)]
    assert AdaptiveTriggers(pad=2, left=soft, right=strong) in pad.greeting()


@pytest.mark.parametrize("data", [b"", b"\x02", b"\x02" * 47, b"\x31" * 78, b"\xff" * 4_096])
def test_nonsense_is_ignored(pad, data) -> None:
    assert pad.on_output(data, Held(PadState(pad=2))).feedback == ()
