"""Which pads are made, kept and unplugged, and what breaks when one breaks."""

from pathlib import Path

import attrs
import pytest
from punktfunk_gamepad_uinput import uhid
from punktfunk_gamepad_uinput.driver import UinputGamepads
from punktfunk_gamepad_uinput.dualsense import DEVICE as DUALSENSE
from punktfunk_gamepad_uinput.identity import address_of, in_words, phys_of
from punktfunk_gamepad_uinput.kinds import kind_for
from punktfunk_gamepad_uinput.node import UHID, UINPUT, DeviceNode
from punktfunk_gamepad_uinput.settings import PadKind
from punktfunk_gamepad_uinput.switch import DEVICE as SWITCH
from punktfunk_gamepad_uinput.xbox import XBOX_360, XBOX_ELITE, XBOX_SERIES, model_for
from recording import shorten

from punktfunk.plugin import (
    ContactKind,
    DriverFailed,
    DriverUnavailable,
    MotionKind,
    MotionRequest,
    PadButtons,
    PadCapabilities,
    PadMotion,
    PadRemoved,
    PadState,
    PadTouch,
    PadType,
)
from punktfunk.testing import FakeSeat

CLIENT = "5f" * 32


def created(device: uhid.HidDevice, number: int, client: str = CLIENT) -> list[str | int]:
    uniq = in_words(address_of(client, number))
    return ["write", 0, shorten(uhid.create(device, f"punktfunk/pf-1-abcd/pad{number}", uniq))]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (PadType.XBOX, UINPUT),
        (PadType.UNKNOWN, UHID),
        (PadType.STEAM, UHID),
        (PadType.PLAYSTATION, UHID),
        (PadType.NINTENDO, UHID),
    ],
)
def test_a_pad_becomes_what_it_is_most_like(open_pads, machine, arrival, kind, path) -> None:
    open_pads().handle(arrival(kind))

    assert machine.opened[-1][0] == path


def test_a_pad_of_no_kind_without_sensors_is_an_xbox_pad(arrival) -> None:
    plain = arrival(PadType.UNKNOWN, capabilities=PadCapabilities.RUMBLE)

    assert kind_for(plain, None, has_uhid=True) is PadKind.XBOX
    assert kind_for(None, None, has_uhid=True) is PadKind.XBOX


@pytest.mark.parametrize("kind", list(PadKind))
def test_the_setting_wins_over_the_pad(arrival, kind) -> None:
    assert kind_for(arrival(PadType.XBOX), kind, has_uhid=True) is kind
    assert kind_for(None, kind, has_uhid=True) is kind


def test_without_uhid_every_pad_is_an_xbox_pad(open_pads, machine, arrival) -> None:
    machine.has_uhid = False
    pads = open_pads(kind="dualsense")

    for number, kind in enumerate(PadType):
        pads.handle(arrival(kind, number))

    assert machine.plugged == len(PadType)
    assert {path for path, _ in machine.opened} == {UINPUT}


def test_a_kind_that_there_is_not_is_refused_by_name(open_pads) -> None:
    with pytest.raises(DriverUnavailable, match="'gamecube' is none of auto, xbox, dualsense"):
        open_pads(kind="gamecube")


@pytest.mark.parametrize(
    ("buttons", "model"),
    [
        (PadButtons.A, XBOX_360),
        (PadButtons.A | PadButtons.MISC, XBOX_SERIES),
        (PadButtons.MISC | PadButtons.PADDLE3, XBOX_ELITE),
    ],
)
def test_an_xbox_pad_has_the_buttons_of_the_clients(buttons, model) -> None:
    assert model_for(buttons) is model


def test_a_state_makes_a_pad_that_has_not_arrived(open_pads, machine) -> None:
    pads = open_pads()

    pads.handle(PadState(pad=5, buttons=PadButtons.B))

    assert machine.plugged == 1
    assert pads.held == {5}


def test_motion_and_touch_make_none(open_pads, machine) -> None:
    pads = open_pads()

    pads.handle(PadMotion(pad=1, kind=MotionKind.GYRO, x=1, y=1, z=1))
    pads.handle(
        PadTouch(pad=1, kind=ContactKind.DOWN, touchpad=0, pointer_id=1, x=0, y=0, pressure=1)
    )
    pads.handle(PadRemoved(1))

    assert machine.plugged == 0


def test_a_pad_that_comes_back_keeps_its_device_and_is_asked_again(
    open_pads, machine, arrival, feedback
) -> None:
    pads = open_pads()
    pads.handle(arrival(PadType.PLAYSTATION))
    pads.handle(PadState(pad=0, buttons=PadButtons.A))
    pads.release_all()
    feedback.clear()

    pads.handle(arrival(PadType.PLAYSTATION))

    assert machine.plugged == 1
    assert {it.kind for it in feedback if isinstance(it, MotionRequest)} == set(MotionKind)
    assert pads.held == frozenset()


def test_a_pad_that_comes_back_as_another_is_made_anew(open_pads, machine, arrival) -> None:
    pads = open_pads()
    pads.handle(arrival(PadType.PLAYSTATION))

    pads.handle(arrival(PadType.NINTENDO))

    assert machine.plugged == 1
    assert machine.calls(0)[-2:] == [["write", 0, uhid.DESTROY.hex()], ["close", 0, ""]]
    assert machine.calls(1)[0] == created(SWITCH, 0)


def test_a_pad_has_one_name_for_good_and_each_has_its_own(open_pads, machine, arrival) -> None:
    pads = open_pads()
    pads.handle(arrival(PadType.PLAYSTATION, 0))
    pads.handle(arrival(PadType.PLAYSTATION, 1))
    again = open_pads()
    again.handle(arrival(PadType.PLAYSTATION, 1))

    assert machine.calls(0)[0] == created(DUALSENSE, 0)
    assert machine.calls(1)[0] == created(DUALSENSE, 1)
    assert machine.calls(2)[0] == machine.calls(1)[0]
    addresses = {address_of(owner, pad) for owner in (CLIENT, "aa" * 32) for pad in range(16)}
    assert len(addresses) == 32
    assert all(address[0] & 0x03 == 0x02 for address in addresses)


def test_without_a_client_the_seat_tells_the_pads_apart(open_pads, machine, arrival) -> None:
    pads = open_pads(client="")

    pads.handle(arrival(PadType.PLAYSTATION))

    assert machine.calls(0)[0] == created(DUALSENSE, 0, client="pf-1-abcd")


def test_the_path_of_a_pad_begins_with_our_name_and_fits() -> None:
    assert phys_of("pf-1-abcd", 15) == "punktfunk/pf-1-abcd/pad15"
    assert len(phys_of("pf-2147483647-0123abcd", 15)) < 64


def test_closing_unplugs_every_pad(open_pads, machine, arrival) -> None:
    pads = open_pads()
    for number, kind in enumerate(PadType):
        pads.handle(arrival(kind, number))

    pads.close()

    assert machine.plugged == 0
    with pytest.raises(DriverFailed):
        pads.handle(PadState(pad=0))


def test_a_device_that_breaks_is_a_failure_of_the_driver(open_pads, arrival, monkeypatch) -> None:
    pads = open_pads()
    pads.handle(arrival(PadType.XBOX))

    def gone(data: bytes) -> None:
        raise OSError(19, "No such device")

    monkeypatch.setattr(pads._slots[0].pad._node, "write", gone)

    with pytest.raises(DriverFailed, match="No such device"):
        pads.handle(PadState(pad=0, buttons=PadButtons.A))


@pytest.mark.parametrize("number", [-1, 16, 255])
def test_a_pad_number_that_is_out_of_range_is_no_event(number: int) -> None:
    for kind in (PadState, PadRemoved):
        with pytest.raises(ValueError, match="pad"):
            kind(pad=number)


def test_what_is_no_pad_event_is_ignored(open_pads, machine) -> None:
    @attrs.frozen
    class Unchecked:
        pad: int

    open_pads().handle(Unchecked(255))

    assert machine.plugged == 0


@pytest.mark.skipif(
    Path(UINPUT).exists() or Path(UHID).exists(), reason="this machine has the nodes"
)
def test_a_machine_without_the_node_says_so() -> None:
    with pytest.raises(DriverUnavailable, match="cannot open /dev/uinput: No such file"):
        DeviceNode(UINPUT)
    with FakeSeat() as seat, pytest.raises(DriverUnavailable, match="/dev/uinput"):
        UinputGamepads().open(seat, lambda feedback: None)
