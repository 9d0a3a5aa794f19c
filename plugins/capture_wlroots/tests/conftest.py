"""A seat on a temporary folder, a sway on the seat, and our guinea-pig client on the sway."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import user_sway
from desk import Client, Desk, frame_number, need_programs, wait_until
from punktfunk_capture_wlroots.capture import WlrootsCapture
from punktfunk_capture_wlroots.compositor import WlrootsCompositor
from punktfunk_capture_wlroots.input import WlrootsInput

from punktfunk.plugin import Frame
from punktfunk.testing import FakeSeat


class WlrootsDesk(Desk):
    capture_driver, input_driver = WlrootsCapture, WlrootsInput

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


@pytest.fixture(scope="session")
def programs() -> Callable[..., None]:
    return need_programs


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
def make_desk(seat: FakeSeat, sway_program: str) -> Iterator[Callable[..., WlrootsDesk]]:
    desks: list[WlrootsDesk] = []

    def make(
        width: int = 640, height: int = 360, rate: int = 60_000, **settings: object
    ) -> WlrootsDesk:
        compositor = WlrootsCompositor({"sway": sway_program, **settings})
        desks.append(WlrootsDesk.open(seat, compositor, (width, height, rate)))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def wait() -> Callable[..., None]:
    return wait_until


@pytest.fixture
def watch_client() -> Callable[[Path], Client]:
    """What the guinea pig that writes to this file saw."""
    return Client


@pytest.fixture(name="frame_number")
def _frame_number() -> Callable[[Frame], int]:
    return frame_number


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
