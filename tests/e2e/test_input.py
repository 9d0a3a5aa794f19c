"""What the player's hands do arrives at the session's input driver, whole and in order."""

from typing import Any

import pytest
from harness import MoonlightClient
from host_process import HostProcess, eventually
from proof import input_events, play

pytestmark = pytest.mark.e2e

A, KEY_A = 0x41, 30
SHIFT_HELD = 1
DOWN, UP = 1, 2
ACCELEROMETER, GYRO = 1, 2


@pytest.fixture
def streaming(host: HostProcess, client: MoonlightClient) -> MoonlightClient:
    play(client, width=640, height=360, fps=30, bitrate_kbps=2_000)
    client.wait_frames(15)
    return client


def arrived(host: HostProcess, count: int, *kinds: str) -> list[dict[str, Any]]:
    """The events, once there are so many of these kinds."""

    def found() -> list[dict[str, Any]]:
        return [event for event in input_events(host) if not kinds or event["event"] in kinds]

    eventually(
        lambda: len(found()) >= count, 3, lambda: f"{count} events, not {input_events(host)}"
    )
    assert len(found()) == count
    return found()


def test_keys_arrive_with_their_position_and_modifiers(
    host: HostProcess, streaming: MoonlightClient
) -> None:
    streaming.key(A, modifiers=SHIFT_HELD)
    down, up = arrived(host, 2)
    assert (down["event"], down["vk"], down["evdev"]) == ("KeyEvent", A, KEY_A)
    assert (down["pressed"], up["pressed"]) == (True, False)
    assert down["modifiers"] == SHIFT_HELD
    assert down["us_layout"] is True


def test_text_arrives_as_it_was_written(host: HostProcess, streaming: MoonlightClient) -> None:
    streaming.text("Grüße 🎮")
    eventually(lambda: typed(host) == "Grüße 🎮", 3, lambda: f"the text, not {typed(host)!r}")


def typed(host: HostProcess) -> str:
    return "".join(event["text"] for event in input_events(host) if event["event"] == "TextEvent")


def test_the_mouse_moves_clicks_and_scrolls(host: HostProcess, streaming: MoonlightClient) -> None:
    streaming.mouse_move(40, -25)
    streaming.mouse_button("right")
    streaming.scroll(240)
    streaming.scroll(-120, horizontal=True)
    motion = arrived(host, 1, "PointerMotion")
    assert (motion[0]["dx"], motion[0]["dy"]) == (40, -25)
    assert [event["pressed"] for event in arrived(host, 2, "ButtonEvent")] == [True, False]
    turned = arrived(host, 2, "ScrollEvent")
    assert sum(event["vertical_120ths"] for event in turned) == 240
    assert sum(event["horizontal_120ths"] for event in turned) == -120


def test_a_pointer_position_is_a_place_on_the_picture(
    host: HostProcess, streaming: MoonlightClient
) -> None:
    streaming.mouse_position(480, 90, 640, 360)
    (position,) = arrived(host, 1, "PointerPosition")
    assert position["x"] == pytest.approx(0.75, abs=0.003)
    assert position["y"] == pytest.approx(0.25, abs=0.003)


def test_a_pad_is_plugged_in_used_and_taken_away(
    host: HostProcess, streaming: MoonlightClient
) -> None:
    streaming.pad_arrival(number=0, mask=1, kind="playstation", capabilities=0x3)
    streaming.pad(
        number=0, mask=1, buttons=["a", "lb"], lt=255, rt=7, lx=-32_768, ly=32_767, rx=1, ry=-1
    )
    arrival = arrived(host, 1, "PadArrival")[0]
    assert (arrival["pad"], arrival["capabilities"]) == (0, 0x3)

    def pressed() -> list[dict[str, Any]]:
        states = (event for event in input_events(host) if event["event"] == "PadState")
        return [event for event in states if event["buttons"]]

    eventually(pressed, 3, lambda: f"the pad's state, not {input_events(host)}")
    state = pressed()[-1]
    assert state["buttons"] == 0x1000 | 0x100
    assert (state["left_trigger"], state["right_trigger"]) == (255, 7)
    assert (state["left_x"], state["left_y"]) == (-32_768, 32_767)
    assert (state["right_x"], state["right_y"]) == (1, -1)

    streaming.pad(number=0, mask=0)
    assert arrived(host, 1, "PadRemoved")[0]["pad"] == 0


def test_a_finger_and_a_pen_touch_the_picture_where_they_should(
    host: HostProcess, streaming: MoonlightClient
) -> None:
    for kind in (DOWN, UP):
        streaming.request("touch", event=kind, pointer=7, x=0.25, y=0.75, pressure=0.5)
    streaming.request("pen", event=DOWN, x=0.5, y=0.125, pressure=1.0, tilt=30, rotation=90)
    finger = arrived(host, 2, "TouchEvent")
    assert [(event["kind"], event["pointer_id"]) for event in finger] == [(DOWN, 7), (UP, 7)]
    assert (finger[0]["x"], finger[0]["y"], finger[0]["pressure"]) == (0.25, 0.75, 0.5)
    (pen,) = arrived(host, 1, "PenEvent")
    assert (pen["x"], pen["y"], pen["tilt_deg"], pen["rotation_deg"]) == (0.5, 0.125, 30, 90)


def test_a_thousand_small_moves_add_up(host: HostProcess, streaming: MoonlightClient) -> None:
    for _ in range(500):
        streaming.mouse_move(2, 1)
        streaming.mouse_move(1, -1)

    def total() -> tuple[int, int]:
        moves = [event for event in input_events(host) if event["event"] == "PointerMotion"]
        return sum(event["dx"] for event in moves), sum(event["dy"] for event in moves)

    eventually(lambda: total() == (1_500, 0), 5, lambda: f"(1500, 0), not {total()}")


def test_keys_held_when_the_player_leaves_are_let_go(
    host: HostProcess, streaming: MoonlightClient
) -> None:
    streaming.key(A, "down")
    streaming.mouse_button("middle", "down")
    arrived(host, 2)
    streaming.stop()
    held = [event["pressed"] for event in arrived(host, 4)]
    assert held == [True, True, False, False]


def test_a_pad_feels_what_the_host_sends_back(streaming: MoonlightClient) -> None:
    every = 0x1 | 0x2 | 0x4 | 0x10 | 0x20 | 0x80  # triggers, both motors, sensors, light
    streaming.pad_arrival(number=0, mask=1, kind="playstation", capabilities=every)
    streaming.pad(number=0, mask=1, lt=255, rt=51)

    rumble = streaming.wait_event("rumble", where=lambda event: event["low"] > 0)
    triggers = streaming.wait_event("rumble_triggers", where=lambda event: event["left"] > 0)
    assert (rumble["pad"], rumble["low"], rumble["high"]) == (0, 65_535, 13_107)
    assert (triggers["left"], triggers["right"]) == (65_535, 13_107)
    assert streaming.wait_event("led")["rgb"] == [255, 64, 0]
    for sensor in (ACCELEROMETER, GYRO):
        streaming.wait_event("motion_state", where=lambda event, it=sensor: event["kind"] == it)
