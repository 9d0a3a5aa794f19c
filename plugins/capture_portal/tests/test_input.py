"""What a client does arrives at the desktop's backend, through the real xdg-desktop-portal."""

import os
import signal

import pytest

from punktfunk.plugin import (
    ButtonEvent,
    ContactKind,
    DriverFailed,
    DriverUnavailable,
    KeyEvent,
    Modifiers,
    PointerButton,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    TextEvent,
    TouchEvent,
)

KEY_A, KEY_LEFTCTRL = 30, 29
NODE = 42
WAKING = ["NotifyKeyboardKeycode", "NotifyKeyboardKeycode", "NotifyPointerMotion"]
"""What every session begins with: some desktops make a device at its first event."""


@pytest.fixture
def notified(make_fake, guest):
    """`notified(*events)`: what the desktop was told of them, without session and options."""
    _, backend = make_fake()
    display, _ = guest.attach()
    devices = guest.input(display)

    def run(*events):
        for event in events:
            devices.handle(event)
        # The last thing sent is the last that arrives.
        devices.handle(KeyEvent(vk=0, evdev=238, pressed=True))
        backend.wait_for("NotifyKeyboardKeycode", 238)
        return [(member, body[2:]) for member, body in backend.inputs()[len(WAKING) : -1]]

    run.devices = devices
    return run


def key(code: int, pressed: bool, modifiers: Modifiers = Modifiers.NONE) -> KeyEvent:
    return KeyEvent(vk=0, evdev=code, pressed=pressed, modifiers=modifiers)


@pytest.mark.desktop
def test_devices_are_there_before_the_first_key(make_fake, guest) -> None:
    _, backend = make_fake()
    display, _ = guest.attach()

    guest.input(display)

    backend.wait_for("NotifyPointerMotion", 0.0)
    assert [member for member, _ in backend.inputs()] == WAKING


@pytest.mark.desktop
def test_a_key_goes_down_and_up_and_repeats_are_one_press(notified) -> None:
    assert notified(key(KEY_A, True), key(KEY_A, True), key(KEY_A, False)) == [
        ("NotifyKeyboardKeycode", (KEY_A, 1)),
        ("NotifyKeyboardKeycode", (KEY_A, 0)),
    ]


@pytest.mark.desktop
def test_a_flagged_modifier_nobody_holds_is_pressed_around_the_key(notified) -> None:
    assert [body for _, body in notified(key(KEY_A, True, Modifiers.CTRL))] == [
        (KEY_LEFTCTRL, 1),
        (KEY_A, 1),
        (KEY_LEFTCTRL, 0),
    ]


@pytest.mark.desktop
def test_text_is_typed_by_what_it_means(notified) -> None:
    assert notified(TextEvent("é☃\n")) == [
        ("NotifyKeyboardKeysym", (keysym, state))
        for keysym in (0xE9, 0x0100_2603, 0xFF0D)
        for state in (1, 0)
    ]


@pytest.mark.desktop
def test_the_pointer_goes_where_it_is_sent_on_the_shared_screen(notified) -> None:
    assert notified(
        PointerPosition(0.25, 0.5), PointerMotion(7, -3), PointerPosition(1.0, 1.0)
    ) == [
        ("NotifyPointerMotionAbsolute", (NODE, 400.0, 450.0)),
        ("NotifyPointerMotion", (7.0, -3.0)),
        ("NotifyPointerMotionAbsolute", (NODE, 1599.0, 899.0)),
    ]


@pytest.mark.desktop
def test_what_is_typed_fast_arrives_in_order(notified) -> None:
    codes = [code for code in range(1, 100) for _ in range(2)]
    events = [key(code, not number % 2) for number, code in enumerate(codes)]

    assert [code for _, (code, _) in notified(*events)] == codes


@pytest.mark.desktop
def test_buttons_go_down_and_up(notified) -> None:
    events = [ButtonEvent(button, state) for button in PointerButton for state in (True, False)]

    assert [body for _, body in notified(*events)] == [
        (code, state) for code in (0x110, 0x112, 0x111, 0x113, 0x114) for state in (1, 0)
    ]


@pytest.mark.desktop
def test_a_notch_is_a_notch_and_a_part_of_one_a_way(notified) -> None:
    assert notified(
        ScrollEvent(vertical_120ths=-240),
        ScrollEvent(horizontal_120ths=120),
        ScrollEvent(vertical_120ths=30, horizontal_120ths=-60),
    ) == [
        ("NotifyPointerAxisDiscrete", (0, 2)),
        ("NotifyPointerAxisDiscrete", (1, 1)),
        ("NotifyPointerAxis", (-5.0, -2.5)),
    ]


@pytest.mark.desktop
def test_fingers_arrive_each_with_its_own_number(notified) -> None:
    def touch(kind: ContactKind, finger: int, x: float) -> TouchEvent:
        return TouchEvent(kind=kind, pointer_id=finger, x=x, y=0.5)

    assert notified(
        touch(ContactKind.DOWN, 7_000_000, 0.25),
        touch(ContactKind.DOWN, 9, 0.5),
        touch(ContactKind.MOVE, 7_000_000, 0.75),
        touch(ContactKind.HOVER, 11, 0.75),
        touch(ContactKind.UP, 7_000_000, 0.75),
        touch(ContactKind.CANCEL_ALL, 0, 0.0),
    ) == [
        ("NotifyTouchDown", (NODE, 0, 400.0, 450.0)),
        ("NotifyTouchDown", (NODE, 1, 800.0, 450.0)),
        ("NotifyTouchMotion", (NODE, 0, 1200.0, 450.0)),
        ("NotifyTouchUp", (0,)),
        ("NotifyTouchUp", (1,)),
    ]


@pytest.mark.desktop
def test_everything_held_is_released(notified) -> None:
    devices = notified.devices
    devices.handle(key(KEY_A, True))
    devices.handle(ButtonEvent(PointerButton.LEFT, True))
    assert devices.held == {KEY_A, 0x110}

    devices.release_all()
    devices.release_all()

    assert devices.held == frozenset()
    assert notified() == [
        ("NotifyKeyboardKeycode", (KEY_A, 1)),
        ("NotifyPointerButton", (0x110, 1)),
        ("NotifyKeyboardKeycode", (KEY_A, 0)),
        ("NotifyPointerButton", (0x110, 0)),
    ]


@pytest.mark.desktop
def test_what_was_not_allowed_is_not_sent(make_fake, guest, caplog) -> None:
    _, backend = make_fake(devices=1)
    display, _ = guest.attach()
    devices = guest.input(display)

    devices.handle(PointerMotion(1, 1))
    devices.handle(ButtonEvent(PointerButton.LEFT, True))
    devices.handle(key(KEY_A, True))

    backend.wait_for("NotifyKeyboardKeycode", KEY_A)
    assert {member for member, _ in backend.inputs()} == {"NotifyKeyboardKeycode"}
    assert "less input than was asked for" in caplog.text


@pytest.mark.desktop
def test_a_bus_that_is_gone_is_an_error(make_fake, guest, wait) -> None:
    user, _ = make_fake()
    display, _ = guest.attach()
    devices = guest.input(display)
    bus = user.process("bus")

    os.kill(bus.pid, signal.SIGKILL)
    wait(lambda: bus.exit_status() is not None, "it to end")

    def is_refused() -> bool:
        try:
            devices.handle(PointerMotion(1, 1))
        except DriverFailed as error:
            return "the desktop's portal is gone" in str(error)
        return False

    wait(is_refused, "a refusal")


@pytest.mark.desktop
def test_a_session_that_is_over_takes_no_devices(make_fake, guest) -> None:
    make_fake()
    display, compositor = guest.attach()
    compositor.close()

    with pytest.raises(DriverUnavailable, match="shares no screen"):
        guest.input(display)
