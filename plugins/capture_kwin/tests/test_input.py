import os
import signal

import pytest

from punktfunk.plugin import (
    ButtonEvent,
    ContactKind,
    DriverFailed,
    DriverUnavailable,
    KeyEvent,
    LaunchSpec,
    Modifiers,
    PointerButton,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    TouchEvent,
)

pytestmark = pytest.mark.desktop

KEY_A, KEY_Q, KEY_Y, KEY_ENTER, KEY_LEFTSHIFT, KEY_LEFTCTRL = 30, 16, 21, 28, 42, 29
BUTTON_LEFT = 0x110


def key(code: int, pressed: bool, modifiers: Modifiers = Modifiers.NONE) -> KeyEvent:
    return KeyEvent(vk=0, evdev=code, pressed=pressed, modifiers=modifiers)


def tap(devices, code: int, modifiers: Modifiers = Modifiers.NONE) -> None:
    devices.handle(key(code, True, modifiers))
    devices.handle(key(code, False, modifiers))


@pytest.fixture
def client_and_devices(make_desk):
    desk = make_desk()
    devices = desk.input()
    return desk.start_client("still"), devices


@pytest.fixture
def type_into_terminal(make_desk, programs, wait):
    """A terminal that waits for one line; what a test types is what is read."""
    programs("xterm", "Xwayland")

    def run(type_it, **settings: object) -> str:
        desk = make_desk(xwayland=True, **settings)
        devices = desk.input()
        folder = desk.seat.runtime_dir
        script = 'cd "$1"; touch ready; IFS= read -r line; printf %s "$line" >part; mv part line'
        desk.start(
            "terminal", LaunchSpec(argv=("xterm", "-e", "sh", "-c", script, "sh", str(folder)))
        )
        wait((folder / "ready").exists, "the terminal")
        desk.wait_for_window()
        type_it(devices)
        wait((folder / "line").exists, lambda: f"a line; {desk.seat.log_tail('terminal')}")
        return (folder / "line").read_text()

    return run


def test_a_key_goes_down_and_up(client_and_devices) -> None:
    client, devices = client_and_devices

    tap(devices, KEY_A)

    client.wait_for("key", key=KEY_A, state=0)
    assert [(e["key"], e["state"]) for e in client.events("key")] == [(KEY_A, 1), (KEY_A, 0)]


def test_a_repeated_press_is_one_press(client_and_devices) -> None:
    client, devices = client_and_devices

    for _ in range(3):
        devices.handle(key(KEY_A, True))
    devices.handle(key(KEY_A, False))
    tap(devices, KEY_Q)

    client.wait_for("key", key=KEY_Q, state=0)
    assert len(client.events("key")) == 4


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


def test_everything_held_is_released(client_and_devices) -> None:
    client, devices = client_and_devices
    devices.handle(PointerPosition(0.5, 0.5))
    devices.handle(key(KEY_LEFTSHIFT, True))
    devices.handle(key(KEY_A, True))
    devices.handle(ButtonEvent(PointerButton.LEFT, True))
    client.wait_for("button", button=BUTTON_LEFT, state=1)

    devices.release_all()
    devices.release_all()

    client.wait_for("key", key=KEY_A, state=0)
    client.wait_for("key", key=KEY_LEFTSHIFT, state=0)
    client.wait_for("button", button=BUTTON_LEFT, state=0)
    assert devices.held == frozenset()


def test_the_pointer_goes_where_it_is_sent(client_and_devices) -> None:
    client, devices = client_and_devices

    devices.handle(PointerPosition(0.25, 0.5))
    client.wait_for("motion", x=160.0, y=180.0)
    devices.handle(PointerMotion(10, -5))

    client.wait_for("motion", x=170.0, y=175.0)


def test_the_last_place_is_still_on_the_screen(client_and_devices) -> None:
    client, devices = client_and_devices

    devices.handle(PointerPosition(1.0, 1.0))

    client.wait_for("motion", x=639.0, y=359.0)


def test_a_notch_scrolls_down_and_right_as_the_client_means_it(client_and_devices) -> None:
    client, devices = client_and_devices
    devices.handle(PointerPosition(0.5, 0.5))

    devices.handle(ScrollEvent(vertical_120ths=-120, horizontal_120ths=120))

    assert client.wait_for("axis", axis=0)[0]["value"] == 15.0
    assert client.wait_for("axis", axis=1)[0]["value"] == 15.0


def test_keys_without_a_linux_code_are_ignored(client_and_devices) -> None:
    client, devices = client_and_devices

    devices.handle(KeyEvent(vk=7, evdev=None, pressed=True))
    devices.handle(KeyEvent(vk=7, evdev=600, pressed=True))
    tap(devices, KEY_A)

    client.wait_for("key", key=KEY_A, state=0)
    assert {e["key"] for e in client.events("key")} == {KEY_A}


def test_what_is_typed_arrives_in_a_terminal(type_into_terminal) -> None:
    def type_it(devices) -> None:
        tap(devices, KEY_A, Modifiers.SHIFT)
        tap(devices, KEY_Y)
        tap(devices, KEY_ENTER)

    assert type_into_terminal(type_it) == "Ay"


def test_keys_are_read_with_the_layout_that_is_set(type_into_terminal) -> None:
    def type_it(devices) -> None:
        tap(devices, KEY_Y)
        tap(devices, KEY_ENTER)

    assert type_into_terminal(type_it, keyboard_layout="de(nodeadkeys)") == "z"


def test_a_dead_compositor_is_an_error(make_desk, seat) -> None:
    desk = make_desk()
    devices = desk.input()
    kwin = next(process for process in seat.processes if process.name == "kwin")

    os.kill(kwin.pid, signal.SIGKILL)
    kwin.stop()

    with pytest.raises(DriverFailed):
        for _ in range(1_000):
            tap(devices, KEY_A)
    devices.close()


def test_no_compositor_is_a_reason(make_desk) -> None:
    desk = make_desk()
    desk.compositor.close()

    with pytest.raises(DriverUnavailable):
        desk.input()


def test_fingers_arrive_each_with_its_own_number(make_desk, programs, wait) -> None:
    programs("wev")
    desk = make_desk()
    devices = desk.input()
    wev = desk.start("wev", LaunchSpec(argv=("stdbuf", "-oL", "wev")))

    def printed(text: str) -> bool:
        return text in desk.seat.log_tail("wev", 1_000)

    wait(lambda: printed("activated"), "wev to start")
    down = {7_000_000: (0.5, 0.5), 9: (0.6, 0.6)}

    def touch() -> bool:
        for finger, (x, y) in down.items():
            devices.handle(TouchEvent(kind=ContactKind.DOWN, pointer_id=finger, x=x, y=y))
        for finger, (x, y) in down.items():
            devices.handle(TouchEvent(kind=ContactKind.MOVE, pointer_id=finger, x=x + 0.1, y=y))
        for finger, (x, y) in down.items():
            devices.handle(TouchEvent(kind=ContactKind.UP, pointer_id=finger, x=x, y=y))
        return printed("id: 0") and printed("id: 1") and printed("up")

    wait(touch, lambda: f"touches; {desk.seat.log_tail('wev', 30)}")
    assert wev.exit_status() is None
