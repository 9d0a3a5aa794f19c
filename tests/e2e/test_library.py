"""A game of one's own: it appears in Moonlight's list, starts on a desktop, and is seen."""

import shlex
import sys
from pathlib import Path

import pytest
from host_process import eventually
from proof import Hosts, Player, end_cleanly

pytestmark = [pytest.mark.e2e, pytest.mark.desktop, pytest.mark.usefixtures("desktop_tools")]

PROGRAM = Path(__file__).parent / "support" / "desktop_program.py"


def test_a_game_of_ones_own_is_listed_launched_and_gone(
    own_host: Hosts, player: Player, tmp_path: Path
) -> None:
    host = own_host()
    client = player(host)
    assert [app["name"] for app in client.applist()] == ["Desktop", "Test pattern"]
    events = tmp_path / "what it's logged.jsonl"
    command = shlex.join([sys.executable, str(PROGRAM), "quarters", str(events)])
    entry = {"title": "My game", "launch": {"kind": "command", "value": f"exec {command}"}}

    status, made = host.api("POST", "/library/custom", entry)
    assert status == 201, made
    assert [app["name"] for app in client.applist()][2:] == ["My game"]
    game = client.applist()[-1]
    picture = client.get("appasset", "https", f"appid={game['id']}&AssetType=2&AssetIdx=0")
    assert picture["magic"].startswith("89504e47")

    client.launch("My game", width=640, height=360, fps=30)
    client.start(bitrate_kbps=2_000)
    client.wait_frames(30, 20)
    eventually(events.exists, 10, "the game runs")
    assert [session["app"] for session in host.status()["sessions"]] == ["My game"]

    host.end_sessions()
    assert host.api("DELETE", f"/library/custom/{made['id']}")[0] == 204
    assert [app["name"] for app in client.applist()] == ["Desktop", "Test pattern"]
    end_cleanly(host)


def test_a_session_ends_with_its_game_and_the_client_is_told_so(
    own_host: Hosts, player: Player, tmp_path: Path
) -> None:
    host = own_host()
    client = player(host)
    over = tmp_path / "over"
    # As launchers do: what was started ends at once, and the game is a grandchild.
    game = f"(setsid sh -c 'until [ -e {over} ]; do sleep 0.1; done' &)"
    entry = {"title": "Short game", "launch": {"kind": "command", "value": game}}
    assert host.api("POST", "/library/custom", entry)[0] == 201
    client.launch("Short game", width=640, height=360, fps=30)
    client.start(bitrate_kbps=2_000)
    client.wait_frames(30, 20)

    over.touch()

    ended = client.wait_event("terminated", timeout_s=20)
    assert ended["code"] == 0  # the player ended it, nothing went wrong
    eventually(lambda: host.status()["sessions"] == [], 10, "the session is gone")
    end_cleanly(host)
