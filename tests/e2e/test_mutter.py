"""Mutter instead of sway: seen, typed into, and gone without a trace, also when it is shot."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import machine
import pytest
from host_process import HostProcess, eventually
from proof import Figures, Hosts, Player, play
from punktfunk_capture_mutter.probe import own_availability

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.desktop,
    pytest.mark.timeout(180),
    pytest.mark.usefixtures("mutter"),
]

PROGRAM = Path(__file__).parent / "support" / "desktop_program.py"
A, KEY_A = 0x41, 30
DOWN, UP = 1, 2
SMALL = {"width": 640, "height": 360, "fps": 30}


@pytest.fixture
def mutter(desktop_tools: None) -> None:
    """Skip where no Mutter can be streamed, and when nobody asked for the slower sweep."""
    if os.environ.get("PUNKTFUNK_DESKTOPS") != "1":
        pytest.skip("a real Mutter: ./dev test --desktops")
    found = own_availability("mutter", os.environ["PATH"])
    if not found.available:
        pytest.skip(found.reason)


@pytest.fixture
def mutter_host(own_host: Hosts, tmp_path: Path) -> HostProcess:
    command = json.dumps([sys.executable, str(PROGRAM), "quarters", str(tmp_path / "events")])
    return own_host(
        f'[desktop]\ncommand = {command}\n[drivers]\ncompositor = ["mutter"]\n'
        '[plugin.mutter]\nprogram = "mutter"\n'
    )


def events(path: Path, kind: str) -> list[dict[str, Any]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [event for event in map(json.loads, lines) if event["kind"] == kind]


def near(shown: tuple[int, int, int], drawn: tuple[int, int, int]) -> bool:
    return all(abs(one - other) <= 16 for one, other in zip(shown, drawn, strict=True))


def mutters(host: HostProcess) -> list[int]:
    marked = machine.processes_with_environment(f"XDG_RUNTIME_DIR={host.folder}")
    return [pid for pid in marked if "mutter" in machine.describe(pid)]


def test_an_animated_window_on_mutter_is_seen_and_typed_into(
    mutter_host: HostProcess, player: Player, tmp_path: Path, figures: Figures
) -> None:
    client = player(mutter_host)
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

    client.request("pen", event=DOWN, x=0.25, y=0.5, pressure=1.0)
    client.request("pen", event=UP, x=0.25, y=0.5, pressure=0.0)
    eventually(
        lambda: [event["state"] for event in events(tmp_path / "events", "button")] == [1, 0],
        10,
        lambda: f"the pen is the left button: {events(tmp_path / 'events', 'button')}",
    )
    place = events(tmp_path / "events", "motion")[-1]
    assert (place["x"], place["y"]) == (320, 360)

    client.quit()
    eventually(lambda: not mutters(mutter_host), 10, lambda: f"gone: {mutters(mutter_host)}")


def test_a_killed_host_leaves_no_mutter_and_the_next_one_clears_up(
    mutter_host: HostProcess, player: Player
) -> None:
    client = player(mutter_host)
    play(client, "Desktop", **SMALL, bitrate_kbps=3_000)
    client.wait_frames(30, 30)
    assert mutters(mutter_host)

    mutter_host.kill()
    mutter_host.start()

    eventually(lambda: not mutters(mutter_host), 10, lambda: f"gone: {mutters(mutter_host)}")
    assert mutter_host.seats() == []
    assert list((mutter_host.config / "journal").glob("*.jsonl")) == []
