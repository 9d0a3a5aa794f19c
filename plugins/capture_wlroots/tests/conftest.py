"""A seat on a temporary folder, a sway on the seat, and our guinea-pig client on the sway."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import user_sway
from punktfunk_capture_wlroots.capture import WlrootsCapture
from punktfunk_capture_wlroots.compositor import WlrootsCompositor
from punktfunk_capture_wlroots.input import WlrootsInput

from punktfunk.plugin import Display, Frame, LaunchSpec, VideoMode
from punktfunk.testing import FakeSeat
from punktfunk.testing.seat import FakeSeatProcess

CLIENT = Path(__file__).with_name("lab_client.py")
WAIT_S = 10.0


@attrs.define
class Desk:
    """An open compositor, and what a test does with it."""

    seat: FakeSeat
    compositor: WlrootsCompositor
    display: Display
    closers: list[Callable[[], None]] = attrs.field(factory=list)

    def capture(self) -> WlrootsCapture:
        driver = WlrootsCapture()
        self.closers.append(driver.close)
        driver.open(self.seat, self.display, self.display.mode)
        return driver

    def input(self, **settings: object) -> WlrootsInput:
        driver = WlrootsInput(settings)
        self.closers.append(driver.close)
        driver.open(self.seat, self.display, lambda feedback: None)
        return driver

    def start(self, name: str, launch: LaunchSpec) -> FakeSeatProcess:
        return self.seat.spawn(name, launch.argv, environment=self.display.environment)

    def start_client(self, drawing: str) -> "Client":
        """Start the guinea pig; `drawing` is still, counter or box."""
        events = self.seat.runtime_dir / "client.events"
        argv = [sys.executable, str(CLIENT), drawing, str(events)]
        self.start("client", LaunchSpec(argv=argv))
        client = Client(events)
        client.wait_for("shown", width=self.display.mode.width_px)
        return client

    def wait_for_window(self) -> None:
        """Wait until sway says that some window has the keyboard."""
        ask = ["swaymsg", "-s", str(self.seat.runtime_dir / "sway.sock"), "-r", "-t", "get_tree"]

        def has_focus(node: dict[str, Any]) -> bool:
            if node["type"] in ("con", "floating_con") and node["focused"]:
                return True
            return any(has_focus(child) for child in node["nodes"] + node["floating_nodes"])

        wait_until(
            lambda: has_focus(json.loads(subprocess.run(ask, capture_output=True).stdout)),
            "a window",
        )


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
    """Skip without the programs a test needs; fail instead where CI should have them."""

    def need(*names: str) -> None:
        missing = [name for name in names if shutil.which(name) is None]
        if missing and os.environ.get("CI") == "true":
            pytest.fail(f"not installed: {', '.join(missing)}")
        if missing:
            pytest.skip(f"not installed: {', '.join(missing)}")

    return need


@pytest.fixture
def seat() -> Iterator[FakeSeat]:
    with FakeSeat() as seat:
        yield seat


@pytest.fixture
def sway_program(
    request: pytest.FixtureRequest, programs: Callable[..., None], tmp_path: Path
) -> str:
    """The sway to test with; tests parametrize it with `SWAYS` where it matters."""
    which = getattr(request, "param", "installed")
    if which == "installed":
        programs("sway", "swaybg", "foot")
    return user_sway.sway_program(which, tmp_path)


@pytest.fixture
def make_desk(seat: FakeSeat, sway_program: str) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def make(width: int = 640, height: int = 360, rate: int = 60_000, **settings: object) -> Desk:
        compositor = WlrootsCompositor({"sway": sway_program, **settings})
        mode = VideoMode(width_px=width, height_px=height, refresh_mhz=rate)
        desk = Desk(seat, compositor, compositor.open(seat, mode))
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


@pytest.fixture
def watch_client() -> Callable[[Path], Client]:
    """What the guinea pig that writes to this file saw."""
    return Client


@pytest.fixture
def frame_number() -> Callable[[Frame], int]:
    """Read the sixteen cells the guinea pig draws its frame number in."""

    def read(frame: Frame) -> int:
        row = frame.planes[0][8, 8 * 4 : 16 * 16 * 4 : 16 * 4]
        return sum(1 << bit for bit, value in enumerate(row) if value > 128)

    return read


_PREAMBLE = """
import os
from punktfunk.plugin import VideoMode
from punktfunk.testing import FakeSeat
from punktfunk_capture_wlroots.capture import WlrootsCapture
from punktfunk_capture_wlroots.compositor import WlrootsCompositor
# Only now: the interpreter may lie in root's own folder.
os.setgroups([])
os.setresgid(65_534, 65_534, 65_534)
os.setresuid(65_534, 65_534, 65_534)
"""


@pytest.fixture
def run_unprivileged() -> Callable[[str], str]:
    """Run Python as user 65534; return what it printed."""
    if os.geteuid() != 0:
        pytest.skip("only root can become someone else; everyone else runs unprivileged anyway")

    def run(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", _PREAMBLE + textwrap.dedent(code)],
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
