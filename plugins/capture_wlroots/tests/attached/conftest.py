"""A session on a desktop that runs already."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from punktfunk_capture_wlroots.capture import WlrootsCapture
from punktfunk_capture_wlroots.compositor import WlrootsCompositor
from punktfunk_capture_wlroots.input import WlrootsInput
from user_sway import UserSway

from punktfunk.plugin import Display, VideoMode
from punktfunk.testing import FakeSeat

CLIENT = Path(__file__).parents[1] / "lab_client.py"
MODE = VideoMode(width_px=640, height_px=360, refresh_mhz=60_000)


class UserDesktop(UserSway):
    """With programs on it."""

    def __init__(self, sway: str, watch: Callable[[Path], Any]) -> None:
        super().__init__(sway)
        self._watch = watch

    def start_client(
        self, drawing: str, name: str, environment: Mapping[str, str] | None = None
    ) -> Any:
        events = self.runtime / f"{name}.events"
        variables = {**self.environment, "WAYLAND_DISPLAY": "wayland-1", **(environment or {})}
        argv = [sys.executable, str(CLIENT), drawing, str(events)]
        self.programs.append(subprocess.Popen(argv, env=variables))
        client = self._watch(events)
        client.wait_for("shown")
        return client


@pytest.fixture
def user(sway_program, monkeypatch, watch_client) -> Iterator[UserDesktop]:
    """The desktop of a user whose host is a service: it knows the runtime folder only."""
    for name in ("WAYLAND_DISPLAY", "SWAYSOCK", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with UserDesktop(sway_program, watch_client) as desktop:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(desktop.runtime))
        yield desktop


@pytest.fixture
def host_of_outputs(user: UserDesktop) -> UserDesktop:
    if not user.makes_outputs:
        pytest.skip("this sway cannot remove an output")
    return user


@attrs.define
class Session:
    seat: FakeSeat
    compositor: WlrootsCompositor
    display: Display
    closers: list[Callable[[], None]] = attrs.field(factory=list)

    def capture(self, mode: VideoMode = MODE) -> WlrootsCapture:
        driver = WlrootsCapture()
        self.closers.append(driver.close)
        driver.open(self.seat, self.display, mode)
        return driver

    def input(self) -> WlrootsInput:
        driver = WlrootsInput()
        self.closers.append(driver.close)
        driver.open(self.seat, self.display, lambda feedback: None)
        return driver

    def close(self) -> None:
        for closer in reversed(self.closers):
            closer()
        self.compositor.close()


@pytest.fixture
def attach() -> Iterator[Callable[..., Session]]:
    """Attach sessions to what the environment says; they are closed before the desktop."""
    sessions: list[Session] = []

    def make(name: str = "seat-one", **settings: object) -> Session:
        seat, compositor = FakeSeat(name), WlrootsCompositor(settings)
        try:
            session = Session(seat, compositor, compositor.attach(seat, MODE))
        except BaseException:
            seat.close()
            raise
        sessions.append(session)
        return session

    yield make
    for session in sessions:
        session.close()
        session.seat.close()
