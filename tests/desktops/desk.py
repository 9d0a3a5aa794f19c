"""A compositor that a test opened, what it does with it, and the guinea-pig client on it."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

from punktfunk.plugin import (
    CaptureDriver,
    CompositorDriver,
    Display,
    Frame,
    InputDriver,
    LaunchSpec,
    VideoMode,
)
from punktfunk.testing import FakeSeat
from punktfunk.testing.seat import FakeSeatProcess

PLUGINS = Path(__file__).parents[2] / "plugins"
WAYLAND_CLIENT = PLUGINS / "capture_wlroots" / "tests" / "lab_client.py"
X11_CLIENT = PLUGINS / "capture_x11" / "tests" / "lab_client.py"
WAIT_S = 30.0


@attrs.define
class Desk:
    """A plugin's own names its drivers."""

    capture_driver: ClassVar[type[CaptureDriver]]
    input_driver: ClassVar[type[InputDriver]]
    program: ClassVar[Path] = WAYLAND_CLIENT

    seat: FakeSeat
    compositor: CompositorDriver
    display: Display
    closers: list[Callable[[], None]] = attrs.field(factory=list)

    @classmethod
    def open(cls, seat: FakeSeat, compositor: CompositorDriver, size: tuple[int, int, int]) -> Any:
        """Open a display of so many pixels and millihertz."""
        width, height, rate = size
        mode = VideoMode(width_px=width, height_px=height, refresh_mhz=rate)
        desk = cls(seat, compositor, compositor.open(seat, mode))
        desk.closers.append(compositor.close)
        return desk

    def close(self) -> None:
        for close in reversed(self.closers):
            close()

    def capture(self, mode: VideoMode | None = None) -> Any:
        driver = self.capture_driver()
        self.closers.append(driver.close)
        driver.open(self.seat, self.display, mode or self.display.mode)
        return driver

    def input(self, **settings: object) -> Any:
        driver = self.input_driver(settings)
        self.closers.append(driver.close)
        driver.open(self.seat, self.display, lambda feedback: None)
        return driver

    def start(self, name: str, launch: LaunchSpec) -> FakeSeatProcess:
        return self.seat.spawn(name, launch.argv, environment=self.display.environment)

    def start_client(self, drawing: str, name: str = "client") -> "Client":
        """Start the guinea pig; its own file says what it can draw."""
        events = self.seat.runtime_dir / f"{name}.events"
        argv = [sys.executable, str(self.program), drawing, str(events)]
        self.start(name, LaunchSpec(argv=argv))
        client = Client(events)
        client.wait_for("shown", width=self.display.mode.width_px)
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


def wait_until(condition: Callable[[], object], what: Callable[[], object] | str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        text = what if isinstance(what, str) else what()
        assert time.monotonic() < deadline, f"waited for {text}"
        time.sleep(0.01)


def need_programs(*names: str) -> None:
    """Skip without the programs a test needs; fail instead where CI should have them."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"not installed: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def need_sweep(what: str) -> None:
    """Skip what takes its time, unless somebody asked for it."""
    if os.environ.get("PUNKTFUNK_DESKTOPS") != "1":
        pytest.skip(f"{what}: ./dev test --desktops")


def frame_number(frame: Frame) -> int:
    """Read the sixteen cells the guinea pig draws its frame number in."""
    row = frame.planes[0][8, 8 * 4 : 16 * 16 * 4 : 16 * 4]
    return sum(1 << bit for bit, value in enumerate(row) if value > 128)
