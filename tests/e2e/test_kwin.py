"""KWin instead of sway: seen, typed into, and gone without a trace, also when it is shot."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import machine
import pytest
from host_process import HostProcess, eventually
from proof import Figures, Hosts, Player, play
from punktfunk_capture_kwin.probe import own_availability, render_nodes

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.desktop,
    pytest.mark.timeout(180),
    pytest.mark.usefixtures("kwin"),
]

PROGRAM = Path(__file__).parent / "support" / "desktop_program.py"
A, KEY_A = 0x41, 30
SMALL = {"width": 640, "height": 360, "fps": 30}


@pytest.fixture
def kwin(desktop_tools: None) -> None:
    """Skip where no KWin can be streamed, and when nobody asked for the slower sweep."""
    if os.environ.get("PUNKTFUNK_DESKTOPS") != "1":
        pytest.skip("a real KWin: ./dev test --desktops")
    found = own_availability("kwin_wayland", os.environ["PATH"], render_nodes())
    if not found.available:
        pytest.skip(found.reason)


@pytest.fixture
def kwin_host(own_host: Hosts, tmp_path: Path) -> HostProcess:
    command = json.dumps([sys.executable, str(PROGRAM), "quarters", str(tmp_path / "events")])
    return own_host(f'[desktop]\ncommand = {command}\n[drivers]\ncompositor = ["kwin"]\n')


def events(path: Path, kind: str) -> list[dict[str, Any]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [event for event in map(json.loads, lines) if event["kind"] == kind]


def near(shown: tuple[int, int, int], drawn: tuple[int, int, int]) -> bool:
    return all(abs(one - other) <= 16 for one, other in zip(shown, drawn, strict=True))


def kwins(host: HostProcess) -> list[int]:
    marked = machine.processes_with_environment(f"XDG_RUNTIME_DIR={host.folder}")
    return [pid for pid in marked if "kwin_wayland" in machine.describe(pid)]


def test_an_animated_window_on_kwin_is_seen_and_typed_into(
    kwin_host: HostProcess, player: Player, tmp_path: Path, figures: Figures
) -> None:
    client = player(kwin_host)
    play(client, "Desktop", bitrate_kbps=10_000)
    client.wait_frames(30, 30)
    eventually(lambda: events(tmp_path / "events", "shown"), 20, "the program is shown")
    colours = (0xC0, 0, 0), (0, 0xC0, 0), (0, 0, 0xC0), (0x80, 0x80, 0x80)
    places = (320, 180), (960, 180), (320, 540), (960, 540)

    def as_drawn() -> bool:
        return all(
            near(client.pixel(*at), colour) for at, colour in zip(places, colours, strict=True)
        )

    eventually(as_drawn, 20, lambda: f"{[client.pixel(*place) for place in places]}")
    seen = client.stats(drain_s=1)
    figures(fps=seen["video"]["fps"], host_latency_ms=seen["video"]["host_latency_ms"]["p50"])
    assert (seen["video"]["width"], seen["video"]["height"]) == (1280, 720)
    assert seen["video"]["frames_undecodable"] == 0

    client.key(A)
    eventually(
        lambda: [event["key"] for event in events(tmp_path / "events", "key")] == [KEY_A, KEY_A],
        10,
        lambda: f"{events(tmp_path / 'events', 'key')}",
    )
    client.quit()
    eventually(lambda: not kwins(kwin_host), 10, lambda: f"gone: {kwins(kwin_host)}")


def test_a_killed_host_leaves_no_kwin_and_the_next_one_clears_up(
    kwin_host: HostProcess, player: Player
) -> None:
    client = player(kwin_host)
    play(client, "Desktop", **SMALL, bitrate_kbps=3_000)
    client.wait_frames(30, 30)
    assert kwins(kwin_host)

    kwin_host.kill()
    kwin_host.start()

    eventually(lambda: not kwins(kwin_host), 10, lambda: f"gone: {kwins(kwin_host)}")
    assert kwin_host.seats() == []
    assert list((kwin_host.config / "journal").glob("*.jsonl")) == []
