"""A seat on a temporary folder, a sway on the seat, and our guinea-pig client on the sway."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from punktfunk_capture_wlroots.capture import WlrootsCapture
from punktfunk_capture_wlroots.compositor import WlrootsCompositor
from punktfunk_capture_wlroots.input import WlrootsInput

from punktfunk.plugin import Display, Effect, Frame, LaunchSpec, VideoMode

CLIENT = Path(__file__).with_name("lab_client.py")
WAIT_S = 10.0


class SeatChild:
    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self.pid = popen.pid

    def exit_status(self) -> int | None:
        return self._popen.poll()

    def stop(self, timeout_s: float = 2.0) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                break
            try:
                self._popen.wait(timeout_s)
                break
            except subprocess.TimeoutExpired:
                continue
        self._popen.wait(timeout_s)


class TemporarySeat:
    """The seat protocol with real processes and nothing else."""

    name = "s1-test"

    def __init__(self, runtime_dir: Path) -> None:
        self.runtime_dir = runtime_dir
        self.environment: Mapping[str, str] = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(runtime_dir),
            "LANG": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(runtime_dir),
        }
        self.host_environment: Mapping[str, str] = {}
        self.children: list[SeatChild] = []

    def spawn(
        self, name: str, argv: Sequence[str], *, environment: Mapping[str, str] | None = None
    ) -> SeatChild:
        with (self.runtime_dir / f"{name}.log").open("wb") as log:
            popen = subprocess.Popen(
                argv,
                env={**self.environment, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        child = SeatChild(popen)
        self.children.append(child)
        return child

    def log_tail(self, name: str, lines: int = 5) -> str:
        log = self.runtime_dir / f"{name}.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])

    def record(self, effect: Effect) -> None:
        raise AssertionError("this plugin changes nothing outside the seat")

    def forget(self, effect: Effect) -> None:
        raise AssertionError("this plugin changes nothing outside the seat")


@attrs.define
class Desk:
    """An open compositor, and what a test does with it."""

    seat: TemporarySeat
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

    def start(self, name: str, launch: LaunchSpec) -> SeatChild:
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
            if node["type"] == "con" and node["focused"]:
                return True
            return any(has_focus(child) for child in node["nodes"])

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
def seat() -> Iterator[TemporarySeat]:
    # Not tmp_path: a socket's path has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="pf-"))
    seat = TemporarySeat(folder)
    yield seat
    for child in reversed(seat.children):
        child.stop()
    shutil.rmtree(folder)


@pytest.fixture
def make_desk(seat: TemporarySeat, programs: Callable[..., None]) -> Iterator[Callable[..., Desk]]:
    programs("sway", "swaybg", "foot")
    desks: list[Desk] = []

    def make(width: int = 640, height: int = 360, rate: int = 60_000, **settings: object) -> Desk:
        compositor = WlrootsCompositor(settings)
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
def frame_number() -> Callable[[Frame], int]:
    """Read the sixteen cells the guinea pig draws its frame number in."""

    def read(frame: Frame) -> int:
        row = frame.planes[0][8, 8 * 4 : 16 * 16 * 4 : 16 * 4]
        return sum(1 << bit for bit, value in enumerate(row) if value > 128)

    return read


_PREAMBLE = """
import atexit, os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from conftest import TemporarySeat, WlrootsCapture, WlrootsCompositor
from punktfunk.plugin import VideoMode
# Only now: the interpreter may lie in root's own folder.
os.setgroups([])
os.setresgid(65_534, 65_534, 65_534)
os.setresuid(65_534, 65_534, 65_534)
seat = TemporarySeat(Path({folder!r}))
atexit.register(lambda: [child.stop() for child in seat.children])
"""


@pytest.fixture
def run_unprivileged(seat: TemporarySeat) -> Callable[[str], str]:
    """Run Python as user 65534 with a seat of its own; return what it printed."""
    if os.geteuid() != 0:
        pytest.skip("only root can become someone else; everyone else runs unprivileged anyway")

    def run(code: str) -> str:
        folder = seat.runtime_dir / "user"
        folder.mkdir()
        for path in (seat.runtime_dir, folder):
            os.chown(path, 65_534, 65_534)
        preamble = _PREAMBLE.format(tests=str(Path(__file__).parent), folder=str(folder))
        done = subprocess.run(
            [sys.executable, "-c", preamble + textwrap.dedent(code)],
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
