"""A Switch Pro Controller's side of the conversation, byte by byte."""

import pytest
from punktfunk_gamepad_uinput.held import Held
from punktfunk_gamepad_uinput.switch import SwitchPro, strength

from punktfunk.plugin import (
    BatteryState,
    MotionKind,
    MotionRequest,
    PadBattery,
    PadButtons,
    PadMotion,
    PadState,
    Rumble,
)

ADDRESS = bytes.fromhex("021122334455")
STILL = "0001404000014040"


@pytest.fixture
def pad() -> SwitchPro:
    return SwitchPro(2, ADDRESS)


@pytest.fixture
def held() -> Held:
    return Held(PadState(pad=2))


def asked(pad: SwitchPro, held: Held, subcommand: str, rumble: str = STILL) -> bytes:
    (answer,) = pad.on_output(bytes.fromhex(f"0100{rumble}{subcommand}"), held).reports
    return answer


def test_a_pad_on_the_table(pad, held) -> None:
    at_rest = "000000000010" + "000000000000"

    told = pad.report(held, 0)

    assert told.hex() == "300181000000fff77ffff77f00" + at_rest * 3 + "00" * 15


def test_buttons_lie_where_xbox_has_them(pad, held) -> None:
    expected = {
        PadButtons.A: (3, 0x04),
        PadButtons.B: (3, 0x08),
        PadButtons.X: (3, 0x01),
        PadButtons.Y: (3, 0x02),
        PadButtons.GUIDE: (4, 0x10),
        PadButtons.MISC: (4, 0x20),
        PadButtons.UP: (5, 0x02),
        PadButtons.LEFT_SHOULDER: (5, 0x40),
    }
    for button, (place, bit) in expected.items():
        held.apply(PadState(pad=2, buttons=button))
        assert pad.report(held, 0)[3:6] == bytes(bit if at == place else 0 for at in (3, 4, 5))


def test_triggers_are_pulled_or_not(pad, held) -> None:
    held.apply(PadState(pad=2, left_trigger=64, right_trigger=63))

    assert pad.report(held, 0)[3:6] == bytes([0, 0, 0x80])


def test_sticks_reach_their_ends(pad, held) -> None:
    held.apply(PadState(pad=2, left_x=-32_768, left_y=32_767, right_x=32_767, right_y=-32_768))

    assert pad.report(held, 0)[6:12].hex() == "00e0fffe0f00"


def test_it_turns_about_axes_of_its_own(pad, held) -> None:
    held.apply(PadMotion(pad=2, kind=MotionKind.GYRO, x=100.0, y=200.0, z=-300.0))

    sample = pad.report(held, 0)[13:25]

    assert sample.hex() == "000000000010" + "b2106ffa210b"


def test_its_battery_is_told_in_quarters(pad, held) -> None:
    held.apply(PadBattery(pad=2, state=BatteryState.CHARGING, percent=60))

    assert pad.report(held, 0)[2] == 0x51


def test_it_greets_the_cable_with_its_address(pad, held) -> None:
    (told,) = pad.on_output(bytes.fromhex("8001"), held).reports

    assert told[:10].hex() == "81010003554433221102"
    assert pad.on_output(bytes.fromhex("8004"), held).reports == ()
    assert pad.on_output(bytes.fromhex("8002"), held).reports[0][:2].hex() == "8102"


def test_it_tells_what_it_is(pad, held) -> None:
    assert asked(pad, held, "02")[13:27].hex() == "8202042103020211223344550101"


def test_its_calibration_makes_its_numbers_plain(pad, held) -> None:
    sticks = asked(pad, held, "103d60000012")
    nobodys = asked(pad, held, "101080000002")

    assert sticks[13:20].hex() == "90103d60000012"
    assert sticks[20:38].hex() == "fff77f" * 6
    assert nobodys[20:22].hex() == "ffff"


@pytest.mark.parametrize("subcommand", ["0330", "4801", "4001", "3001", "ff"])
def test_everything_else_is_acknowledged(pad, held, subcommand) -> None:
    assert asked(pad, held, subcommand)[13:15].hex() == "80" + subcommand[:2]


@pytest.mark.parametrize(
    "data", ["", "01", "80", "10", "1000" + "00" * 7, "01" * 10, "30" * 64, "01" * 4_096]
)
def test_nonsense_is_answered_with_no_more_than_a_report(pad, held, data) -> None:
    response = pad.on_output(bytes.fromhex(data), held)

    assert all(len(report) == 64 for report in response.reports)


def test_a_flash_read_beyond_the_report_is_cut_short(pad, held) -> None:
    assert len(asked(pad, held, "1020600000ff")) == 64


def test_motors_come_back_once_each_time_they_change(pad, held) -> None:
    def shake(left: str, right: str) -> list[object]:
        return list(pad.on_output(bytes.fromhex(f"1000{left}{right}"), held).feedback)

    (both,) = shake("00c84072", "00644059")

    assert isinstance(both, Rumble)
    assert both.pad == 2
    assert both.low_frequency == 0xFFFF
    assert 0 < both.high_frequency < both.low_frequency
    assert shake("00c84072", "00644059") == []
    assert both in pad.greeting()
    assert shake("00014040", "00014040") == [Rumble(pad=2, low_frequency=0, high_frequency=0)]


def test_the_sensors_are_asked_for(pad) -> None:
    assert [it.kind for it in pad.greeting() if isinstance(it, MotionRequest)] == list(MotionKind)


def test_stronger_is_stronger() -> None:
    told = [strength(bytes([0, step, 0x40, 0x40])) for step in range(0, 0xCA, 2)]

    assert told[0] == 0
    assert told == sorted(told)
    assert told[-1] == 0xFFFF
