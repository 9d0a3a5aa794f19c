"""A real desktop: seen, heard, typed into, resumed, and gone without a trace."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import machine
import pytest
from desktop_program import LEFT_HZ, RIGHT_HZ
from harness import MoonlightClient, Relay
from host_process import HostProcess, eventually
from proof import RELAY_ADDRESS, Figures, Hosts, Player, end_cleanly, play

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.desktop,
    pytest.mark.timeout(180),
    pytest.mark.usefixtures("desktop_tools"),
]

PROGRAM = Path(__file__).parent / "support" / "desktop_program.py"
ENTER, SPACE, A = 0x0D, 0x20, 0x41
KEY_A, BUTTON_LEFT = 30, 272


def desktop_settings(kind: str, events: Path) -> str:
    command = json.dumps([sys.executable, str(PROGRAM), kind, str(events)])
    return f"[desktop]\ncommand = {command}\n"


class Program:
    """What the program on the desktop has logged."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def events(self, kind: str) -> list[dict[str, Any]]:
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        return [event for event in map(json.loads, lines) if event["kind"] == kind]

    def wait(self, kind: str, count: int = 1, limit_s: float = 5) -> list[dict[str, Any]]:
        eventually(
            lambda: len(self.events(kind)) >= count,
            limit_s,
            lambda: f"{count} × {kind}; {self._path.read_text()[-600:]}",
        )
        return self.events(kind)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "events.jsonl")


@pytest.fixture
def desktop_host(
    own_host: Hosts, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[HostProcess]:
    """A host whose Desktop runs our program; `noise` when the test is marked so."""
    kind = getattr(request, "param", "quarters")
    host = own_host(desktop_settings(kind, tmp_path / "events.jsonl"))
    yield host
    if host.running:
        end_cleanly(host)


def type_line(client: MoonlightClient, words: str) -> None:
    for letter in words.upper():
        client.key(SPACE if letter == " " else ord(letter))
    client.key(ENTER)


def near(shown: tuple[int, int, int], drawn: tuple[int, int, int]) -> bool:
    return all(abs(one - other) <= 16 for one, other in zip(shown, drawn, strict=True))


def screen_of(host: HostProcess) -> tuple[int, int, int]:
    """Width, height and rate in millihertz, as sway tells them."""
    asked = ("swaymsg", "-s", str(host.seats()[0] / "sway.sock"), "-t", "get_outputs", "-r")
    (output,) = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)
    mode = output["current_mode"]
    return mode["width"], mode["height"], mode["refresh"]


def traces(host: HostProcess) -> dict[str, set[str]]:
    """Everything a session could leave on this machine."""
    folder = str(host.folder)
    x11 = Path("/tmp/.X11-unix")
    sound = subprocess.run(["pactl", "info"], capture_output=True, text=True, check=False)
    return {
        "processes": {
            machine.describe(pid).partition(" ")[2]
            for pid in machine.processes_with_environment("PUNKTFUNK_SEAT=")
            if pid in host.processes()
        },
        "sockets": {name for name in machine.unix_sockets() if folder in name},
        "shared memory": machine.shared_memory(),
        "runtime folders": {str(path) for path in host.seats()},
        "X11 sockets": {entry.name for entry in x11.iterdir()} if x11.exists() else set(),
        "default sink": {line for line in sound.stdout.splitlines() if "Default Sink" in line},
        # Programs of the session use the owner's home as they like; sound ones keep a cookie.
        "home": {
            str(path)
            for path in (host.folder / "home").rglob("*")
            if path.is_file() and path.name != "cookie"
        },
    }


def test_the_desktop_out_of_the_box_is_seen_and_typed_into(
    own_host: Hosts, player: Player, tmp_path: Path, figures: Figures
) -> None:
    host = own_host()
    client = player(host)
    play(client, "Desktop", bitrate_kbps=10_000)
    client.wait_frames(30, 15)
    home = host.folder / "home"
    for attempt in ("one", "two", "three"):  # until the shell in the terminal listens
        type_line(client, f"touch {attempt}")
        try:
            eventually(lambda: list(home.glob("[ot]*")), 2, "the shell has run what was typed")
            break
        except AssertionError:
            assert attempt != "three", host.log_tail()
    client.wait_frames(60, 15)
    seen = client.stats(drain_s=1)
    figures(
        frames=seen["video"]["frames_received"],
        host_latency_ms=seen["video"]["host_latency_ms"]["p50"],
        **{f"since_launch_{name}_ms": value for name, value in seen["since_launch_ms"].items()},
    )
    assert (seen["video"]["width"], seen["video"]["height"]) == (1280, 720)
    assert seen["video"]["frames_undecodable"] == 0
    assert seen["video"]["frames_missing_on_wire"] == 0
    picture = client.snapshot(tmp_path / "desktop.png")
    assert (picture["width"], picture["height"]) == (1280, 720)
    assert any(max(client.pixel(x, y)) > 24 for x in range(8, 1280, 64) for y in (8, 24, 700))
    end_cleanly(host)


def test_a_program_gets_the_clients_screen_its_hands_and_its_ears(
    desktop_host: HostProcess, player: Player, program: Program, figures: Figures
) -> None:
    client = player(desktop_host)
    play(client, "Desktop", width=1600, height=900, fps=60, refresh_x100=5_994, bitrate_kbps=12_000)
    client.wait_frames(30, 15)
    shown = program.wait("shown", limit_s=10)
    assert (shown[-1]["width"], shown[-1]["height"]) == (1600, 900)

    client.stats(reset=True)
    client.wait_frames(150, 10)
    seen = client.stats(drain_s=1)
    figures(
        fps=seen["video"]["fps"],
        host_latency_ms=seen["video"]["host_latency_ms"]["p50"],
        tones=[(each["channel"], each["hz"], each["share"]) for each in seen["audio"]["channels"]],
    )
    assert screen_of(desktop_host) == (1600, 900, 59_940)
    assert 0.6 * 59.94 < seen["video"]["fps"] < 1.02 * 59.94  # sway draws with the processor
    assert seen["video"]["frames_undecodable"] == 0
    colours = [client.pixel(x, y) for x, y in ((400, 300), (1200, 300), (400, 700), (1200, 700))]
    drawn = [(0xC0, 0, 0), (0, 0xC0, 0), (0, 0, 0xC0), (0x80, 0x80, 0x80)]
    assert all(map(near, colours, drawn)), colours

    heard = seen["audio"]["channels"]
    assert [round(each["hz"] or 0, -1) for each in heard] == [LEFT_HZ, RIGHT_HZ]
    assert all(each["share"] > 0.9 for each in heard)

    client.key(A)
    assert [event["key"] for event in program.wait("key", 2)] == [KEY_A, KEY_A]
    client.mouse_position(800, 225, 1600, 900)

    def pointer() -> tuple[float, float]:
        places = [*program.events("enter"), *program.events("motion")]
        last = max(places, key=lambda event: event["t"], default={"x": -1, "y": -1})
        return last["x"], last["y"]

    eventually(
        lambda: abs(pointer()[0] - 800) < 2 and abs(pointer()[1] - 225) < 2,
        3,
        lambda: f"the pointer is at {pointer()}",
    )
    client.mouse_move(60, 30)
    eventually(lambda: pointer()[0] > 810 and pointer()[1] > 230, 3, lambda: f"{pointer()}")
    client.mouse_button("left")
    clicks = program.wait("button", 2)
    assert [(event["button"], event["state"]) for event in clicks] == [
        (BUTTON_LEFT, 1),
        (BUTTON_LEFT, 0),
    ]
    client.scroll(-120)
    assert program.wait("axis")[0]["value"] > 0


def test_the_app_goes_on_while_nobody_watches_and_takes_the_next_screens_size(
    desktop_host: HostProcess, player: Player, program: Program, figures: Figures
) -> None:
    first = player(desktop_host)
    play(first, "Desktop", bitrate_kbps=8_000)
    first.wait_frames(30, 15)
    (started,) = program.wait("started", limit_s=10)
    first.key(A, "down")
    program.wait("key")
    first.vanish()

    second = player(desktop_host)
    answered = second.resume(width=1024, height=768, fps=30)
    second.start(bitrate_kbps=8_000)
    second.wait_frames(30, 15)
    assert [event["state"] for event in program.wait("key", 2)] == [1, 0]
    eventually(
        lambda: program.events("shown")[-1]["width"] == 1024,
        5,
        lambda: f"{program.events('shown')}",
    )
    assert machine.is_alive(started["pid"])
    assert len(program.events("started")) == 1
    figures(answered_ms=answered["answered_ms"], **second.stats()["since_launch_ms"])
    heard = second.stats()["audio"]["channels"]
    assert [round(each["hz"] or 0, -1) for each in heard] == [LEFT_HZ, RIGHT_HZ]


def test_quitting_the_desktop_leaves_the_machine_as_it_was(
    desktop_host: HostProcess, player: Player, program: Program
) -> None:
    client = player(desktop_host)
    before = traces(desktop_host)
    play(client, "Desktop", audio="51", bitrate_kbps=8_000)
    client.wait_frames(30, 15)
    program.wait("shown", limit_s=10)
    during = traces(desktop_host)
    assert len(during["processes"]) > 3
    assert during["default sink"] == before["default sink"]
    client.stop()
    client.quit()

    def left() -> dict[str, set[str]]:
        after = traces(desktop_host)
        return {name: after[name] - before[name] for name in before if after[name] - before[name]}

    eventually(lambda: not left(), 4, lambda: f"nothing is left: {left()}")


def test_a_killed_host_leaves_no_desktop_behind(
    desktop_host: HostProcess, player: Player, program: Program, figures: Figures
) -> None:
    client = player(desktop_host)
    play(client, "Desktop", bitrate_kbps=8_000)
    client.wait_frames(30, 15)
    program.wait("shown", limit_s=10)
    desktop_host.kill()
    gone_s = eventually(
        lambda: not desktop_host.processes(),
        2,
        lambda: f"gone: {[machine.describe(pid) for pid in desktop_host.processes()]}",
    )
    figures(gone_s=gone_s)
    desktop_host.start()
    assert desktop_host.seats() == []
    assert list((desktop_host.config / "journal").glob("*.jsonl")) == []


def test_a_killed_worker_leaves_no_desktop_behind(
    desktop_host: HostProcess, player: Player, program: Program, figures: Figures
) -> None:
    client = player(desktop_host)
    play(client, "Desktop", bitrate_kbps=8_000)
    client.wait_frames(30, 15)
    (started,) = program.wait("started", limit_s=10)
    os.kill(desktop_host.worker_of_port(desktop_host.base_port + 9), 9)
    gone_s = eventually(lambda: not machine.is_alive(started["pid"]), 3, "the program is gone")
    eventually(lambda: not desktop_host.seats(), 5, "the runtime folder is gone")
    figures(gone_s=gone_s)
    assert desktop_host.status()["sessions"] == []


@pytest.mark.parametrize("desktop_host", ["noise"], indirect=True)
def test_a_picture_of_noise_keeps_to_the_bitrate_and_survives_loss(
    desktop_host: HostProcess, player: Player, program: Program, tmp_path: Path, figures: Figures
) -> None:
    asked_kbps = 6_000
    arguments = ("--listen", RELAY_ADDRESS, "--base-port", str(desktop_host.base_port))
    with Relay(*arguments, log_path=tmp_path / "relay.log") as relay:
        client = player(desktop_host, address=RELAY_ADDRESS)
        play(
            client,
            "Desktop",
            width=960,
            height=540,
            fps=30,
            bitrate_kbps=asked_kbps,
            rewrite_url=True,
        )
        client.wait_frames(60, 15)
        before = relay.stats()["flows"]
        client.stats(drain_s=1, reset=True)
        client.wait_frames(120, 15)
        flows, clean = relay.stats()["flows"], client.stats(drain_s=1)["video"]
        seconds = clean["frames_received"] / 30
        kbps = {
            name: (flows[f"{name}:down"]["bytes"] - before[f"{name}:down"]["bytes"])
            * 8e-3
            / seconds
            for name in ("video", "audio", "control")
        }

        client.stats(reset=True)
        relay.set_loss(["video:down=5"])
        client.wait_frames(300, 25)
        relay.set_loss(["video:down=0"])
        client.wait_frames(315, 25)
        lossy = client.stats(drain_s=1)["video"]
        client.stop()
    sent = lossy["last_frame_number"] - lossy["first_frame_number"] + 1
    worst_ms = max((each["last_good_to_good_ms"] for each in lossy["outages"]), default=0.0)
    figures(
        asked_kbps=asked_kbps,
        wire_kbps=kbps,
        bytes_a_frame=clean["bytes_received"] / clean["frames_received"],
        decoded_under_loss=f"{lossy['frames_decoded']}/{sent}",
        outages=len(lossy["outages"]),
        worst_recovery_ms=worst_ms,
    )
    assert 0.5 * asked_kbps < sum(kbps.values()) <= 1.05 * asked_kbps
    assert lossy["frames_decoded"] >= 0.97 * sent
    assert worst_ms <= 200
