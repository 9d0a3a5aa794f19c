"""The host, and its worker, shot at the steps of a session with a real client."""

import os
from contextlib import suppress
from pathlib import Path

import machine
import pytest
from host_process import HostProcess, eventually
from proof import Figures, Hosts, Player, end_cleanly, play

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(560)]

SMALL = {"width": 640, "height": 360, "fps": 30}
SAMPLES = 4
"""How many steps are tried; all of them with `./dev test --desktops`."""

SITE = """
import os, signal, sys

WORDS = sys.orig_argv
ROLE = "worker" if "punktfunk.session.worker" in WORDS else "host" if "serve" in WORDS else ""
ORDERS = os.environ.get("KILL_SWEEP", "")
STEPS = {"os.mkdir", "os.rmdir", "os.remove", "os.rename", "os.kill", "os.killpg",
         "subprocess.Popen", "socket.connect", "socket.bind", "shutil.rmtree"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
count, begun = 0, ROLE == "host"

def hear(event, arguments):
    global count, begun
    if event == "open":
        path, _, flags = arguments
        if not flags & WRITING or str(path).startswith(("/dev/", "/proc/")):
            return
        begun = begun or "/journal/" in str(path)  # a spare worker waits for its session
    elif event not in STEPS:
        return
    if not begun:
        return
    try:
        orders = int(os.readlink(f"{ORDERS}/{ROLE}"))
    except OSError:
        return
    count += 1
    told = f"{event} {arguments[0]}".replace("\\n", " ")[:200] + "\\n"
    os.write(TOLD, told.encode())
    if count == orders:
        signal.raise_signal(signal.SIGKILL)

if ROLE and ORDERS:
    TOLD = os.open(f"{ORDERS}/{ROLE}.steps", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    sys.addaudithook(hear)
"""


class Killer:
    """Tells processes of the host at which step they die. 0 has them count only."""

    def __init__(self, folder: Path, role: str) -> None:
        self.folder = folder
        self._orders, self._steps = folder / role, folder / f"{role}.steps"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(SITE)

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.folder), "KILL_SWEEP": str(self.folder)}

    def order(self, step: int) -> None:
        self._steps.write_bytes(b"")
        self._orders.symlink_to(str(step))

    def call_off(self) -> list[str]:
        """The steps that were made since."""
        self._orders.unlink()
        return self._steps.read_text().splitlines()


def settings(folder: Path) -> str:
    """Something outside that a session switches, and a command that takes it back."""
    switch = folder / "switched-on"
    return f'[[prep]]\ndo = ["touch", "{switch}"]\nundo = ["rm", "-f", "{switch}"]\n'


def whole_session(host: HostProcess, player: Player) -> None:
    client = player(host)
    play(client, **SMALL, bitrate_kbps=3_000)
    client.wait_frames(5)
    client.quit()


def left_of_sessions(host: HostProcess, folder: Path) -> list[str]:
    """What is there that was not there before the first session; the host may run."""
    left = [f"folder {path.name}" for path in host.seats()]
    left += [f"journal {path.name}" for path in (host.config / "journal").glob("*")]
    marked = set(machine.processes_with_environment("PUNKTFUNK_SEAT="))
    left += [machine.describe(pid) for pid in marked & set(host.processes())]
    return left + [path.name for path in folder.glob("switched-on")]


@pytest.mark.parametrize("role", ["worker", "host"])
def test_threat_32_whoever_is_killed_at_a_step_of_a_session_leaves_nothing(
    own_host: Hosts, player: Player, tmp_path: Path, figures: Figures, role: str
) -> None:
    killer = Killer(tmp_path / "killer", role)
    host = own_host(settings(tmp_path), environment=killer.environment)
    whole_session(host, player)  # pairs, too
    killer.order(0)
    whole_session(host, player)
    steps = killer.call_off()
    assert len(steps) > SAMPLES

    every = 1 if os.environ.get("PUNKTFUNK_DESKTOPS") == "1" else -(-len(steps) // SAMPLES)
    tried = range(1, len(steps) + 1, every)
    for step in tried:
        killer.order(step)
        with suppress(Exception):  # the client is told in many ways
            whole_session(host, player)
        came = killer.call_off()
        if not host.running:
            eventually(lambda: not host.processes(), 20, lambda: f"gone: {host.processes()}")
            host.start()
        eventually(
            lambda: not left_of_sessions(host, tmp_path),
            20,
            lambda came=came: f"{left_of_sessions(host, tmp_path)} after {came[-1:]}",  # type: ignore[misc]
        )
    figures(steps=len(steps), tried=len(tried))

    whole_session(host, player)
    end_cleanly(host)
