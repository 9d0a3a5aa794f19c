"""gamescope's drivers with a stand-in for the program: seen, typed into, gone without a trace."""

import json
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import machine
import pytest
from host_process import HostProcess, eventually
from newer_libei import use_newer_libei
from proof import Figures, Hosts, Player, play
from punktfunk_capture_gamescope import eis

pytestmark = [pytest.mark.e2e, pytest.mark.desktop, pytest.mark.timeout(180)]

STAND_IN = Path(__file__).parents[2] / "plugins/capture_gamescope/tests/fake_gamescope.py"
NEEDED = ("pipewire", "wireplumber", "pw-dump", "gst-launch-1.0", "Xvfb", "Xwayland")
A, KEY_A = 0x41, 30


@pytest.fixture
def gamescope_host(
    own_host: Hosts, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> HostProcess:
    if os.environ.get("PUNKTFUNK_DESKTOPS") != "1":
        pytest.skip("slower: ./dev test --desktops")
    use_newer_libei(tmp_path_factory.mktemp("libei"))
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or not eis.is_installed():
        pytest.skip(f"not installed: {', '.join(missing) or eis.LIBRARY}")
    libraries = os.environ.get("LD_LIBRARY_PATH", "")
    program = tmp_path / "gamescope"
    command = shlex.join([sys.executable, str(STAND_IN)])
    setting = f"export LD_LIBRARY_PATH={shlex.quote(libraries)}"
    program.write_text(f'#!/bin/sh\n{setting}\nexec {command} "$@"\n')
    program.chmod(0o755)
    arguments = ["--fake-pattern", "red", "--fake-events", str(tmp_path / "events")]
    app = json.dumps(["sh", "-c", f"env >{tmp_path}/environment; exec sleep 1000"])
    return own_host(
        f'[drivers]\ncompositor = ["gamescope"]\n[desktop]\ncommand = {app}\n'
        f"[plugin.gamescope]\ngamescope = {json.dumps(str(program))}\nneed_gpu = false\n"
        f"arguments = {json.dumps(arguments)}\n",
        environment={"LD_LIBRARY_PATH": libraries} if libraries else {},
    )


def events(path: Path, kind: str) -> list[dict[str, Any]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [event for event in map(json.loads, lines) if event["kind"] == kind]


def near(shown: tuple[int, int, int], drawn: tuple[int, int, int]) -> bool:
    return all(abs(one - other) <= 16 for one, other in zip(shown, drawn, strict=True))


def stand_ins(host: HostProcess) -> list[int]:
    marked = machine.processes_with_environment(f"XDG_RUNTIME_DIR={host.folder}")
    return [pid for pid in marked if "node.name=gamescope" in machine.describe(pid)]


def test_gamescopes_node_is_seen_and_its_input_reached(
    gamescope_host: HostProcess, player: Player, tmp_path: Path, figures: Figures
) -> None:
    client = player(gamescope_host)
    play(client, "Desktop", bitrate_kbps=10_000)
    client.wait_frames(10, 30)

    eventually(
        lambda: near(client.pixel(640, 360), (255, 0, 0)),
        20,
        lambda: f"{client.pixel(640, 360)}",
    )
    seen = client.stats(drain_s=1)
    figures(fps=seen["video"]["fps"], host_latency_ms=seen["video"]["host_latency_ms"]["p50"])
    assert (seen["video"]["width"], seen["video"]["height"]) == (1280, 720)
    assert seen["video"]["frames_undecodable"] == 0
    environment = (tmp_path / "environment").read_text()
    assert "GAMESCOPE_WAYLAND_DISPLAY=gamescope-0\n" in environment
    assert "\nDISPLAY=:" in environment

    client.key(A)
    eventually(
        lambda: [event["code"] for event in events(tmp_path / "events", "key")] == [KEY_A, KEY_A],
        10,
        lambda: f"{events(tmp_path / 'events', 'key')}",
    )
    client.quit()
    eventually(lambda: not stand_ins(gamescope_host), 10, lambda: f"{stand_ins(gamescope_host)}")


def test_a_killed_host_leaves_no_gamescope(gamescope_host: HostProcess, player: Player) -> None:
    client = player(gamescope_host)
    play(client, "Desktop", width=640, height=360, fps=30, bitrate_kbps=3_000)
    client.wait_frames(10, 30)
    eventually(lambda: stand_ins(gamescope_host), 10, "the stand-in runs")

    gamescope_host.kill()
    gamescope_host.start()

    eventually(lambda: not stand_ins(gamescope_host), 10, lambda: f"{stand_ins(gamescope_host)}")
    assert gamescope_host.seats() == []
    assert list((gamescope_host.config / "journal").glob("*.jsonl")) == []
