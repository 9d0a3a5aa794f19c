import os
import signal

import pytest

from punktfunk.plugin import (
    ButtonEvent,
    DriverFailed,
    DriverUnavailable,
    KeyEvent,
    LaunchSpec,
    Modifiers,
    PointerButton,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    TextEvent,
)

pytestmark = pytest.mark.desktop

KEY_A, KEY_Q, KEY_Z, KEY_ENTER, KEY_LEFTSHIFT, KEY_LEFTCTRL = 30, 16, 44, 28, 42, 29


def key(code: int, pressed: bool, modifiers: Modifiers = Modifiers.NONE) -> KeyEvent:
    return KeyEvent(vk=0, evdev=code, pressed=pressed, modifiers=modifiers)


def tap(devices, code: int, modifiers: Modifiers = Modifiers.NONE) -> None:
    devices.handle(key(code, True, modifiers))
    devices.handle(key(code, False, modifiers))


@pytest.fixture
def client_and_devices(make_desk):
    desk = make_desk(640, 360)
    devices = desk.input()
    client = desk.start_client("still")
    client.wait_for("focus")
    return client, devices


@pytest.fixture
def type_into_terminal(make_desk, wait):
    """A terminal that waits for one line; what a test types is what is read."""

    def run(type_it, **settings: object) -> str:
        desk = make_desk(640, 360)
        devices = desk.input(**settings)
        folder = desk.seat.runtime_dir
        script = 'cd "$1"; touch ready; IFS= read -r line; printf %s "$line" >part; mv part line'
        shell = ("sh", "-c", script, "sh", str(folder))
        desk.start("terminal", LaunchSpec(argv=("xterm", "-u8", "-e", *shell)))
        wait((folder / "ready").exists, "the terminal")
        desk.wait_for_focus()
        type_it(devices)
        wait((folder / "line").exists, lambda: f"a line; {desk.seat.log_tail('terminal')}")
        return (folder / "line").read_text()

    return run


def test_a_key_goes_down_and_up(client_and_devices) -> None:
    client, devices = client_and_devices

    tap(devices, KEY_A)

    client.wait_for("key", key=KEY_A, state=0)
    assert [(e["key"], e["state"]) for e in client.events("key")] == [(KEY_A, 1), (KEY_A, 0)]


def test_the_first_key_after_opening_is_not_lost(client_and_devices) -> None:
    client, devices = client_and_devices

    devices.handle(key(KEY_Z, True))

    client.wait_for("key", key=KEY_Z, state=1)


def test_a_repeated_press_is_one_press(client_and_devices) -> None:
    client, devices = client_and_devices

    for _ in range(3):
        devices.handle(key(KEY_A, True))
    devices.handle(key(KEY_A, False))
    tap(devices, KEY_Z)

    client.wait_for("key", key=KEY_Z, state=0)
    assert len(client.events("key")) == 4


def test_held_modifiers_are_reported_to_programs(client_and_devices) -> None:
    client, devices = client_and_devices

    devices.handle(key(KEY_LEFTSHIFT, True))
    tap(devices, KEY_A)
    devices.handle(key(KEY_LEFTSHIFT, False))
    tap(devices, KEY_Z)

    client.wait_for("key", key=KEY_A, state=1, modifiers=1)
    client.wait_for("key", key=KEY_Z, state=1, modifiers=0)


def test_a_flagged_modifier_nobody_holds_is_pressed_around_the_key(client_and_devices) -> None:
    client, devices = client_and_devices

    tap(devices, KEY_A, Modifiers.CTRL)

    client.wait_for("key", key=KEY_A, state=0)
    assert [(e["key"], e["state"]) for e in client.events("key")] == [
        (KEY_LEFTCTRL, 1),
        (KEY_A, 1),
        (KEY_LEFTCTRL, 0),
        (KEY_A, 0),
    ]


def test_a_flagged_modifier_that_is_held_is_not_pressed_again(client_and_devices) -> None:
    client, devices = client_and_devices

    devices.handle(key(KEY_LEFTSHIFT, True, Modifiers.SHIFT))
    tap(devices, KEY_A, Modifiers.SHIFT)
    devices.handle(key(KEY_LEFTSHIFT, False))

    client.wait_for("key", key=KEY_LEFTSHIFT, state=0)
    assert [e["key"] for e in client.events("key")] == [KEY_LEFTSHIFT, KEY_A, KEY_A, KEY_LEFTSHIFT]


def test_keys_without_a_linux_code_are_ignored(client_and_devices) -> None:
    client, devices = client_and_devices

    devices.handle(KeyEvent(vk=7, evdev=None, pressed=True))
    devices.handle(KeyEvent(vk=7, evdev=600, pressed=True))
    tap(devices, KEY_A)

    client.wait_for("key", key=KEY_A, state=0)
    assert {e["key"] for e in client.events("key")} == {KEY_A}


def test_everything_held_is_released(client_and_devices) -> None:
    client, devices = client_and_devices
    devices.handle(PointerPosition(0.5, 0.5))
    devices.handle(key(KEY_LEFTSHIFT, True))
    devices.handle(key(KEY_A, True))
    devices.handle(ButtonEvent(PointerButton.LEFT, True))

    devices.release_all()
    devices.release_all()

    client.wait_for("key", key=KEY_A, state=0)
    client.wait_for("key", key=KEY_LEFTSHIFT, state=0)
    client.wait_for("button", button=1, state=0)


def test_the_pointer_moves_by_counts(client_and_devices) -> None:
    client, devices = client_and_devices
    devices.handle(PointerPosition(0.5, 0.5))

    devices.handle(PointerMotion(10, -5))

    client.wait_for("motion", x=330, y=175)


@pytest.mark.parametrize(
    ("position", "x", "y"),
    [((0.0, 0.0), 0, 0), ((0.25, 0.75), 160, 270), ((1.0, 1.0), 640, 360)],
)
def test_the_pointer_goes_to_a_position(client_and_devices, position, x, y) -> None:
    client, devices = client_and_devices
    devices.handle(PointerPosition(0.5, 0.5))

    devices.handle(PointerPosition(*position))
    devices.handle(ButtonEvent(PointerButton.LEFT, True))

    client.wait_for("button")
    seen = (client.events("motion") or client.events("enter"))[-1]
    assert abs(seen["x"] - x) <= 1
    assert abs(seen["y"] - y) <= 1


def test_every_button_has_its_own_code(client_and_devices) -> None:
    client, devices = client_and_devices
    devices.handle(PointerPosition(0.5, 0.5))

    for button in PointerButton:
        devices.handle(ButtonEvent(button, True))
        devices.handle(ButtonEvent(button, False))

    client.wait_for("button", count=10)
    pressed = [e["button"] for e in client.events("button") if e["state"]]
    assert pressed == [1, 2, 3, 8, 9]


def test_a_notch_up_scrolls_up_and_a_notch_right_scrolls_right(client_and_devices) -> None:
    client, devices = client_and_devices
    devices.handle(PointerPosition(0.5, 0.5))

    devices.handle(ScrollEvent(vertical_120ths=120))
    devices.handle(ScrollEvent(vertical_120ths=-120))
    devices.handle(ScrollEvent(horizontal_120ths=240))
    devices.handle(ScrollEvent(horizontal_120ths=-120))

    client.wait_for("button", count=10)
    assert [e["button"] for e in client.events("button") if e["state"]] == [4, 5, 7, 7, 6]


def test_thirds_of_a_notch_count_together(client_and_devices) -> None:
    client, devices = client_and_devices
    devices.handle(PointerPosition(0.5, 0.5))

    for _ in range(7):
        devices.handle(ScrollEvent(vertical_120ths=-40))
    devices.handle(ButtonEvent(PointerButton.LEFT, True))

    client.wait_for("button", button=1, state=1)
    assert [e["button"] for e in client.events("button") if e["state"]] == [5, 5, 1]


def test_a_terminal_reads_what_the_keys_say(type_into_terminal) -> None:
    def type_it(devices) -> None:
        tap(devices, KEY_A)
        tap(devices, KEY_Q, Modifiers.SHIFT)
        tap(devices, KEY_Z)
        tap(devices, KEY_ENTER)

    assert type_into_terminal(type_it) == "aQz"


def test_keys_are_read_with_the_chosen_layout(type_into_terminal) -> None:
    def type_it(devices) -> None:
        tap(devices, KEY_Z)
        tap(devices, 26)
        tap(devices, KEY_ENTER)

    assert type_into_terminal(type_it, keyboard_layout="de(nodeadkeys)") == "yü"


def test_a_terminal_reads_text_as_it_was_sent(type_into_terminal) -> None:
    text = "Grüße, 世界 ~\\{}€ ñ🙂"

    def type_it(devices) -> None:
        for character in text:
            devices.handle(TextEvent(character))
        devices.handle(TextEvent("\n"))

    assert type_into_terminal(type_it) == text


def test_keys_work_as_before_after_text_was_typed(type_into_terminal) -> None:
    def type_it(devices) -> None:
        tap(devices, KEY_A)
        devices.handle(TextEvent("ж"))
        tap(devices, KEY_A, Modifiers.SHIFT)
        devices.handle(TextEvent("Ω"))
        tap(devices, KEY_A)
        tap(devices, KEY_ENTER)

    assert type_into_terminal(type_it) == "aжAΩa"


def test_text_is_not_changed_by_a_held_shift(type_into_terminal) -> None:
    def type_it(devices) -> None:
        devices.handle(key(KEY_LEFTSHIFT, True))
        devices.handle(TextEvent("ab1"))
        devices.handle(key(KEY_LEFTSHIFT, False))
        tap(devices, KEY_ENTER)

    assert type_into_terminal(type_it) == "ab1"


def test_a_killed_compositor_ends_the_devices(make_desk, seat) -> None:
    desk = make_desk()
    devices = desk.input()

    os.kill(seat.processes[0].pid, signal.SIGKILL)
    seat.processes[0].stop()

    with pytest.raises(DriverFailed):
        for _ in range(10):
            tap(devices, KEY_A)
    devices.close()


def test_a_layout_that_does_not_exist_is_a_reason(make_desk) -> None:
    desk = make_desk()

    with pytest.raises(DriverUnavailable, match="klingon"):
        desk.input(keyboard_layout="klingon")
