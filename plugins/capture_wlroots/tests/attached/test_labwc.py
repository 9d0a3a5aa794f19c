"""A desktop that makes no outputs at all: what is there is shown as it is."""

import sys
from pathlib import Path

import pytest
from punktfunk_capture_wlroots.desktops import running_desktop
from user_sway import program_in_chroot

from punktfunk.plugin import DriverUnavailable, KeyEvent

pytestmark = pytest.mark.desktop

CLIENT = Path(__file__).parents[1] / "lab_client.py"
A = KeyEvent(vk=0x41, evdev=30, pressed=True, modifiers=0)


@pytest.fixture
def labwc(seat, tmp_path, monkeypatch, wait) -> None:
    """Run one on a seat that plays the user's."""
    program = program_in_chroot("trixie", "labwc", tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(seat.runtime_dir))
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    environment = {
        "WLR_BACKENDS": "headless",
        "WLR_RENDERER": "pixman",
        "WLR_LIBINPUT_NO_DEVICES": "1",
    }
    seat.spawn("labwc", [program], environment=environment)

    def is_up() -> bool:
        try:
            return running_desktop(seat.host_environment).name == "labwc"
        except DriverUnavailable:
            return False

    wait(is_up, lambda: seat.log_tail("labwc"))


def test_it_is_shown_and_steered(labwc, attach, seat, tmp_path, watch_client, caplog) -> None:
    session = attach()
    events = tmp_path / "events"
    seat.spawn(
        "client",
        [sys.executable, str(CLIENT), "counter", str(events)],
        environment=session.display.environment,
    )
    client = watch_client(events)
    mode = session.display.mode
    client.wait_for("shown", width=mode.width_px)
    capture, devices = session.capture(), session.input()
    client.wait_for("focus")  # which needs a keyboard, and there was none

    sizes = set()
    for _ in range(10):
        frame = capture.read(5.0)
        sizes.add((frame.width_px, frame.height_px))
        frame.release()
    devices.handle(A)

    client.wait_for("key", key=30, state=1)
    assert sizes == {(mode.width_px, mode.height_px)}
    assert "cannot make an output" in caplog.text
    assert session.seat.recorded == []
