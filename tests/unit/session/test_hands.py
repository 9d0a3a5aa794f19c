"""Who holds what, when several clients play on one seat."""

import pytest

from punktfunk.model.feedback import HdrMode, Rumble
from punktfunk.model.input import (
    ButtonEvent,
    ContactKind,
    KeyEvent,
    PadArrival,
    PadButtons,
    PadCapabilities,
    PadRemoved,
    PadState,
    PadType,
    PointerButton,
    PointerMotion,
    TouchEvent,
)
from punktfunk.session.hands import Hands

OWNER, GUEST = 0, 1


@pytest.fixture
def seen():
    return []


@pytest.fixture
def hands(seen):
    return Hands(seen.append)


def key(vk: int, *, pressed: bool = True) -> KeyEvent:
    return KeyEvent(vk=vk, evdev=30, pressed=pressed)


def touch(kind: ContactKind, finger: int = 1) -> TouchEvent:
    return TouchEvent(kind=kind, pointer_id=finger, x=0.5, y=0.5)


def test_who_leaves_lets_go_of_its_own_and_no_more(hands, seen):
    hands.take(OWNER, key(65))
    hands.take(GUEST, key(66))
    hands.take(GUEST, ButtonEvent(PointerButton.LEFT, pressed=True))
    seen.clear()

    hands.let_go(GUEST, with_pads=True)

    assert seen == [key(66, pressed=False), ButtonEvent(PointerButton.LEFT, pressed=False)]


def test_what_two_hold_is_released_with_the_second(hands, seen):
    hands.take(OWNER, key(65))
    hands.take(GUEST, key(65))
    seen.clear()

    hands.take(OWNER, key(65, pressed=False))
    assert seen == []
    hands.let_go(GUEST, with_pads=False)

    assert seen == [key(65, pressed=False)]


def test_what_nobody_holds_is_passed_on(hands, seen):
    events = [PointerMotion(3, -4), key(65, pressed=False), touch(ContactKind.UP)]
    for event in events:
        hands.take(OWNER, event)

    assert seen == events


def test_fingers_with_the_same_number_are_told_apart(hands, seen):
    hands.take(OWNER, touch(ContactKind.DOWN))
    hands.take(GUEST, touch(ContactKind.DOWN))
    first, second = seen
    assert first.pointer_id != second.pointer_id
    seen.clear()

    hands.take(GUEST, touch(ContactKind.CANCEL_ALL))

    assert [(it.kind, it.pointer_id) for it in seen] == [(ContactKind.CANCEL, second.pointer_id)]


def test_each_client_has_pads_of_its_own_and_feels_only_those(hands, seen):
    arrival = PadArrival(
        pad=0, type=PadType.XBOX, capabilities=PadCapabilities.RUMBLE, buttons=PadButtons.A
    )
    hands.take(OWNER, arrival)
    hands.take(GUEST, arrival)
    assert [it.pad for it in seen] == [0, 1]

    assert hands.addressed(Rumble(pad=1, low_frequency=9, high_frequency=9)) == (
        GUEST,
        Rumble(pad=0, low_frequency=9, high_frequency=9),
    )
    assert hands.addressed(Rumble(pad=7, low_frequency=9, high_frequency=9)) is None
    assert hands.addressed(HdrMode()) == (None, HdrMode())


def test_a_guests_pads_go_with_it_and_make_room(hands, seen):
    hands.take(OWNER, PadState(pad=0, buttons=PadButtons.A))
    hands.take(GUEST, PadState(pad=0, buttons=PadButtons.B))
    seen.clear()

    hands.let_go(GUEST, with_pads=True)

    assert seen == [PadState(pad=1), PadRemoved(1)]
    hands.take(2, PadState(pad=0, buttons=PadButtons.X))
    assert seen[-1].pad == 1


def test_an_owners_pads_stay_for_its_return(hands, seen):
    hands.take(OWNER, PadState(pad=0, buttons=PadButtons.A))
    hands.let_go(OWNER, with_pads=False)
    hands.take(GUEST, PadState(pad=0, buttons=PadButtons.B))

    assert [it.pad for it in seen] == [0, 0, 1]


def test_pads_beyond_what_a_session_has_are_left_out(hands, seen):
    for place in range(17):
        hands.take(place, PadState(pad=0, buttons=PadButtons.A))

    assert len({it.pad for it in seen}) == len(seen) == 16


def test_who_presses_more_than_hands_can_hold_is_held_to_it(hands, seen):
    for number in range(5_000):
        hands.take(1, touch(ContactKind.DOWN, number))
    fingers = len(seen)
    hands.take(2, touch(ContactKind.DOWN, 7))

    hands.let_go(1, with_pads=True)

    assert fingers == 256
    assert len(seen) == 256 + 1 + 256
    hands.take(1, touch(ContactKind.DOWN, 9))
    assert seen[-1].pointer_id == 9


def test_a_finger_keeps_its_number_while_it_is_down(hands, seen):
    for kind in (ContactKind.DOWN, ContactKind.MOVE, ContactKind.UP, ContactKind.DOWN):
        hands.take(3, touch(kind, 0xFFFF_FFFF))
    hands.take(4, touch(ContactKind.DOWN, 0xFFFF_FFFF))

    assert [it.pointer_id for it in seen] == [0xFFFF_FFFF] * 4 + [0]
