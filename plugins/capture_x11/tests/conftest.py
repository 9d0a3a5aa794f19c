"""A seat on a temporary folder, an Xvfb on the seat, and our guinea-pig client on the Xvfb."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator

import pytest
import xcffib
from desk import X11_CLIENT, Desk, frame_number, need_programs, wait_until
from punktfunk_capture_x11.capture import X11Capture
from punktfunk_capture_x11.compositor import X11Compositor
from punktfunk_capture_x11.connection import Connection
from punktfunk_capture_x11.input import X11Input

from punktfunk.plugin import Frame
from punktfunk.testing import FakeSeat


class X11Desk(Desk):
    capture_driver, input_driver = X11Capture, X11Input
    program = X11_CLIENT

    def wait_for_focus(self) -> None:
        """Wait until some program's window has the keyboard."""
        connection = Connection(self.display.environment)
        try:
            own = connection.reply(connection.core.GetInputFocus()).focus

            def focused() -> bool:
                focus = connection.reply(connection.core.GetInputFocus()).focus
                return focus not in (0, 1, connection.root) and _has_class(connection, focus)

            wait_until(focused, f"a window with the keyboard; first it was {own:#x}")
        finally:
            connection.close()


def _has_class(connection: Connection, window: int) -> bool:
    """Programs give their windows a class; a window manager's own have none."""
    asked = connection.core.GetProperty(False, window, 67, 31, 0, 8)  # WM_CLASS, STRING
    try:
        return bool(connection.reply(asked).value_len)
    except xcffib.Error:
        return False


@pytest.fixture(scope="session")
def programs() -> Callable[..., None]:
    return need_programs


@pytest.fixture
def seat() -> Iterator[FakeSeat]:
    with FakeSeat() as seat:
        yield seat


@pytest.fixture
def other_seat() -> Iterator[FakeSeat]:
    with FakeSeat("seat-other") as seat:
        yield seat


@pytest.fixture
def make_desk(seat: FakeSeat, programs: Callable[..., None]) -> Iterator[Callable[..., X11Desk]]:
    programs("Xvfb", "openbox", "xterm", "setxkbmap")
    desks: list[X11Desk] = []

    def make(
        width: int = 640,
        height: int = 360,
        rate: int = 60_000,
        *,
        seat: FakeSeat = seat,
        **settings: object,
    ) -> X11Desk:
        compositor = X11Compositor(settings)
        desks.append(X11Desk.open(seat, compositor, (width, height, rate)))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def wait() -> Callable[..., None]:
    return wait_until


@pytest.fixture(name="frame_number")
def _frame_number() -> Callable[[Frame], int]:
    return frame_number


_PREAMBLE = """
import os
from punktfunk.plugin import VideoMode
from punktfunk.testing import FakeSeat
from punktfunk_capture_x11.capture import X11Capture
from punktfunk_capture_x11.compositor import X11Compositor
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
