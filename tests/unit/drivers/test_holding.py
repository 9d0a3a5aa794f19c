"""What is down is known, and let go once."""

import pytest

from punktfunk.drivers.holding import (
    HeldButtons,
    HeldFingers,
    HeldKeys,
    PointerArea,
    WholeNotches,
)
from punktfunk.model.input import (
    ButtonEvent,
    ContactKind,
    KeyEvent,
    Modifiers,
    PointerButton,
    TouchEvent,
)

A, LEFT_SHIFT, RIGHT_SHIFT, LEFT_CTRL = 30, 42, 54, 29


class Sent(list):
    """Everything that was sent."""

    def __call__(self, *what) -> None:
        self.append(what)


def key(code: int | None, pressed: bool, modifiers: Modifiers = Modifiers.NONE) -> KeyEvent:
    return KeyEvent(vk=0, evdev=code, pressed=pressed, modifiers=modifiers)


def touch(kind: ContactKind, finger: int, x: float = 0.5) -> TouchEvent:
    return TouchEvent(kind=kind, pointer_id=finger, x=x, y=0.25)


def test_a_key_goes_down_once_and_up_once() -> None:
    sent = Sent()
    keys = HeldKeys(sent)

    for pressed in (True, True, False, False):
        keys.handle(key(A, pressed))

    assert sent == [(A, True), (A, False)]


@pytest.mark.parametrize("code", [None, 0, -1, 248, 0x110])
def test_a_key_that_no_keymap_has_is_ignored(code: int | None) -> None:
    sent = Sent()
    keys = HeldKeys(sent)

    keys.handle(key(code, True))

    assert sent == []
    assert keys.held == frozenset()


def test_flagged_modifiers_that_nobody_holds_are_pressed_around_the_key() -> None:
    sent = Sent()
    keys = HeldKeys(sent)
    keys.handle(key(RIGHT_SHIFT, True, Modifiers.SHIFT))
    sent.clear()

    keys.handle(key(A, True, Modifiers.SHIFT | Modifiers.CTRL))
    keys.handle(key(A, False, Modifiers.SHIFT | Modifiers.CTRL))

    assert sent == [(LEFT_CTRL, True), (A, True), (LEFT_CTRL, False), (A, False)]
    assert keys.held == {RIGHT_SHIFT}


def test_everything_is_let_go() -> None:
    sent = Sent()
    keys, buttons = HeldKeys(sent), HeldButtons(sent)
    keys.handle(key(LEFT_SHIFT, True))
    buttons.handle(ButtonEvent(PointerButton.BACK, True))
    sent.clear()

    for _ in range(2):
        keys.release_all()
        buttons.release_all()

    assert sent == [(LEFT_SHIFT, False), (0x113, False)]


def test_a_button_is_called_as_who_gets_it_calls_it() -> None:
    sent = Sent()
    buttons = HeldButtons(sent, {PointerButton.RIGHT: 3})

    for pressed in (False, True, True, False):
        buttons.handle(ButtonEvent(PointerButton.RIGHT, pressed))

    assert sent == [(3, True), (3, False)]


def test_fingers_get_the_smallest_numbers_that_are_free() -> None:
    down, move, lift = Sent(), Sent(), Sent()
    fingers = HeldFingers(down, move, lift)

    fingers.handle(touch(ContactKind.DOWN, 7_000_000))
    fingers.handle(touch(ContactKind.MOVE, 9, 0.75))  # its beginning was lost
    fingers.handle(touch(ContactKind.MOVE, 7_000_000, 1.0))
    fingers.handle(touch(ContactKind.UP, 7_000_000))
    fingers.handle(touch(ContactKind.UP, 7_000_000))
    fingers.handle(touch(ContactKind.DOWN, 8))
    fingers.handle(touch(ContactKind.HOVER, 3))
    fingers.handle(touch(ContactKind.CANCEL_ALL, 0))
    fingers.lift_all()

    assert down == [(0, 0.5, 0.25), (1, 0.75, 0.25), (0, 0.5, 0.25)]
    assert move == [(0, 1.0, 0.25)]
    assert sorted(lift) == [(0,), (0,), (1,)]


def test_there_are_no_more_fingers_than_desktops_know() -> None:
    down = Sent()
    fingers = HeldFingers(down, Sent(), Sent())

    for finger in range(20):
        fingers.handle(touch(ContactKind.DOWN, finger))

    assert [number for number, _, _ in down] == list(range(16))


def test_parts_of_a_notch_add_up_until_the_wheel_turns_back() -> None:
    wheel = WholeNotches()

    assert [wheel.add(it) for it in (60, 60, 300, 60, 60)] == [0, 1, 2, 1, 0]
    assert [wheel.add(it) for it in (-60, -60, -240)] == [0, -1, -2]


@pytest.mark.parametrize(
    ("at", "expected"),
    [((0.0, 0.0), (100, 50)), ((0.5, 0.5), (200, 100)), ((1.0, 1.0), (299, 149))],
)
def test_a_place_on_the_picture_is_in_its_area(at, expected) -> None:
    assert PointerArea(100, 50, 200, 100).point(*at) == expected
