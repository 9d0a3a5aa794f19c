"""Fingers and pens where the devices have neither."""

import pytest

from punktfunk.model.input import (
    ButtonEvent,
    ContactKind,
    PenButtons,
    PenEvent,
    PenTool,
    PointerButton,
    PointerMotion,
    PointerPosition,
    TouchEvent,
)
from punktfunk.session.contacts import Contacts

LEFT, RIGHT = PointerButton.LEFT, PointerButton.RIGHT
HERE, THERE = PointerPosition(0.25, 0.5), PointerPosition(0.75, 0.5)


def press(button: PointerButton) -> ButtonEvent:
    return ButtonEvent(button, pressed=True)


def let_go(button: PointerButton) -> ButtonEvent:
    return ButtonEvent(button, pressed=False)


def finger(kind: ContactKind, number: int = 1, at: PointerPosition = HERE) -> TouchEvent:
    return TouchEvent(kind=kind, pointer_id=number, x=at.x, y=at.y)


def pen(
    kind: ContactKind, buttons: PenButtons = PenButtons.NONE, at: PointerPosition = HERE
) -> PenEvent:
    return PenEvent(kind=kind, tool=PenTool.PEN, buttons=buttons, x=at.x, y=at.y, pressure=0.5)


@pytest.fixture
def done():
    """`done(*events)`: what becomes of them, in order."""
    contacts = Contacts(touch=False, pen=False)

    def run(*events):
        return [it for event in events for it in contacts.as_taken(event)]

    return run


def test_what_the_devices_take_is_left_as_it_is() -> None:
    contacts = Contacts(touch=True, pen=True)
    events = [finger(ContactKind.DOWN), pen(ContactKind.HOVER), PointerMotion(1, 2)]

    assert [contacts.as_taken(event) for event in events] == [[event] for event in events]


def test_a_finger_is_the_left_button(done) -> None:
    assert done(
        finger(ContactKind.DOWN),
        finger(ContactKind.MOVE, at=THERE),
        finger(ContactKind.UP, at=THERE),
    ) == [HERE, press(LEFT), THERE, THERE, let_go(LEFT)]


def test_a_second_finger_neither_moves_nor_lifts_the_first(done) -> None:
    done(finger(ContactKind.DOWN))

    assert done(*(finger(kind, 2, THERE) for kind in ContactKind if kind.value < 5)) == []
    assert done(finger(ContactKind.UP)) == [HERE, let_go(LEFT)]
    assert done(finger(ContactKind.DOWN, 2)) == [HERE, press(LEFT)]


@pytest.mark.parametrize("kind", [ContactKind.CANCEL, ContactKind.CANCEL_ALL])
def test_a_finger_that_is_taken_back_lets_go_where_it_was(done, kind: ContactKind) -> None:
    done(finger(ContactKind.DOWN))

    assert done(finger(kind, at=THERE), finger(kind, at=THERE)) == [let_go(LEFT)]


def test_a_hovering_finger_moves_the_pointer(done) -> None:
    assert done(finger(ContactKind.HOVER), finger(ContactKind.HOVER_LEAVE)) == [HERE]


def test_a_pen_points_draws_and_is_lifted(done) -> None:
    assert done(
        pen(ContactKind.HOVER),
        pen(ContactKind.DOWN),
        pen(ContactKind.MOVE, at=THERE),
        pen(ContactKind.UP, at=THERE),
        pen(ContactKind.HOVER_LEAVE),
    ) == [HERE, HERE, press(LEFT), THERE, THERE, let_go(LEFT)]


@pytest.mark.parametrize(
    ("button", "expected"),
    [
        (PenButtons.PRIMARY, PointerButton.RIGHT),
        (PenButtons.SECONDARY, PointerButton.MIDDLE),
        (PenButtons.TERTIARY, PointerButton.BACK),
    ],
)
def test_the_buttons_of_a_pen_are_the_mouses_others(done, button, expected) -> None:
    assert done(pen(ContactKind.HOVER, button), pen(ContactKind.BUTTON_ONLY)) == [
        *(HERE, press(expected)),
        let_go(expected),
    ]


def test_a_tip_that_comes_down_with_the_button_held_is_no_left_click(done) -> None:
    assert done(
        pen(ContactKind.DOWN, PenButtons.PRIMARY), pen(ContactKind.UP, PenButtons.NONE)
    ) == [HERE, press(RIGHT), HERE, let_go(RIGHT)]


@pytest.mark.parametrize(
    "kind", [ContactKind.HOVER_LEAVE, ContactKind.CANCEL, ContactKind.CANCEL_ALL]
)
def test_a_pen_that_is_gone_holds_nothing(done, kind: ContactKind) -> None:
    done(pen(ContactKind.DOWN))

    assert done(pen(kind, PenButtons.PRIMARY, at=THERE)) == [let_go(LEFT)]


def test_what_was_let_go_for_them_is_not_let_go_again() -> None:
    contacts = Contacts(touch=False, pen=False)
    contacts.as_taken(finger(ContactKind.DOWN))
    contacts.as_taken(pen(ContactKind.DOWN))

    contacts.forget()

    assert contacts.as_taken(finger(ContactKind.UP)) == []
    assert contacts.as_taken(pen(ContactKind.UP)) == [HERE]
