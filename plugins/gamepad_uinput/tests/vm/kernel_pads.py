"""Our pads on a real kernel. Run inside the machine of `machine.py`, by `test_kernel.py`.

This process has the driver; every look at a device is another process's, see `witness.py`.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from devices import InputDevice, Witness, device, input_devices, wait_for  # noqa: E402
from punktfunk_gamepad_uinput.driver import UinputGamepads  # noqa: E402
from punktfunk_gamepad_uinput.node import DeviceNode  # noqa: E402
from punktfunk_gamepad_uinput.uinput import UI_END_FF_ERASE  # noqa: E402
from recording import Line, recorder, save  # noqa: E402

from punktfunk.plugin import (  # noqa: E402
    AdaptiveTriggers,
    BatteryState,
    ContactKind,
    Feedback,
    MotionKind,
    MotionRequest,
    PadArrival,
    PadBattery,
    PadButtons,
    PadCapabilities,
    PadMotion,
    PadRemoved,
    PadState,
    PadTouch,
    PadType,
    RgbLed,
    Rumble,
    TriggerEffect,
)
from punktfunk.testing import FakeSeat  # noqa: E402

SHARE = Path("/share")
CLIENT = "5f" * 32
KEY, ABS = 1, 3
SONY = "Sony Interactive Entertainment DualSense Wireless Controller"
XBOX = "Microsoft X-Box 360 pad"
SWITCH = "Nintendo Switch Pro Controller"
EVERYTHING = PadCapabilities(sum(PadCapabilities))
A, B, X, Y, MODE = 0x130, 0x131, 0x133, 0x134, 0x13C
PRESSED = PadState(
    pad=0,
    buttons=PadButtons.A | PadButtons.GUIDE | PadButtons.UP | PadButtons.RIGHT,
    left_trigger=255,
    right_trigger=128,
    left_x=-32_768,
    left_y=32_767,
    right_x=32_767,
    right_y=-32_768,
)


class Pads:
    """The driver, opened for a client, and all that it sent back."""

    def __init__(self, seat: FakeSeat) -> None:
        self.feedback: list[Feedback] = []
        self.lines: list[Line] = []
        self.driver = UinputGamepads({}, recorder(self.lines, DeviceNode))
        self.driver.open(seat, self.feedback.append)
        self.lines.clear()

    def plug(self, kind: PadType, number: int = 0) -> None:
        arrival = PadArrival(
            pad=number, type=kind, capabilities=EVERYTHING, buttons=PadButtons.NONE
        )
        self.driver.handle(arrival)

    def feels(self, *wanted: Feedback) -> None:
        for feedback in wanted:
            wait_for(lambda it=feedback: it in self.feedback, f"{feedback} in {self.feedback}")


@pytest.fixture
def pads() -> Iterator[Pads]:
    with FakeSeat("pf-1-abcd", client=CLIENT) as seat:
        pads = Pads(seat)
        yield pads
        pads.driver.close()


@pytest.fixture
def watch() -> Iterator[object]:
    witnesses: list[Witness] = []

    def start(it: InputDevice) -> Witness:
        witnesses.append(Witness(it))
        return witnesses[-1]

    yield start
    for witness in witnesses:
        witness.close()


def ours() -> list[str]:
    return [it.name for it in input_devices() if it.phys.startswith("punktfunk/") or it.uniq]


def neutral_axes(axes: dict[int, list[int]]) -> dict[int, int]:
    return {code: value for code, (value, *_) in axes.items()}


def test_an_xbox_pad_is_what_the_kernels_own_driver_would_make(pads, watch) -> None:
    pads.plug(PadType.XBOX)
    it = device(XBOX)
    witness = watch(it)

    pads.driver.handle(PRESSED)

    witness.sees(KEY, A, 1)
    witness.sees(KEY, MODE, 1)
    witness.sees(ABS, 0x11, -1)
    keys, axes = witness.state()
    assert it.phys == "punktfunk/pf-1-abcd/pad0"
    assert keys == {A, MODE}
    assert axes[0x00] == [-32_768, -32_768, 32_767, 16, 128, 0]
    assert neutral_axes(axes) == {
        0x00: -32_768, 0x01: -32_767, 0x02: 255, 0x03: 32_767, 0x04: 32_767, 0x05: 128,
        0x10: 1, 0x11: -1,
    }  # fmt: skip


def test_everything_is_let_go_and_the_pad_stays_until_it_is_taken_away(pads, watch) -> None:
    pads.plug(PadType.XBOX)
    witness = watch(device(XBOX))
    pads.driver.handle(PRESSED)
    witness.sees(KEY, A, 1)

    pads.driver.release_all()

    witness.sees(KEY, A, 0)
    keys, axes = witness.state()
    assert keys == set()
    assert set(neutral_axes(axes).values()) == {0}

    pads.driver.handle(PadRemoved(0))

    witness.sees_the_end()
    assert ours() == []
    save(SHARE / "xbox_360.json", pads.lines)


def test_rumble_comes_back_with_its_strength_its_length_and_the_gain(pads, watch) -> None:
    pads.plug(PadType.XBOX)
    witness = watch(device(XBOX))
    on = Rumble(pad=0, low_frequency=0xC000, high_frequency=0x4000)
    half = Rumble(pad=0, low_frequency=0x6000, high_frequency=0x2000)
    off = Rumble(pad=0, low_frequency=0, high_frequency=0)

    started = time.monotonic()
    effect = witness.ask("rumble", 0xC000, 0x4000, 700, 0, 1)["effect"]
    pads.feels(on, off)

    assert time.monotonic() - started >= 0.7
    assert pads.feedback == [on, off]

    pads.feedback.clear()
    witness.ask("gain", 0x8000)
    witness.ask("rumble", 0xC000, 0x4000, 0, 0, 1)
    pads.feels(half)
    witness.ask("erase", effect + 1)
    pads.feels(off)
    witness.ask("erase", effect)
    wait_for(lambda: [it[1] for it in pads.lines].count(UI_END_FF_ERASE) == 2, "two erased")
    save(SHARE / "rumble.json", pads.lines)


def test_a_program_that_dies_leaves_no_pad_shaking(pads, watch) -> None:
    pads.plug(PadType.XBOX)
    witness = watch(device(XBOX))
    witness.ask("rumble", 0xFFFF, 0xFFFF, 0, 0, 1)
    pads.feels(Rumble(pad=0, low_frequency=0xFFFF, high_frequency=0xFFFF))

    witness.close()

    pads.feels(Rumble(pad=0, low_frequency=0, high_frequency=0))


def test_a_dualsense_has_buttons_sticks_and_triggers(pads, watch) -> None:
    pads.plug(PadType.PLAYSTATION)
    witness = watch(device(SONY))

    pads.driver.handle(PRESSED)

    witness.sees(KEY, A, 1)
    witness.sees(ABS, 0x11, -1)
    keys, axes = witness.state()
    assert keys == {A, MODE, 0x138, 0x139}
    assert neutral_axes(axes) == {0: 0, 1: 0, 2: 255, 3: 255, 4: 255, 5: 128, 0x10: 1, 0x11: -1}

    pads.driver.release_all()

    witness.sees(KEY, A, 0)
    keys, axes = witness.state()
    assert keys == set()
    assert neutral_axes(axes) == {0: 128, 1: 128, 2: 0, 3: 128, 4: 128, 5: 0, 0x10: 0, 0x11: 0}


def test_a_dualsense_turns_and_lies_still_in_the_kernels_units(pads, watch) -> None:
    pads.plug(PadType.PLAYSTATION)
    witness = watch(device(f"{SONY} Motion Sensors"))

    pads.driver.handle(PadMotion(pad=0, kind=MotionKind.GYRO, x=90.0, y=-180.0, z=2_000.0))
    pads.driver.handle(
        PadMotion(pad=0, kind=MotionKind.ACCELEROMETER, x=9.80665, y=-9.80665, z=4.903325)
    )

    witness.sees(ABS, 2, 4_096)
    _, axes = witness.state()
    per_g, per_degree = axes[0][5], axes[3][5]
    assert [axes[code][0] / per_g for code in (0, 1, 2)] == [1.0, -1.0, 0.5]
    assert [axes[code][0] / per_degree for code in (3, 4, 5)] == [90.0, -180.0, 2_000.0]

    pads.driver.release_all()

    witness.sees(ABS, 3, 0)
    assert [value for value, *_ in witness.state()[1].values()] == [0, per_g, 0, 0, 0, 0]


def test_two_fingers_on_a_dualsenses_touchpad(pads, watch) -> None:
    pads.plug(PadType.PLAYSTATION)
    witness = watch(device(f"{SONY} Touchpad"))
    finger = PadTouch(
        pad=0, kind=ContactKind.DOWN, touchpad=0, pointer_id=77, x=1.0, y=0.5, pressure=1.0
    )
    slot, tracking, x, y = 0x2F, 0x39, 0x35, 0x36

    pads.driver.handle(finger)
    witness.sees(ABS, x, 1_919)
    witness.sees(ABS, y, 540)
    pads.driver.handle(
        PadTouch(pad=0, kind=ContactKind.DOWN, touchpad=0, pointer_id=9, x=0.5, y=1.0, pressure=1.0)
    )
    witness.sees(ABS, slot, 1)
    witness.sees(ABS, x, 960)
    witness.sees(ABS, y, 1_079)

    pads.driver.release_all()

    wait_for(lambda: witness.events.count((ABS, tracking, -1)) == 2, "two lifted fingers")
    assert witness.state()[0] == set()


def test_a_dualsenses_motors_light_and_triggers_come_back(pads, watch) -> None:
    pads.plug(PadType.PLAYSTATION)
    witness = watch(device(SONY))
    pads.feels(*(MotionRequest(pad=0, kind=kind, rate_hz=100) for kind in MotionKind))

    witness.ask("rumble", 0xFFFF, 0x8000, 500, 0, 1)
    pads.feels(Rumble(pad=0, low_frequency=0xFFFF, high_frequency=0x80 * 257))
    pads.feels(Rumble(pad=0, low_frequency=0, high_frequency=0))

    (light,) = Path("/sys/class/leds").glob("*:rgb:indicator")
    order = (light / "multi_index").read_text().split()
    colour = {"red": 255, "green": 16, "blue": 1}
    (light / "multi_intensity").write_text(" ".join(str(colour[name]) for name in order))
    (light / "brightness").write_text("255")
    pads.feels(RgbLed(pad=0, red=255, green=16, blue=1))

    report = bytearray(48)
    report[0], report[1] = 0x02, 0x04 | 0x08
    report[11:22] = bytes([0x21, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    report[22:33] = bytes([0x26, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
    hidraw().write_bytes(report)
    pads.feels(
        AdaptiveTriggers(
            pad=0,
            left=TriggerEffect(type=0x26, parameters=bytes(range(10, 0, -1))),
            right=TriggerEffect(type=0x21, parameters=bytes(range(1, 11))),
        )
    )
    save(SHARE / "dualsense.json", pads.lines)


def test_a_dualsense_tells_its_battery(pads) -> None:
    pads.plug(PadType.PLAYSTATION)
    device(SONY)
    (supply,) = wait_for(
        lambda: list(Path("/sys/class/power_supply").glob("ps-controller-battery-*")), "a battery"
    )

    pads.driver.handle(PadBattery(pad=0, state=BatteryState.CHARGING, percent=42))

    wait_for(lambda: (supply / "status").read_text() == "Charging\n", "a charging battery")
    assert (supply / "capacity").read_text() == "45\n"


def test_a_client_that_comes_back_finds_its_pad_and_its_light(pads) -> None:
    pads.plug(PadType.PLAYSTATION)
    before = device(SONY)
    pads.feels(RgbLed(pad=0, red=0, green=0, blue=128))
    pads.driver.release_all()
    pads.feedback.clear()

    pads.plug(PadType.PLAYSTATION)

    assert device(SONY) == before
    assert RgbLed(pad=0, red=0, green=0, blue=128) in pads.feedback


def test_a_pad_has_the_same_address_in_the_next_session(pads) -> None:
    pads.plug(PadType.PLAYSTATION, number=3)
    before = device(SONY).uniq
    pads.driver.close()
    wait_for(lambda: ours() == [], "the pad to go")

    with FakeSeat("pf-2-other", client=CLIENT) as seat:
        pads.driver.open(seat, pads.feedback.append)
        pads.plug(PadType.PLAYSTATION, number=3)

        assert device(SONY).uniq == before
        pads.driver.close()


def test_a_switch_pad_has_nintendos_layout_and_shakes(pads, watch) -> None:
    pads.plug(PadType.NINTENDO)
    witness = watch(device(SWITCH))

    pads.driver.handle(PRESSED)

    witness.sees(KEY, A, 1)
    witness.sees(ABS, 0x11, -1)
    keys, axes = witness.state()
    assert keys == {A, MODE, 0x138, 0x139}  # by place: south is Nintendo's B
    assert axes[0][0] < -32_000
    assert axes[1][0] < -32_000
    assert axes[3][0] > 32_000
    assert axes[4][0] > 32_000

    witness.ask("rumble", 0xFFFF, 0x8000, 0, 0, 1)
    wait_for(lambda: any(isinstance(it, Rumble) for it in pads.feedback), "a rumble")
    shaken = next(it for it in pads.feedback if isinstance(it, Rumble))
    assert shaken.low_frequency > 0xF000
    assert abs(shaken.high_frequency - 0x8000) < 0x800

    pads.driver.release_all()

    witness.sees(KEY, A, 0)
    keys, axes = witness.state()
    assert keys == set()
    assert all(abs(value) < 100 for value, *_ in axes.values())
    save(SHARE / "switch.json", pads.lines)


def test_a_switch_pad_turns_as_the_client_does(pads, watch) -> None:
    pads.plug(PadType.NINTENDO)
    witness = watch(device(f"{SWITCH} IMU"))

    pads.driver.handle(PadMotion(pad=0, kind=MotionKind.GYRO, x=100.0, y=200.0, z=-300.0))
    wait_for(lambda: witness.state()[1][5][0] > 100_000, "a turn")
    _, axes = witness.state()
    per_g, per_degree = axes[0][5], axes[3][5]
    turned = [axes[code][0] / per_degree for code in (3, 4, 5)]
    pulled = [axes[code][0] / per_g for code in (0, 1, 2)]

    # The kernel gives the pad's own axes: x ahead, y to the left, z up.
    assert turned == pytest.approx([300.0, -100.0, 200.0], abs=1.0)
    assert pulled == pytest.approx([0.0, 0.0, 1.0], abs=0.01)


def test_sixteen_pads_at_once_and_none_afterwards(pads) -> None:
    for number in range(16):
        pads.plug(PadType.PLAYSTATION if number % 2 else PadType.XBOX, number)

    wait_for(lambda: [it.name for it in input_devices()].count(SONY) == 8, "eight DualSense")
    names = [it.name for it in input_devices()]
    assert names.count(XBOX) == 8
    assert len({it.uniq for it in input_devices() if it.name == SONY}) == 8

    pads.driver.close()

    wait_for(lambda: ours() == [], f"no pads, not {ours()}")


def test_the_rules_keep_a_pad_off_the_desktop_and_games_find_it(pads) -> None:
    pads.plug(PadType.PLAYSTATION)

    touchpad = udev(f"/sys/class/input/{device(f'{SONY} Touchpad').node}")
    pad = udev(f"/sys/class/input/{device(SONY).node}")
    raw = udev(f"/sys/class/hidraw/{hidraw().name}")

    assert touchpad["LIBINPUT_IGNORE_DEVICE"] == "1"
    assert not touchpad.get("ID_INPUT_TOUCHPAD")
    assert pad["ID_INPUT_JOYSTICK"] == "1"
    assert pad["LIBINPUT_IGNORE_DEVICE"] == "1"
    assert ":uaccess:" in pad["TAGS"]
    assert ":uaccess:" in raw["TAGS"]
    assert ":uaccess:" in udev("/sys/class/misc/uinput")["TAGS"]
    assert ":uaccess:" in udev("/sys/class/misc/uhid")["TAGS"]


def hidraw() -> Path:
    found = wait_for(lambda: list(Path("/sys/class/hidraw").glob("*")), "a raw node")
    return Path("/dev") / found[0].name


def udev(sysfs: str) -> dict[str, str]:
    subprocess.run(["udevadm", "settle", "--timeout=60"], check=True)
    told = subprocess.run(
        ["udevadm", "info", "--query=property", f"--path={Path(sysfs).resolve()}"],
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(line.split("=", 1) for line in told.stdout.splitlines())
