"""The desktop that runs, through the real xdg-desktop-portal: a Mutter, whose sharing is granted
by a backend of the tests. Seen, typed into, refused, and remembered.
"""

import json
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import ClientError
from host_process import HostProcess, eventually
from proof import Figures, Hosts, Player, end_cleanly, play

sys.path.append(str(Path(__file__).parents[2] / "plugins" / "capture_portal" / "tests"))

from portal_backend import REMOTE_DESKTOP, SCREENCAST, Backend
from portal_mutter import MutterDesktop
from portal_user import PERMISSIONS, PORTAL, User

pytestmark = [pytest.mark.e2e, pytest.mark.desktop, pytest.mark.timeout(180)]

PROGRAM = Path(__file__).parent / "support" / "desktop_program.py"
A, KEY_A = 0x41, 30
COLOURS = (0xC0, 0, 0), (0, 0xC0, 0), (0, 0, 0xC0), (0x80, 0x80, 0x80)
PLACES = (320, 180), (960, 180), (320, 540), (960, 540)


class Desk:
    """Somebody's desktop, and a host of theirs."""

    def __init__(self, interfaces: str) -> None:
        self.user = User("fake")
        self.user.start_pipewire()
        self.user.use_backend(interfaces)
        self.mutter = MutterDesktop(self.user, "1280x720")
        self.backend = Backend(
            self.user.environment["DBUS_SESSION_BUS_ADDRESS"],
            share=self.mutter.share,
            on_input=self.mutter.on_input,
        )
        self.backend.start()
        self.user.start_portal()
        self.events = self.user.seat.runtime_dir / "events"

    def start_host(self, own_host: Hosts, plugin: str = "") -> HostProcess:
        command = json.dumps([sys.executable, str(PROGRAM), "quarters", str(self.events)])
        settings = (
            f'[desktop]\nmode = "attach"\ncommand = {command}\n'
            f'[drivers]\ncompositor = ["portal"]\n[plugin.portal]\n{plugin}\n'
        )
        mine = ("DBUS_SESSION_BUS_ADDRESS", "XDG_CURRENT_DESKTOP")
        environment = {name: self.user.environment[name] for name in mine}
        environment["WAYLAND_DISPLAY"] = str(self.user.seat.runtime_dir / "wayland-1")
        return own_host(settings, environment=environment)

    def seen(self, kind: str) -> list[dict[str, Any]]:
        lines = self.events.read_text().splitlines(keepends=True) if self.events.exists() else []
        found = [json.loads(line) for line in lines if line.endswith("\n")]
        return [event for event in found if event["kind"] == kind]

    def close(self) -> None:
        self.user.seat.close()
        self.backend.stop()
        self.mutter.close()


@pytest.fixture
def make_desk() -> Iterator[Callable[..., Desk]]:
    if os.environ.get("PUNKTFUNK_DESKTOPS") != "1":
        pytest.skip("a real desktop behind a portal: ./dev test --desktops")
    wanted = ("dbus-daemon", "mutter", "pipewire", "wireplumber", PORTAL, PERMISSIONS)
    if missing := [name for name in wanted if not shutil.which(name)]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    desks: list[Desk] = []

    def make(interfaces: str = f"{SCREENCAST};{REMOTE_DESKTOP};") -> Desk:
        desks.append(Desk(interfaces))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


def near(shown: tuple[int, int, int], drawn: tuple[int, int, int]) -> bool:
    return all(abs(one - other) <= 16 for one, other in zip(shown, drawn, strict=True))


def test_the_running_desktop_is_seen_and_typed_into(
    make_desk: Callable[..., Desk], own_host: Hosts, player: Player, figures: Figures
) -> None:
    desk = make_desk()
    host = desk.start_host(own_host)
    client = player(host)
    play(client, "Desktop", bitrate_kbps=10_000)
    client.wait_frames(30, 30)

    def as_drawn() -> bool:
        return all(
            near(client.pixel(*at), colour) for at, colour in zip(PLACES, COLOURS, strict=True)
        )

    eventually(as_drawn, 30, lambda: f"{[client.pixel(*place) for place in PLACES]}")
    seen = client.stats(drain_s=1)
    figures(fps=seen["video"]["fps"], host_latency_ms=seen["video"]["host_latency_ms"]["p50"])
    assert (seen["video"]["width"], seen["video"]["height"]) == (1280, 720)
    assert seen["video"]["frames_undecodable"] == 0

    eventually(lambda: desk.seen("focus"), 10, "the program has the keyboard")
    client.key(A)
    eventually(
        lambda: [it["key"] for it in desk.seen("key") if it["key"] == KEY_A] == [KEY_A, KEY_A],
        10,
        lambda: f"{desk.seen('key')}",
    )
    client.quit()
    eventually(lambda: "Close" in desk.backend.members(), 10, "the sharing ends")
    end_cleanly(host)


def test_nobody_answers_and_the_client_is_told_why(
    make_desk: Callable[..., Desk], own_host: Hosts, player: Player
) -> None:
    desk = make_desk()
    desk.backend.response = None
    host = desk.start_host(own_host, 'answer_s = 2\n[plugins]\ndeny = ["mutter"]')
    client = player(host)

    with pytest.raises(ClientError, match="nobody answered the desktop's question within 2 s"):
        client.launch("Desktop", width=1280, height=720, fps=60)

    desk.backend.response = 0
    play(client, "Desktop", bitrate_kbps=5_000)
    client.wait_frames(30, 30)
    client.quit()


def test_nobody_answers_and_the_next_way_to_the_desktop_is_taken(
    make_desk: Callable[..., Desk], own_host: Hosts, player: Player
) -> None:
    desk = make_desk()
    desk.backend.response = None
    host = desk.start_host(own_host, "answer_s = 2")
    (host.runtime / "pipewire-0").symlink_to(
        Path(desk.user.environment["PIPEWIRE_RUNTIME_DIR"]) / "pipewire-0"
    )
    client = player(host)

    play(client, "Desktop", bitrate_kbps=5_000)
    client.wait_frames(10, 30)

    assert "nobody answered the desktop's question" in host.log_path.read_text()
    assert "trying the next display: mutter" in host.log_path.read_text()
    client.quit()


def test_the_desktop_is_asked_once_and_the_answer_is_nobody_elses(
    make_desk: Callable[..., Desk], own_host: Hosts, player: Player
) -> None:
    desk = make_desk(f"{SCREENCAST};")
    host = desk.start_host(own_host, "view_only = true")
    memory = host.config / "memory" / "portal.json"
    client = player(host)
    tokens = []
    for _ in range(2):
        play(client, "Desktop", width=640, height=360, bitrate_kbps=3_000)
        client.wait_frames(10, 30)
        client.quit()
        tokens += json.loads(memory.read_text())["values"].values()

    assert "restore_data" in desk.backend.options("SelectSources")
    assert stat.S_IMODE(memory.stat().st_mode) == 0o600
    assert len(tokens) == 2
    assert not any(token in host.log_path.read_text() for token in tokens)


def test_who_declines_after_an_outage_is_not_asked_again(
    make_desk: Callable[..., Desk], own_host: Hosts, player: Player
) -> None:
    desk = make_desk()
    host = desk.start_host(own_host)
    client = player(host)
    play(client, "Desktop", width=640, height=360, bitrate_kbps=3_000)
    client.wait_frames(10, 30)
    desk.backend.response = 1

    desk.user.process("portal").stop()
    eventually(lambda: "display lost" in host.log_text(), 30, lambda: host.log_tail())
    desk.user.start_portal()

    client.wait_event("terminated", timeout_s=60)
    eventually(lambda: host.status()["sessions"] == [], 20, "the session is over")
    assert "somebody at the host declined to share the screen" in host.log_text()
    assert desk.backend.members().count("Start") == 2
