"""Whose events are whose, and what a gamepad driver that fails costs."""

import json
from collections.abc import Callable, Iterator

import attrs
import pytest

from punktfunk.builtin.event_lines import EVENTS_FILE
from punktfunk.model.input import (
    EnableHaptics,
    Feedback,
    KeyEvent,
    PadArrival,
    PadState,
)
from punktfunk.model.pads import PadButtons, PadCapabilities, PadType
from punktfunk.model.session import DriverRef, SessionPlan
from punktfunk.session.drivers import imported
from punktfunk.session.stage import Stage

KEY = KeyEvent(vk=0x41, evdev=30, pressed=True)
A, B = PadState(pad=0, buttons=PadButtons.A), PadState(pad=0, buttons=PadButtons.B)


@pytest.fixture
def feedback() -> list[Feedback]:
    return []


@pytest.fixture
def set_stage(
    make_plan: Callable[..., SessionPlan], feedback: list[Feedback], install_faulty: None
) -> Iterator[Callable[..., Stage]]:
    """`set_stage(gamepad)`: a session's world with that gamepad driver."""
    stages = []
    imported.cache_clear()

    def start(gamepad: str | None) -> Stage:
        ref = DriverRef(name=gamepad) if gamepad else None
        stage = Stage(attrs.evolve(make_plan(), gamepad=ref, client="5f" * 32), lambda: None)
        stages.append(stage)
        stage.set(feedback.append)
        return stage

    yield start
    for stage in stages:
        stage.strike()
    imported.cache_clear()


def lines(stage: Stage) -> list[str]:
    path = stage.seat.runtime_dir / EVENTS_FILE
    return [json.loads(line)["event"] for line in path.read_text().splitlines()]


def test_pads_and_all_else_go_to_their_own_drivers(set_stage, feedback) -> None:
    stage = set_stage("memory")
    arrival = PadArrival(
        pad=0,
        type=PadType.PLAYSTATION,
        capabilities=PadCapabilities.RGB_LED,
        buttons=PadButtons.NONE,
    )

    for event in (KEY, EnableHaptics(), arrival, A):
        stage.handle(event)

    assert lines(stage) == ["KeyEvent", "EnableHaptics", "PadArrival", "PadState"]
    assert set(stage.gamepads._driver.held) == {0}  # type: ignore[union-attr]
    assert [key for key, _ in stage.screen._input.held] == [KeyEvent]  # type: ignore[attr-defined]
    assert feedback


def test_nothing_stays_pressed_on_either(set_stage) -> None:
    stage = set_stage("memory")
    stage.handle(KEY)
    stage.handle(A)

    stage.release_all()

    assert lines(stage) == ["KeyEvent", "PadState", "PadState", "KeyEvent"]


def test_a_session_without_gamepads_takes_keys_and_drops_pads(set_stage) -> None:
    stage = set_stage(None)

    stage.handle(A)
    stage.handle(KEY)
    stage.release_all()

    assert lines(stage) == ["KeyEvent", "KeyEvent"]


@pytest.mark.parametrize("name", ["forbidden", "nowhere_installed"])
def test_gamepads_that_cannot_run_cost_only_themselves(set_stage, caplog, name: str) -> None:
    stage = set_stage(name)

    stage.handle(A)
    stage.handle(KEY)

    assert lines(stage) == ["KeyEvent"]
    assert [it.levelname for it in caplog.records if "no gamepads" in it.message] == ["WARNING"]


def test_gamepads_that_break_are_named_once_and_heard_no_more(set_stage, caplog, feedback) -> None:
    stage = set_stage("flimsy")
    stage.handle(A)
    assert len(feedback) == 1
    driver = stage.gamepads._driver

    stage.handle(B)
    stage.handle(B)
    driver.handle(A)
    stage.release_all()
    stage.handle(KEY)

    assert len(feedback) == 1
    assert lines(stage) == ["KeyEvent"]
    assert len([it for it in caplog.records if "no gamepads from now on" in it.message]) == 1


def test_the_seat_says_whose_session_it_is(set_stage) -> None:
    assert set_stage(None).seat.client == "5f" * 32
