"""What a client sees when its user's own desktop goes and comes back under the session."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import attrs
import pytest
from harness import MoonlightClient
from host_process import HostProcess, eventually
from proof import Figures, Hosts, Player, end_cleanly, play
from user_sway import UserSway

pytestmark = [pytest.mark.e2e, pytest.mark.desktop, pytest.mark.timeout(240)]

WAYLAND_PROGRAM = Path(__file__).parent / "support" / "desktop_program.py"
X11_PROGRAM = Path(__file__).parents[2] / "plugins" / "capture_x11" / "tests" / "lab_client.py"
A = 0x41
RED = (0xC0, 0, 0)
OUTAGE_FRAMES = 40


@attrs.frozen
class Desk:
    """A user's desktop, a host of theirs, and a program of theirs that fills the screen."""

    host: HostProcess
    events: Path
    open_program: Callable[[], None]
    kill: Callable[[], None]
    restart: Callable[[], None]

    def seen(self, kind: str) -> int:
        lines = self.events.read_text().splitlines() if self.events.exists() else []
        return sum(json.loads(line)["kind"] == kind for line in lines)


def settings(driver: str) -> str:
    return f'[desktop]\nmode = "attach"\n[drivers]\ncompositor = ["{driver}"]\n'


@pytest.fixture
def open_program() -> Iterator[Callable[..., None]]:
    """Start a program of the user's; it is gone when the test is over."""
    with ExitStack() as stack:

        def start(argv: list[str], environment: dict[str, str]) -> None:
            program = subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL)
            stack.callback(program.wait)
            stack.callback(program.kill)

        yield start


@pytest.fixture
def sway_desk(
    desktop_tools: None, open_program: Callable[..., None], tmp_path: Path
) -> Iterator[Desk]:
    host, events = HostProcess(settings("wlroots")), tmp_path / "events"
    # The host's own folders are in there too.
    with UserSway(os.environ.get("PUNKTFUNK_SWAY", "sway"), host.runtime) as user, host:
        argv = [sys.executable, str(WAYLAND_PROGRAM), "quarters", str(events)]

        def open_it() -> None:
            sockets = (it for it in host.runtime.glob("wayland-*") if it.is_socket())
            newest = max(sockets, key=lambda it: it.stat().st_mtime)
            open_program(argv, {**user.environment, "WAYLAND_DISPLAY": newest.name})

        def kill() -> None:
            os.kill(user.compositor.pid, signal.SIGKILL)
            user.stop()

        yield Desk(host, events, open_it, kill, user.restart)


@pytest.fixture
def x11_desk(own_host: Hosts, open_program: Callable[..., None], tmp_path: Path) -> Iterator[Desk]:
    if not shutil.which("Xvfb"):
        pytest.skip("not installed: Xvfb")
    events, servers = tmp_path / "events", []

    def start(*number: str) -> str:
        """Start a server on a number, or on a free one; returns the number."""
        reading, writing = os.pipe()
        argv = ["Xvfb", *number, "-displayfd", str(writing), "-nolisten", "tcp"]
        argv += ["-screen", "0", "1280x720x24"]
        servers.append(subprocess.Popen(argv, pass_fds=[writing], stderr=subprocess.DEVNULL))
        os.close(writing)
        with os.fdopen(reading) as said:
            return f":{said.readline().strip()}"

    def kill() -> None:
        servers[-1].kill()
        servers[-1].wait()

    display = start()
    argv = [sys.executable, str(X11_PROGRAM), "box", str(events)]
    try:
        host = own_host(settings("x11"), environment={"DISPLAY": display})
        environment = {"PATH": os.environ["PATH"], "DISPLAY": display}
        yield Desk(
            host, events, lambda: open_program(argv, environment), kill, lambda: start(display)
        )
        end_cleanly(host)
    finally:
        servers[-1].terminate()
        servers[-1].wait()


def is_drawn(client: MoonlightClient) -> bool:
    red, green, blue = client.pixel(300, 200)
    return abs(red - RED[0]) < 24 and green < 24 and blue < 24


@pytest.mark.parametrize("desktop", ["sway_desk", "x11_desk"])
def test_a_desktop_that_its_user_starts_again_comes_back_under_the_same_stream(
    desktop: str, request: pytest.FixtureRequest, player: Player, figures: Figures
) -> None:
    desk: Desk = request.getfixturevalue(desktop)
    host, client = desk.host, player(desk.host)
    play(client, "Desktop", bitrate_kbps=8_000)
    client.wait_frames(10, 30)
    desk.open_program()
    eventually(lambda: is_drawn(client), 30, "the program is seen")

    desk.kill()
    eventually(lambda: "display lost" in host.log_text(), 30, lambda: host.log_tail())
    client.stats(reset=True)
    client.wait_frames(OUTAGE_FRAMES, 30)
    assert is_drawn(client), "the last picture stays"
    before = client.stats(reset=True)["video"]["idr_frames"]

    desk.restart()
    returned = time.monotonic()
    eventually(lambda: "display is back" in host.log_text(), 60, lambda: host.log_tail())
    back_s = time.monotonic() - returned
    eventually(lambda: not is_drawn(client), 30, "an empty desktop is seen")
    seen_s = time.monotonic() - returned
    desk.open_program()
    eventually(lambda: is_drawn(client), 30, "the program is seen again")
    seen = client.stats(drain_s=1)["video"]

    figures(back_s=back_s, seen_s=seen_s, idr_frames=seen["idr_frames"], idrs_before=before)
    assert client.events_named("terminated") == []
    assert seen["idr_frames"] == 1
    assert seen["frames_undecodable"] == 0
    assert host.log_text().count("display lost") == 1
    eventually(lambda: desk.seen("shown"), 30, "the program is shown")
    client.key(A)
    eventually(lambda: desk.seen("key"), 20, lambda: desk.events.read_text()[-600:])
