"""The user's own sway: shown, steered, and afterwards exactly as it was."""

import os
import signal

import punktfunk_capture_wlroots as plugin
import pytest
from user_sway import SWAYS

from punktfunk.plugin import DriverFailed, DriverUnavailable, HostFacts, KeyEvent, VideoMode

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.parametrize("sway_program", SWAYS, indirect=True),
]

MODE = VideoMode(width_px=640, height_px=360, refresh_mhz=60_000)
A = KeyEvent(vk=0x41, evdev=30, pressed=True, modifiers=0)


def test_the_client_gets_an_output_of_its_own_and_the_user_keeps_theirs(
    host_of_outputs, attach, frame_number
) -> None:
    user = host_of_outputs
    user.start_client("still", "editor")
    before = user.looks()

    session = attach()
    during = user.outputs()
    assert session.display.mode == MODE
    assert during.keys() == {"HEADLESS-1", session.display.output}
    assert during["HEADLESS-1"]["rect"] == before[0]["rect"]
    assert during["HEADLESS-1"]["current_workspace"] == before[0]["current_workspace"]
    (effect,) = session.seat.effects
    assert effect.data["output"] == session.display.output

    app = user.start_client("counter", "app", session.display.environment)
    app.wait_for("shown", width=640, height=360)
    capture, devices = session.capture(), session.input()
    numbers = set()
    for _ in range(10):
        frame = capture.read(5.0)
        assert (frame.width_px, frame.height_px) == (640, 360)
        numbers.add(frame_number(frame))
        frame.release()
    assert len(numbers) > 5
    app.wait_for("focus")
    devices.handle(A)
    app.wait_for("key", key=30, state=1)

    user.stop_newest()
    session.close()
    assert user.looks() == before
    assert session.seat.effects == []


def test_an_output_that_could_not_be_removed_is_not_made(user, attach, caplog) -> None:
    if user.makes_outputs:
        pytest.skip("this sway can remove an output")
    client = user.start_client("still", "editor")
    client.wait_for("shown", width=800, height=600)
    before = user.looks()

    session = attach()

    assert session.display.output == "HEADLESS-1"
    assert (session.display.mode.width_px, session.display.mode.height_px) == (800, 600)
    assert session.seat.recorded == []
    assert "cannot make an output" in caplog.text
    frame = session.capture().read(5.0)
    picture = frame.planes[0].reshape(600, 800, 4)
    assert (picture[100, :400, :3] == [0, 0, 0xC0]).all()
    assert (picture[100, 400:, :3] == [0, 0xC0, 0]).all()
    frame.release()
    devices = session.input()
    client.wait_for("focus")
    devices.handle(A)
    client.wait_for("key", key=30, state=1)
    session.close()
    assert user.looks() == before


def test_an_existing_output_can_be_asked_for(user, attach) -> None:
    before = user.looks()

    session = attach(output="HEADLESS-1")

    assert session.display.output == "HEADLESS-1"
    assert session.seat.recorded == []
    assert user.looks() == before


def test_an_output_that_is_not_there_is_a_reason_with_the_names(user, attach) -> None:
    before = user.looks()

    with pytest.raises(DriverUnavailable, match="HDMI-A-9") as error:
        attach(output="HDMI-A-9")

    assert "HEADLESS-1" in error.value.hint
    assert user.looks() == before


def test_the_output_takes_the_next_clients_size(host_of_outputs, attach) -> None:
    session = attach()
    wanted = VideoMode(width_px=1024, height_px=768, refresh_mhz=30_000)

    display = session.compositor.resize(wanted)

    assert display.mode == wanted
    shown = host_of_outputs.outputs()[display.output]["current_mode"]
    assert (shown["width"], shown["height"], shown["refresh"]) == (1024, 768, 30_000)


def test_two_sessions_do_not_get_in_each_others_way(host_of_outputs, attach) -> None:
    before = host_of_outputs.looks()
    one, other = attach("seat-one"), attach("seat-other")
    assert one.display.output != other.display.output

    one.close()

    other.compositor.check()
    assert other.display.output in host_of_outputs.outputs()
    other.close()
    assert host_of_outputs.looks() == before


def test_an_output_that_somebody_removes_ends_the_capture(host_of_outputs, attach) -> None:
    session = attach()
    capture = session.capture()
    capture.read(5.0).release()

    host_of_outputs.tell(f"output {session.display.output} unplug")

    with pytest.raises(DriverFailed, match="output is gone"):
        for _ in range(10):
            frame = capture.read(5.0)
            if frame is not None:
                frame.release()
    with pytest.raises(DriverFailed, match="output is gone"):
        session.compositor.check()
    session.close()
    assert session.seat.effects == []


def test_an_output_that_somebody_resizes_goes_on_in_its_new_size(host_of_outputs, attach) -> None:
    session = attach()
    capture = session.capture()
    capture.read(5.0).release()

    host_of_outputs.tell(f"output {session.display.output} mode --custom 320x200@60Hz")

    frame = capture.read(10.0)
    assert (frame.width_px, frame.height_px) == (320, 200)
    frame.release()
    session.compositor.check()


def test_a_desktop_that_died_is_noticed_and_the_next_one_is_found(
    user, attach, wait, caplog
) -> None:
    session = attach()
    capture = session.capture()
    capture.read(5.0).release()

    os.kill(user.compositor.pid, signal.SIGKILL)
    with pytest.raises(DriverFailed):
        capture.read(60.0)
    with pytest.raises(DriverFailed):
        wait(session.compositor.check, "the end of the connection")
    caplog.clear()
    session.close()
    assert caplog.records == []
    assert session.seat.effects == []

    user.restart()
    before = user.looks()
    session.display = session.compositor.attach(session.seat, MODE)
    session.capture().read(5.0).release()
    session.close()
    assert user.looks() == before


def test_the_offer_says_what_would_be_shown(user) -> None:
    facts = HostFacts(environment={"XDG_RUNTIME_DIR": str(user.runtime)})

    _, offer = plugin.compositor_offers(host=facts)

    assert offer.attaches
    assert offer.availability.available
    own = "an output of the client's own"
    assert (own in offer.availability.reason) == user.makes_outputs
    (capture,) = plugin.capture_offers(host=facts)  # no sway in the PATH of these facts
    assert capture.availability.available
