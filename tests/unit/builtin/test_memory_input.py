import json
from types import SimpleNamespace

import pytest

from punktfunk.builtin.event_lines import EVENTS_FILE
from punktfunk.builtin.memory_input import MemoryInput
from punktfunk.drivers.compositor import Display
from punktfunk.errors import DriverFailed, DriverUnavailable
from punktfunk.model.input import (
    ButtonEvent,
    ContactKind,
    KeyEvent,
    PointerButton,
    PointerMotion,
    TouchEvent,
)
from punktfunk.model.video import VideoMode

MODE = VideoMode(width_px=640, height_px=360, refresh_mhz=60_000)


@pytest.fixture
def driver(tmp_path):
    driver = MemoryInput()
    seat = SimpleNamespace(runtime_dir=tmp_path)
    driver.open(seat, Display(compositor="null", mode=MODE), lambda feedback: None)
    yield driver
    driver.close()


@pytest.fixture
def written(tmp_path):
    def read():
        return [json.loads(line) for line in (tmp_path / EVENTS_FILE).read_text().splitlines()]

    return read


def test_events_are_readable_while_the_driver_runs(driver, written):
    driver.handle(KeyEvent(vk=0x41, evdev=30, pressed=True))
    driver.handle(ButtonEvent(PointerButton.RIGHT, True))
    driver.handle(PointerMotion(3, -4))

    assert written() == [
        {
            "event": "KeyEvent",
            "vk": 0x41,
            "evdev": 30,
            "pressed": True,
            "modifiers": 0,
            "us_layout": True,
        },
        {"event": "ButtonEvent", "button": 3, "pressed": True},
        {"event": "PointerMotion", "dx": 3, "dy": -4},
    ]


def test_releasing_all_lets_go_of_what_is_down_and_only_that(driver, written):
    driver.handle(KeyEvent(vk=0x41, evdev=30, pressed=True))
    driver.handle(KeyEvent(vk=0x42, evdev=48, pressed=True))
    driver.handle(KeyEvent(vk=0x42, evdev=48, pressed=False))
    driver.handle(ButtonEvent(PointerButton.LEFT, True))
    driver.handle(TouchEvent(kind=ContactKind.DOWN, pointer_id=7, x=0.5, y=0.5))
    before = len(written())

    driver.release_all()
    driver.release_all()

    released = written()[before:]
    assert [(e["event"], e.get("pressed", e.get("kind"))) for e in released] == [
        ("KeyEvent", False),
        ("ButtonEvent", False),
        ("TouchEvent", ContactKind.UP.value),
    ]
    assert driver.held == {}


def test_a_folder_that_cannot_be_written_is_a_reason(tmp_path):
    seat = SimpleNamespace(runtime_dir=tmp_path / "missing")

    with pytest.raises(DriverUnavailable, match="cannot write"):
        MemoryInput().open(seat, Display(compositor="null", mode=MODE), lambda feedback: None)


def test_a_closed_driver_says_so(driver):
    driver.close()
    driver.close()

    with pytest.raises(DriverFailed):
        driver.handle(PointerMotion(1, 1))
