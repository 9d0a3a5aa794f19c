"""What a host that was killed left on the user's desktop, found by what it wrote down."""

import json
import os
import signal
import subprocess
import sys

import attrs
import punktfunk_capture_wlroots as plugin
import pytest
from user_sway import SWAYS

from punktfunk.plugin import Effect, HostFacts

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.parametrize("sway_program", SWAYS, indirect=True),
]

_OWNER = """
import json, sys, time, attrs
from punktfunk.plugin import VideoMode
from punktfunk.testing import FakeSeat
from punktfunk_capture_wlroots.compositor import WlrootsCompositor
seat = FakeSeat("seat-left")
WlrootsCompositor().attach(seat, VideoMode(width_px=640, height_px=360, refresh_mhz=60_000))
print(json.dumps([attrs.asdict(effect) for effect in seat.effects]), flush=True)
time.sleep(600)
"""


def undo(effect: Effect) -> bool:
    return plugin.effect_undo(effect=effect, host=HostFacts())


@pytest.fixture
def left_behind(host_of_outputs) -> Effect:
    """The effect of a session whose owner was killed without warning."""
    with subprocess.Popen([sys.executable, "-c", _OWNER], stdout=subprocess.PIPE) as owner:
        (effect,) = (Effect(**each) for each in json.loads(owner.stdout.readline()))
        owner.kill()
    return effect


def test_nothing_is_left_after_a_kill_without_warning(host_of_outputs, left_behind) -> None:
    assert len(host_of_outputs.outputs()) == 2

    assert undo(left_behind)

    assert host_of_outputs.looks() == host_of_outputs.looked
    assert undo(left_behind)


def test_an_app_that_outlives_its_output_goes_without_a_trace(
    host_of_outputs, left_behind, wait
) -> None:
    host_of_outputs.start_client("counter", "app")
    assert undo(left_behind)

    host_of_outputs.stop_newest()

    wait(
        lambda: host_of_outputs.looks() == host_of_outputs.looked,
        lambda: f"{host_of_outputs.looks()}",
    )


def test_an_output_made_but_not_written_down_is_found_again(host_of_outputs, attach) -> None:
    before = host_of_outputs.looks()
    session = attach()
    planned = session.seat.recorded[0]
    assert planned.data["output"] == ""
    host_of_outputs.tell("create_output")
    assert len(host_of_outputs.outputs()) == 3

    assert undo(planned)

    assert host_of_outputs.outputs().keys() == {"HEADLESS-1", session.display.output}
    assert undo(planned)  # it was not made at all, as far as anybody can see
    assert host_of_outputs.outputs().keys() == {"HEADLESS-1", session.display.output}
    session.close()
    assert host_of_outputs.looks() == before


def test_an_output_in_use_is_not_taken_for_a_lost_one(host_of_outputs, attach) -> None:
    session = attach()
    planned = session.seat.recorded[0]
    session.close()
    host_of_outputs.tell("create_output")
    made = (host_of_outputs.outputs().keys() - {"HEADLESS-1"}).pop()
    host_of_outputs.tell(f"focus output {made}")
    host_of_outputs.start_client("still", "theirs")

    assert undo(planned)

    assert made in host_of_outputs.outputs()


def test_another_compositors_output_of_that_name_is_left_alone(host_of_outputs, attach) -> None:
    session = attach()
    (effect,) = session.seat.effects
    stranger = attrs.evolve(effect, data={**effect.data, "pid": os.getpid()})

    assert undo(stranger)

    assert session.display.output in host_of_outputs.outputs()


def test_an_output_that_was_there_before_is_never_removed(host_of_outputs, attach) -> None:
    session = attach()
    (effect,) = session.seat.effects
    damaged = attrs.evolve(effect, data={**effect.data, "output": "HEADLESS-1"})

    assert undo(damaged)

    assert "HEADLESS-1" in host_of_outputs.outputs()


def test_a_desktop_that_does_not_answer_is_tried_again(host_of_outputs, attach) -> None:
    session = attach()
    (effect,) = session.seat.effects

    os.kill(host_of_outputs.compositor.pid, signal.SIGSTOP)
    try:
        assert not undo(effect)
    finally:
        os.kill(host_of_outputs.compositor.pid, signal.SIGCONT)

    assert undo(effect)
