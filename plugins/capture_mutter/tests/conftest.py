"""A seat on a temporary folder, a Mutter on the seat, and the guinea-pig client on the Mutter."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from punktfunk_capture_mutter.capture import MutterCapture
from punktfunk_capture_mutter.compositor import MutterCompositor
from punktfunk_capture_mutter.input import MutterInput
from punktfunk_capture_mutter.mutter import screens

from punktfunk.plugin import Bus, Display, LaunchSpec, VideoMode
from punktfunk.testing import FakeSeat
from punktfunk.testing.seat import FakeSeatProcess

CLIENT = Path(__file__).parents[2] / "capture_wlroots" / "tests" / "lab_client.py"
WAIT_S = 30.0


@attrs.define
class Desk:
    """An open compositor, and what a test does with it."""

    seat: FakeSeat
    compositor: MutterCompositor
    display: Display
    closers: list[Callable[[], None]] = attrs.field(factory=list)

    def capture(self, mode: VideoMode | None = None) -> MutterCapture:
        driver = MutterCapture()
        self.closers.append(driver.close)
        driver.open(self.seat, self.display, mode or self.display.mode)
        return driver

    def input(self) -> MutterInput:
        driver = MutterInput()
        self.closers.append(driver.close)
        driver.open(self.seat, self.display, lambda feedback: None)
        return driver

    def screen(self) -> VideoMode:
        """What Mutter says of the screen."""
        bus = Bus(f"unix:path={self.seat.runtime_dir}/mutter/bus")
        try:
            return screens(bus)[self.display.output]
        finally:
            bus.close()

    def start(self, name: str, launch: LaunchSpec) -> FakeSeatProcess:
        return self.seat.spawn(name, launch.argv, environment=self.display.environment)

    def start_client(self, drawing: str, name: str = "client") -> "Client":
        """Start the guinea pig; `drawing` is still, counter or box."""
        events = self.seat.runtime_dir / f"{name}.events"
        argv = [sys.executable, str(CLIENT), drawing, str(events)]
        self.start(name, LaunchSpec(argv=argv))
        client = Client(events)
        client.wait_for("shown", width=self.display.mode.width_px)
        client.wait_for("focus")
        return client


@attrs.define
class Client:
    """What the guinea pig saw."""

    path: Path

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        lines = self.path.read_text().splitlines(keepends=True)
        events = [json.loads(line) for line in lines if line.endswith("\n")]
        return [event for event in events if kind in (None, event["kind"])]

    def wait_for(self, kind: str, *, count: int = 1, **fields: object) -> list[dict[str, Any]]:
        """Wait until `count` events of a kind with these fields were seen; return them."""

        def matching() -> list[dict[str, Any]]:
            return [e for e in self.events(kind) if fields.items() <= e.items()]

        wait_until(
            lambda: len(matching()) >= count,
            lambda: f"{count} {kind} events with {fields}; saw {self.events()[-20:]}",
        )
        return matching()


def wait_until(condition: Callable[[], bool], what: Callable[[], str] | str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, (
            f"waited for {what if isinstance(what, str) else what()}"
        )
        time.sleep(0.01)


@pytest.fixture(scope="session")
def programs() -> Callable[..., None]:
    """Skip without the programs a test needs, and when nobody asked for the slower sweep."""

    def need(*names: str) -> None:
        if os.environ.get("PUNKTFUNK_DESKTOPS") != "1":
            pytest.skip("a real Mutter: ./dev test --desktops")
        missing = [name for name in names if shutil.which(name) is None]
        if missing:
            pytest.skip(f"not installed: {', '.join(missing)}")

    return need


@pytest.fixture
def seat() -> Iterator[FakeSeat]:
    with FakeSeat() as seat:
        yield seat


@pytest.fixture
def make_desk(seat: FakeSeat, programs: Callable[..., None]) -> Iterator[Callable[..., Desk]]:
    programs("mutter", "dbus-daemon", "pipewire", "wireplumber")
    desks: list[Desk] = []

    own_seat = seat

    def make(
        width: int = 640,
        height: int = 360,
        rate: int = 60_000,
        seat: FakeSeat | None = None,
        **settings: object,
    ) -> Desk:
        compositor = MutterCompositor({"program": "mutter", "xwayland": False, **settings})
        mode = VideoMode(width_px=width, height_px=height, refresh_mhz=rate)
        on = seat or own_seat
        desk = Desk(on, compositor, compositor.open(on, mode))
        desk.closers.append(compositor.close)
        desks.append(desk)
        return desk

    yield make
    for desk in desks:
        for close in reversed(desk.closers):
            close()


@pytest.fixture
def wait() -> Callable[..., None]:
    return wait_until
