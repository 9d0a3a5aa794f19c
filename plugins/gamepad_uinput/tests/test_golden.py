"""What was said between our pads and Debian's kernel 6.1 is still said. See the README."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from punktfunk_gamepad_uinput.dualsense import DualSense
from punktfunk_gamepad_uinput.held import Held
from punktfunk_gamepad_uinput.hid_pad import HidPad
from punktfunk_gamepad_uinput.identity import address_of, in_words
from punktfunk_gamepad_uinput.pad import Pad
from punktfunk_gamepad_uinput.switch import SwitchPro
from punktfunk_gamepad_uinput.uinput_pad import UinputPad
from punktfunk_gamepad_uinput.xbox import XBOX_360
from recording import Line, PlayedNode, RecordingNode, conversation, lengthen_line, load

from punktfunk.plugin import (
    AdaptiveTriggers,
    Feedback,
    PadButtons,
    PadState,
    RgbLed,
    Rumble,
    TriggerEffect,
)

VECTORS = Path(__file__).parent / "vectors"
PHYS = "punktfunk/pf-1-abcd/pad0"
ADDRESS = address_of("5f" * 32, 0)
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

pytestmark = pytest.mark.skipif(
    struct.calcsize("P") != 8, reason="recorded where addresses have 64 bits"
)

Make = Callable[[RecordingNode, Callable[[Feedback], None]], Pad]


def xbox(node: RecordingNode, send: Callable[[Feedback], None]) -> Pad:
    return UinputPad(node, XBOX_360, 0, PHYS, send)


def dualsense(node: RecordingNode, send: Callable[[Feedback], None]) -> Pad:
    model = DualSense(0, ADDRESS)
    return HidPad(node, model, PHYS, in_words(ADDRESS), Held(PadState(pad=0)), send)


def switch(node: RecordingNode, send: Callable[[Feedback], None]) -> Pad:
    model = SwitchPro(0, ADDRESS)
    return HidPad(node, model, PHYS, in_words(ADDRESS), Held(PadState(pad=0)), send)


def played(name: str, make: Make) -> tuple[list[Line], list[Line], list[Feedback]]:
    """What was said then, what is said now, and what the client is told."""
    then = load(VECTORS / name)
    now: list[Line] = []
    feedback: list[Feedback] = []
    kernel = PlayedNode(then)
    pad = make(RecordingNode(now, kernel), feedback.append)
    while kernel.waits:
        pad.on_readable()
    return then, conversation(now), feedback


def test_an_xbox_pad_is_made_used_and_unplugged_as_then() -> None:
    then = load(VECTORS / "xbox_360.json")
    now: list[Line] = []
    pad = xbox(RecordingNode(now, PlayedNode([])), lambda feedback: None)

    for state in (PRESSED, PadState(pad=0)):
        pad.show(Held(state))
    pad.close()

    assert now == then


def test_rumble_is_taken_as_then() -> None:
    then, now, feedback = played("rumble.json", xbox)

    assert now == then
    assert next(it for it in feedback if isinstance(it, Rumble)) == Rumble(
        pad=0, low_frequency=0xC000, high_frequency=0x4000
    )
    assert feedback[-1] == Rumble(pad=0, low_frequency=0, high_frequency=0)


def test_a_dualsense_answers_its_driver_as_then() -> None:
    then, now, feedback = played("dualsense.json", dualsense)

    assert now == then
    assert feedback[0] == RgbLed(pad=0, red=0, green=0, blue=128)
    assert Rumble(pad=0, low_frequency=0xFFFF, high_frequency=0x80 * 257) in feedback
    assert RgbLed(pad=0, red=255, green=16, blue=1) in feedback
    assert feedback[-1] == AdaptiveTriggers(
        pad=0,
        left=TriggerEffect(type=0x26, parameters=bytes(range(10, 0, -1))),
        right=TriggerEffect(type=0x21, parameters=bytes(range(1, 11))),
    )


def test_a_switch_pad_answers_its_driver_as_then() -> None:
    then, now, feedback = played("switch.json", switch)

    assert [plain(it) for it in now] == [plain(it) for it in then]
    assert isinstance(feedback[0], Rumble)


def plain(line: Line) -> bytes:
    """An answer without the number of the report, and without what the hands did meanwhile."""
    data = lengthen_line(line)
    return data[:7] + data[19:] if data[:7].hex() == "0c000000400021" else data
