"""The X server of somebody else: seen, steered, and left as it was."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import punktfunk_capture_x11 as plugin
import pytest
import xcffib.randr
from punktfunk_capture_x11.authority import PROTOCOL, read_cookie
from punktfunk_capture_x11.capture import X11Capture
from punktfunk_capture_x11.compositor import X11Compositor
from punktfunk_capture_x11.connection import Connection
from punktfunk_capture_x11.input import X11Input
from punktfunk_capture_x11.running import running_server

from punktfunk.plugin import (
    DriverFailed,
    DriverUnavailable,
    Effect,
    HostFacts,
    KeyEvent,
    PointerPosition,
    TextEvent,
    VideoMode,
)
from punktfunk.testing import FakeSeat

pytestmark = pytest.mark.desktop

MODE = VideoMode(width_px=1_280, height_px=720, refresh_mhz=60_000)
KEY_A, KEY_B = 30, 48

_GUEST = """
import json, sys, time
from punktfunk.plugin import KeyEvent, TextEvent, VideoMode
from punktfunk.testing import FakeSeat
from punktfunk_capture_x11.compositor import X11Compositor
from punktfunk_capture_x11.input import X11Input
seat, compositor, devices = FakeSeat("seat-guest"), X11Compositor(), X11Input()
display = compositor.attach(seat, VideoMode(width_px=640, height_px=360, refresh_mhz=60_000))
devices.open(seat, display, lambda feedback: None)
devices.handle(TextEvent(text="\\u00e6\\u03a9"))
devices.handle(KeyEvent(vk=0, evdev=30, pressed=True))
(effect,) = seat.effects
print(json.dumps([effect.kind, dict(effect.data), str(seat.runtime_dir)]), flush=True)
time.sleep(60)
"""


class Guest:
    """The drivers of a session that looks at somebody's desktop."""

    def __init__(self, seat: FakeSeat, **settings: object) -> None:
        self.seat, self.compositor = seat, X11Compositor(settings)
        self.capture, self.devices = X11Capture(), X11Input()
        self.display = self.compositor.attach(seat, MODE)
        self.capture.open(seat, self.display, MODE)
        self.devices.open(seat, self.display, lambda feedback: None)

    def close(self) -> None:
        for driver in (self.devices, self.capture, self.compositor):
            driver.close()


@pytest.fixture
def desktop(make_desk: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Somebody's desktop, which the variables of this process lead to."""
    desk = make_desk(640, 360)
    for name in ("DISPLAY", "XAUTHORITY"):
        monkeypatch.setenv(name, desk.display.environment[name])
    return desk


@pytest.fixture
def look(desktop: Any, other_seat: FakeSeat) -> Iterator[Callable[..., Guest]]:
    guests = []

    def make(**settings: object) -> Guest:
        guests.append(Guest(other_seat, **settings))
        return guests[-1]

    yield make
    for guest in guests:
        guest.close()


@pytest.fixture
def on_desktop(desktop: Any) -> Iterator[Connection]:
    connection = Connection(desktop.display.environment)
    yield connection
    connection.close()


def keyboard(connection: Connection) -> list[int]:
    answer = connection.reply(connection.core.GetKeyboardMapping(8, 248))
    return list(answer.keysyms)


def keys_down(connection: Connection) -> bool:
    return any(connection.reply(connection.core.QueryKeymap()).keys)


def pointer(connection: Connection) -> tuple[int, int]:
    place = connection.reply(connection.core.QueryPointer(connection.root))
    return place.root_x, place.root_y


def set_monitors(connection: Connection, **places: tuple[int, int, int, int]) -> None:
    randr = connection.extension(xcffib.randr, 1, 5)
    for name, place in places.items():
        atom = connection.reply(connection.core.InternAtom(False, len(name), name)).atom
        primary, size_mm = name == "right", (100, 100)
        info = xcffib.randr.MonitorInfo.synthetic(atom, primary, False, 0, *place, *size_mm, [])
        randr.SetMonitor(connection.root, info)
    connection.sync()


def test_its_picture_is_seen_and_its_programs_are_steered(look, desktop) -> None:
    client = desktop.start_client("counter")
    client.wait_for("focus")
    guest = look()

    frame = guest.capture.read(5)
    guest.devices.handle(KeyEvent(vk=0, evdev=KEY_A, pressed=True))
    client.wait_for("key", key=KEY_A, state=1)
    guest.devices.handle(PointerPosition(x=0.5, y=0.5))
    client.wait_for("motion", x=320, y=180)

    assert (frame.width_px, frame.height_px) == (640, 360)
    assert (guest.display.mode.width_px, guest.display.mode.refresh_mhz) == (640, 60_000)
    assert guest.seat.running == []
    guest.compositor.check()


def test_everything_is_as_it_was_when_the_session_ends(look, desktop, on_desktop) -> None:
    before = keyboard(on_desktop)
    client = desktop.start_client("still")
    client.wait_for("focus")
    guest = look()
    guest.devices.handle(TextEvent(text="æΩ"))
    guest.devices.handle(KeyEvent(vk=0, evdev=KEY_A, pressed=True))
    client.wait_for("key", key=KEY_A, state=1)
    assert keyboard(on_desktop) != before  # the key came later over the same connection

    guest.close()

    client.wait_for("key", key=KEY_A, state=0)
    assert keyboard(on_desktop) == before
    assert guest.seat.effects == []
    assert on_desktop.size() == (640, 360)


def test_everything_is_as_it_was_after_the_host_was_killed(desktop, on_desktop, wait) -> None:
    before = keyboard(on_desktop)
    argv = [sys.executable, "-c", _GUEST]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as guest:
        kind, data, folder = json.loads(guest.stdout.readline())
        wait(lambda: keys_down(on_desktop), "the key")
        guest.kill()
    effect = Effect(kind=kind, data=data)
    assert keys_down(on_desktop)

    assert plugin.effect_undo(effect=effect, host=HostFacts())

    assert not keys_down(on_desktop)
    assert keyboard(on_desktop) == before
    assert plugin.effect_undo(effect=effect, host=HostFacts())
    subprocess.run(["rm", "-r", str(Path(folder).parent)], check=True)


def test_a_key_that_somebody_has_given_another_meaning_meanwhile_keeps_it(look, on_desktop) -> None:
    guest = look()
    guest.devices.handle(TextEvent(text="æ"))
    (effect,) = guest.seat.effects
    spare = [int(code) for code in effect.data["spare"].split(",")]
    theirs = [0x61, 0x41]
    for code in spare:
        on_desktop.core.ChangeKeyboardMapping(1, code, 2, theirs)
    on_desktop.sync()

    guest.close()

    first = on_desktop.reply(on_desktop.core.GetKeyboardMapping(spare[0], 1))
    assert list(first.keysyms)[:2] == theirs


def test_one_of_several_monitors_is_seen_and_pointed_at(look, on_desktop, wait) -> None:
    set_monitors(on_desktop, left=(0, 0, 400, 360), right=(400, 0, 240, 360))

    primary, left = look(), look(output="left")

    frame = primary.capture.read(5)
    assert (frame.width_px, frame.height_px) == (240, 360)
    frame = left.capture.read(5)
    assert (frame.width_px, frame.height_px) == (400, 360)
    primary.devices.handle(PointerPosition(x=0.5, y=0.5))
    wait(lambda: pointer(on_desktop) == (400 + 120, 180), "the pointer")


def test_the_picture_of_a_monitor_is_that_part_of_the_screen(look, desktop, on_desktop) -> None:
    desktop.start_client("still")
    whole = look().capture.read(5).planes[0].copy()
    set_monitors(on_desktop, right=(160, 40, 320, 240))

    part = look().capture.read(5).planes[0]

    assert (part == whole[40:280, 4 * 160 : 4 * 480]).all()


def test_a_monitor_that_is_not_there_is_a_reason_with_the_names(look) -> None:
    with pytest.raises(DriverUnavailable, match="no monitor 'HDMI-9'") as refused:
        look(output="HDMI-9")

    assert "screen" in refused.value.hint


def test_a_server_that_ends_is_noticed(look, desktop, wait) -> None:
    guest = look()
    server = next(it for it in desktop.seat.running if it.name == "xvfb")
    os.kill(server.pid, signal.SIGKILL)
    wait(lambda: server.exit_status() is not None, "Xvfb to end")

    with pytest.raises(DriverFailed, match="gone"):
        guest.compositor.check()
    with pytest.raises(DriverFailed, match="gone"):
        guest.capture.read(5)


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({}, "no X server runs for this user"),
        ({"DISPLAY": ":98765"}, "not this machine's"),
        ({"DISPLAY": ":9876"}, "no X server runs for this user"),
        ({"DISPLAY": "localhost:10.0"}, "not this machine's"),
    ],
)
def test_without_a_server_of_this_user_there_is_a_reason_and_a_hint(
    environment: dict[str, str], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("punktfunk_capture_x11.running._own_servers", lambda: iter(()))

    _, running = plugin.compositor_offers(host=HostFacts(environment=environment))

    assert running.attaches
    assert reason in running.availability.reason
    assert 'mode = "own"' in running.availability.hint


def test_a_server_that_does_not_let_us_in_is_a_reason(desktop, tmp_path: Path) -> None:
    number = desktop.display.environment["DISPLAY"]
    stranger = tmp_path / "authority"
    stranger.write_bytes(b"")
    environment = {"DISPLAY": number, "XAUTHORITY": str(stranger)}

    _, running = plugin.compositor_offers(host=HostFacts(environment=environment))

    assert "has no cookie for display" in running.availability.reason


def test_a_server_that_lets_us_in_is_offered_with_its_monitor(desktop) -> None:
    host = HostFacts(environment=desktop.display.environment)

    _, running = plugin.compositor_offers(host=host)

    assert running.availability.available
    assert running.availability.reason == "the monitor screen"


def test_the_cookie_of_this_display_is_found_among_others(tmp_path: Path) -> None:
    def entry(family: int, *fields: bytes) -> bytes:
        lengths = b"".join(len(it).to_bytes(2, "big") + it for it in fields)
        return family.to_bytes(2, "big") + lengths

    here = os.uname().nodename.encode()
    file = tmp_path / "Xauthority"
    file.write_bytes(
        entry(0, b"\x0a\0\0\1", b"0", PROTOCOL, b"of another address")
        + entry(256, b"elsewhere", b"0", PROTOCOL, b"of another machine")
        + entry(256, here, b"1", PROTOCOL, b"of another display")
        + entry(256, here, b"0", b"XDM-AUTHORIZATION-1", b"of another kind")
        + entry(256, here, b"0", PROTOCOL, b"the one")
    )

    assert read_cookie(file, 0) == b"the one"
    file.write_bytes(file.read_bytes()[:-3] + b"\xff")
    with pytest.raises(DriverFailed):
        read_cookie(file, 7)


def test_the_authority_is_looked_for_where_login_screens_put_it(desktop, tmp_path: Path) -> None:
    number = desktop.display.environment["DISPLAY"]
    (tmp_path / "gdm").mkdir()
    gdm, home = tmp_path / "gdm" / "Xauthority", tmp_path / ".Xauthority"
    places = {"DISPLAY": number, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    assert running_server(places).authority is None
    home.touch()
    assert running_server(places).authority == home
    gdm.touch()
    assert running_server(places).authority == gdm
    assert running_server({**places, "XAUTHORITY": str(home)}).authority == home
