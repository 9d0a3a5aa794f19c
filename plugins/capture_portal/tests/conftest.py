"""The desktop of some user, on a folder of its own: bus, PipeWire, xdg-desktop-portal, and
behind it either sway with its real backend or a backend whose answers the test decides.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from desk import WAYLAND_CLIENT, need_programs, need_sweep, wait_until
from punktfunk_capture_portal.capture import PortalCapture
from punktfunk_capture_portal.compositor import PortalCompositor
from punktfunk_capture_portal.input import PortalInput

from punktfunk.plugin import Display, VideoMode
from punktfunk.testing import FakeSeat

sys.path.append(str(Path(__file__).parent))

from portal_backend import REMOTE_DESKTOP, SCREENCAST, Backend
from portal_mutter import MutterDesktop
from portal_user import PERMISSIONS, PORTAL, User

WLR_BACKEND = "/usr/libexec/xdg-desktop-portal-wlr"
MODE = VideoMode(width_px=640, height_px=360, refresh_mhz=60_000)


@attrs.define
class Guest:
    """A session of ours that attaches to the user's desktop."""

    seat: FakeSeat
    closers: list[Callable[[], None]] = attrs.field(factory=list)

    def attach(self, mode: VideoMode = MODE, **settings: object) -> tuple[Display, object]:
        compositor = PortalCompositor(settings)
        self.closers.append(compositor.close)
        return compositor.attach(self.seat, mode), compositor

    def capture(self, display: Display, mode: VideoMode = MODE) -> PortalCapture:
        driver = PortalCapture()
        self.closers.append(driver.close)
        driver.open(self.seat, display, mode)
        return driver

    def input(self, display: Display) -> PortalInput:
        driver = PortalInput()
        self.closers.append(driver.close)
        driver.open(self.seat, display, lambda feedback: None)
        return driver

    def leave(self) -> None:
        for close in reversed(self.closers):
            close()
        self.closers.clear()


@pytest.fixture(scope="session")
def programs() -> Callable[..., None]:
    return need_programs


@pytest.fixture(scope="session")
def slower_sweep() -> None:
    """Skip what takes its time, unless somebody asked for it."""
    need_sweep("real desktops")


@pytest.fixture
def make_user(programs, monkeypatch) -> Iterator[Callable[[str], User]]:
    """`make_user(desktop)`: the host of the test runs as this user."""
    programs("dbus-daemon", PORTAL, PERMISSIONS)
    users: list[User] = []

    def make(desktop: str = "fake") -> User:
        users.append(User(desktop))
        for name, value in users[-1].environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("DISPLAY", raising=False)
        return users[-1]

    yield make
    for user in users:
        user.seat.close()


@pytest.fixture
def make_fake(make_user) -> Iterator[Callable[..., tuple[User, Backend]]]:
    """`make_fake(interfaces, user=, started=, **answers)`: the real portal, a made-up backend."""
    backends = []

    def make(
        interfaces: str = f"{SCREENCAST};{REMOTE_DESKTOP};",
        user: User | None = None,
        started: bool = True,
        **answers: object,
    ) -> tuple[User, Backend]:
        user = user or make_user()
        user.use_backend(interfaces)
        backends.append(Backend(user.environment["DBUS_SESSION_BUS_ADDRESS"], **answers))
        backends[-1].start()
        if started:
            user.start_portal()
        else:
            user.add_service("org.freedesktop.portal.Desktop", PORTAL)
        return user, backends[-1]

    yield make
    for it in backends:
        it.stop()


@pytest.fixture
def guest() -> Iterator[Guest]:
    with FakeSeat("seat-guest") as seat:
        guest = Guest(seat)
        yield guest
        guest.leave()


@pytest.fixture
def sway(make_user, programs) -> User:
    """sway, its real backend, and a chooser that always takes the screen and counts."""
    programs("sway", "swaymsg", WLR_BACKEND, "pipewire", "wireplumber")
    user = make_user("sway")
    user.start_pipewire()
    folder = user.seat.runtime_dir
    (folder / "sway.config").write_text(
        "xwayland disable\nswaybg_command -\noutput * mode --custom 640x360@60Hz\n"
        "default_border none\n"
    )
    argv = ["sway", "--config", str(folder / "sway.config")]
    if os.geteuid() == 0:
        argv = ["unshare", "-U", "--map-user=1000", "--map-group=1000", *argv]
    control = folder / "sway.sock"
    user.start(
        "sway",
        argv,
        SWAYSOCK=str(control),
        WLR_BACKENDS="headless",
        WLR_RENDERER="pixman",
        WLR_LIBINPUT_NO_DEVICES="1",
    )
    ask = ["swaymsg", "-s", str(control), "-t", "get_outputs"]
    wait_until(
        lambda: '"width": 640' in subprocess.run(ask, capture_output=True, text=True).stdout,
        lambda: user.seat.log_tail("sway"),
    )
    chooser, config = folder / "chooser", folder / "config" / "xdg-desktop-portal-wlr"
    chooser.write_text(f"#!/bin/sh\necho asked >>{folder}/asked\necho HEADLESS-1\n")
    chooser.chmod(0o700)
    config.mkdir(parents=True)
    (config / "config").write_text(f"[screencast]\nchooser_type=simple\nchooser_cmd={chooser}\n")
    user.start("backend", [WLR_BACKEND, "-l", "DEBUG"])
    user.wait_for_name("org.freedesktop.impl.portal.desktop.wlr", "backend")
    user.start_portal()
    return user


@pytest.fixture
def make_mutter(make_user, make_fake, programs) -> Iterator[Callable[..., tuple[User, Backend]]]:
    """`make_mutter(virtual=)`: a Mutter whose screen, or a new one, is shared with us."""
    programs("mutter", "pipewire", "wireplumber")
    desktops: list[MutterDesktop] = []

    def make(**wishes: object) -> tuple[User, Backend]:
        user = make_user()
        user.start_pipewire()
        desktops.append(MutterDesktop(user, **wishes))
        answers = {"share": desktops[-1].share, "on_input": desktops[-1].on_input}
        return make_fake(user=user, sources=5, **answers)

    yield make
    for desktop in desktops:
        desktop.close()


@pytest.fixture
def mutter(make_mutter) -> tuple[User, Backend]:
    return make_mutter()


@pytest.fixture
def window(mutter) -> Callable[[str], list[dict[str, Any]]]:
    """A full-screen window on Mutter that draws its frame number; `window(kind)`: what it saw."""
    user, _ = mutter
    path = user.seat.runtime_dir / "events"
    user.start("client", [sys.executable, str(WAYLAND_CLIENT), "counter", str(path)])

    def events(kind: str) -> list[dict[str, Any]]:
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        found = [json.loads(line) for line in lines if line.endswith("\n")]
        return [event for event in found if event["kind"] == kind]

    wait_until(
        lambda: any(event["width"] == MODE.width_px for event in events("shown")),
        lambda: user.seat.log_tail("client"),
    )
    return events


@pytest.fixture
def wait() -> Callable[..., None]:
    return wait_until
