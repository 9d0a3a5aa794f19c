import os
import signal
import socket
from pathlib import Path

import pytest
from punktfunk_capture_gamescope import eis
from punktfunk_capture_gamescope.eis import EisConnection
from punktfunk_capture_gamescope.hands import Hands
from punktfunk_capture_gamescope.input import GamescopeInput

from punktfunk.plugin import (
    ButtonEvent,
    ContactKind,
    Display,
    DriverFailed,
    DriverUnavailable,
    KeyEvent,
    Modifiers,
    PointerButton,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    TouchEvent,
    VideoMode,
)

MODE = VideoMode(width_px=1280, height_px=720, refresh_mhz=60_000)
A = KeyEvent(vk=0x41, evdev=30, pressed=True)


def display(runtime: Path) -> Display:
    environment = {"XDG_RUNTIME_DIR": str(runtime)}
    return Display(compositor="gamescope", mode=MODE, output="gamescope-0", environment=environment)


@pytest.fixture
def devices(eis_server, seat, request):
    """Input on a server like gamescope's, and the server."""
    server = eis_server()
    driver = GamescopeInput()
    request.addfinalizer(driver.close)
    driver.open(seat, display(seat.runtime_dir), lambda feedback: None)
    return driver, server


def test_everything_a_mouse_does_arrives(devices) -> None:
    driver, server = devices

    driver.handle(PointerMotion(5, -7))
    driver.handle(PointerPosition(0.5, 0.25))
    driver.handle(ButtonEvent(PointerButton.RIGHT, True))
    driver.handle(ButtonEvent(PointerButton.RIGHT, False))
    driver.handle(ScrollEvent(vertical_120ths=120, horizontal_120ths=-30))

    server.events.wait_for("frame", 5)
    assert [event for event in server.events.all() if event["kind"] != "frame"][1:] == [
        {"kind": "motion", "x": 5.0, "y": -7.0},
        {"kind": "position", "x": 640.0, "y": 180.0},
        {"kind": "button", "code": 0x111, "pressed": True},
        {"kind": "button", "code": 0x111, "pressed": False},
        {"kind": "scroll", "x": -30, "y": -120},
    ]


def test_the_last_pixel_is_on_the_picture(devices) -> None:
    driver, server = devices

    driver.handle(PointerPosition(1.0, 1.0))

    (event,) = server.events.wait_for("position")
    assert (event["x"], event["y"]) == (1279.0, 719.0)


def test_a_key_goes_down_once_and_up_once(devices) -> None:
    driver, server = devices

    for pressed in (True, True, False, False):
        driver.handle(KeyEvent(vk=0x41, evdev=30, pressed=pressed))
    driver.handle(KeyEvent(vk=0x07, evdev=None, pressed=True))
    driver.handle(KeyEvent(vk=0x08, evdev=0x110, pressed=True))
    driver.handle(PointerMotion(1, 1))

    server.events.wait_for("motion")
    assert server.events.of("key") == [
        {"kind": "key", "code": 30, "pressed": True},
        {"kind": "key", "code": 30, "pressed": False},
    ]


def test_a_modifier_that_nobody_holds_is_pressed_around_the_key(devices) -> None:
    driver, server = devices

    driver.handle(KeyEvent(vk=0x41, evdev=30, pressed=True, modifiers=Modifiers.SHIFT))

    keys = [(event["code"], event["pressed"]) for event in server.events.wait_for("key", 3)]
    assert keys == [(42, True), (30, True), (42, False)]
    assert driver.held == {30}


def test_everything_that_is_down_is_let_go(devices) -> None:
    driver, server = devices
    driver.handle(A)
    driver.handle(ButtonEvent(PointerButton.LEFT, True))

    driver.release_all()

    assert driver.held == frozenset()
    assert server.events.wait_for("key", 2)[1] == {"kind": "key", "code": 30, "pressed": False}
    assert not server.events.wait_for("button", 2)[1]["pressed"]


def test_closing_lets_go_because_gamescope_does_not(devices) -> None:
    driver, server = devices
    driver.handle(A)

    driver.close()

    server.events.wait_for("left")
    assert server.events.of("key")[-1] == {"kind": "key", "code": 30, "pressed": False}


def test_touch_is_ignored_where_no_device_has_it(devices) -> None:
    driver, server = devices

    driver.handle(TouchEvent(kind=ContactKind.DOWN, pointer_id=1, x=0.5, y=0.5))
    driver.handle(PointerMotion(1, 1))

    server.events.wait_for("motion")
    assert server.events.of("down") == []


def test_a_finger_goes_down_moves_and_is_lifted(eis_server, connect) -> None:
    server = eis_server("many")
    hands = Hands(connect(server), (1280, 720), "right")

    for kind in (ContactKind.DOWN, ContactKind.MOVE, ContactKind.UP):
        hands.touch(TouchEvent(kind=kind, pointer_id=7, x=0.5, y=0.5))
    for finger in range(20):
        hands.touch(TouchEvent(kind=ContactKind.DOWN, pointer_id=finger, x=0.0, y=0.0))
    hands.touch(TouchEvent(kind=ContactKind.CANCEL_ALL, pointer_id=0, x=0.0, y=0.0))

    server.events.wait_for("up", 17)
    downs = server.events.of("down")
    assert downs[0] == {"kind": "down", "x": 1300.0, "y": 350.0}
    assert server.events.of("drag") == [{"kind": "drag", "x": 1300.0, "y": 350.0}]
    assert len(downs) == len(server.events.of("up")) == 17


@pytest.mark.parametrize(("output", "expected"), [("right", (1300, 350)), ("", (400, 300))])
def test_a_position_is_on_the_screen_that_is_streamed(
    eis_server, connect, output, expected
) -> None:
    server = eis_server("many")
    hands = Hands(connect(server), (1280, 720), output)

    hands.move_to(PointerPosition(0.5, 0.5))

    (event,) = server.events.wait_for("position")
    assert (event["x"], event["y"]) == expected


def test_a_paused_device_is_left_alone_until_it_is_resumed(eis_server, connect, wait) -> None:
    server = eis_server()
    connection = connect(server)
    hands = Hands(connection, (1280, 720))
    server.tell("pause")

    wait(connection.update, "the pause")
    hands.key(A)
    assert hands.held == frozenset()
    server.tell("resume")

    def is_back() -> bool:
        hands.update()
        hands.key(A)
        return bool(hands.held)

    wait(is_back, "the device to come back")
    assert server.events.wait_for("key") == [{"kind": "key", "code": 30, "pressed": True}]


def test_a_device_that_is_taken_away_takes_its_keys_with_it(devices, wait) -> None:
    driver, server = devices
    driver.handle(A)
    server.events.wait_for("key")
    server.tell("remove")

    def is_up() -> bool:
        driver.handle(PointerMotion(1, 1))
        return not driver.held

    wait(is_up, "the key to be up")
    driver.release_all()
    driver.handle(A)

    assert driver.held == frozenset()


@pytest.mark.parametrize("how", ["quit", "kill"])
def test_a_server_that_ends_is_a_failure_in_words(devices, how: str) -> None:
    driver, server = devices
    driver.handle(A)
    server.tell("quit") if how == "quit" else os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()

    with pytest.raises(DriverFailed, match="gone"):
        driver.handle(PointerMotion(1, 1))
    driver.close()


def test_a_server_that_says_nothing_is_given_up(eis_server, monkeypatch) -> None:
    monkeypatch.setattr(eis, "READY_S", 0.5)
    server = eis_server("silent")

    with pytest.raises(DriverUnavailable, match="does not answer"):
        EisConnection(server.socket, "test")


def test_a_connection_by_descriptor_does_the_same(eis_server) -> None:
    server = eis_server()
    with socket.socket(socket.AF_UNIX) as ours:
        ours.connect(str(server.socket))
        connection = EisConnection(os.dup(ours.fileno()), "test")

        Hands(connection, (100, 100)).move(PointerMotion(3, 4))
        server.events.wait_for("motion")
        connection.close()

    server.events.wait_for("left")


def test_what_is_typed_is_in_no_log(devices, caplog) -> None:
    caplog.set_level("DEBUG")
    driver, server = devices

    driver.handle(A)

    server.events.wait_for("key")
    assert caplog.text == ""


def test_a_gamescope_without_input_is_a_reason_and_a_hint(seat) -> None:
    driver = GamescopeInput()

    with pytest.raises(DriverUnavailable, match="takes no input") as error:
        driver.open(seat, display(seat.runtime_dir), lambda feedback: None)

    assert "libeis" in error.value.hint


def test_without_libei_the_reason_says_what_to_install(seat, monkeypatch) -> None:
    monkeypatch.setattr(eis, "is_installed", lambda: False)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(seat.runtime_dir / "gamescope-0-ei"))

        with pytest.raises(DriverUnavailable, match=r"libei\.so\.1 is not installed") as error:
            GamescopeInput().open(seat, display(seat.runtime_dir), lambda feedback: None)

    assert "apt install libei1" in error.value.hint


def test_an_unopened_driver_says_so() -> None:
    with pytest.raises(DriverFailed, match="not open"):
        GamescopeInput().handle(A)
