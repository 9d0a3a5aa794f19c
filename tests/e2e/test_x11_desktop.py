"""The desktop on an X server of its own: seen, typed into, resized, and gone without a trace."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import machine
import pytest
from host_process import HostProcess, eventually
from PIL import Image
from proof import Figures, Hosts, Player, end_cleanly, play

pytestmark = [pytest.mark.e2e, pytest.mark.desktop, pytest.mark.timeout(180)]

PROGRAM = Path(__file__).parents[2] / "plugins" / "capture_x11" / "tests" / "lab_client.py"
A, KEY_A = 0x41, 30


def logged(path: Path, kind: str) -> list[dict[str, Any]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [event for event in map(json.loads, lines) if event["kind"] == kind]


def displays(host: HostProcess) -> list[Path]:
    """Lock files of the X servers that the host's sessions run; there may be others' beside."""
    processes = host.processes()
    return [lock for lock in Path("/tmp").glob(".X*-lock") if holder_of(lock) in processes]


def holder_of(lock: Path) -> int:
    try:
        return int(lock.read_text())
    except FileNotFoundError:
        return 0


def socket_of(lock: Path) -> Path:
    return Path("/tmp/.X11-unix") / lock.name.removeprefix(".").removesuffix("-lock")


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def x11_host(own_host: Hosts, events: Path) -> Iterator[HostProcess]:
    missing = [name for name in ("Xvfb", "openbox", "setxkbmap") if not shutil.which(name)]
    if missing:
        problem = f"not installed: {', '.join(missing)}"
        if os.environ.get("CI") == "true":
            pytest.fail(problem)
        pytest.skip(problem)
    command = json.dumps([sys.executable, str(PROGRAM), "box", str(events)])
    host = own_host(f'[drivers]\ncompositor = ["x11"]\n[desktop]\ncommand = {command}\n')
    yield host
    if host.running:
        locks = displays(host)
        end_cleanly(host)
        assert [lock for lock in locks if lock.exists() or socket_of(lock).exists()] == []


def frame_number(seen: Path) -> int:
    """The cells the program draws its frame number in, in one picture that a client decoded."""
    with Image.open(seen) as picture:
        cells = [picture.convert("L").getpixel((bit * 16 + 8, 8)) for bit in range(16)]
    return sum(1 << bit for bit, value in enumerate(cells) if value > 128)


def test_a_moving_picture_arrives_and_a_key_and_a_click_go_back(
    x11_host: HostProcess, player: Player, events: Path, figures: Figures
) -> None:
    client = player(x11_host)
    play(client, "Desktop", bitrate_kbps=10_000)
    client.wait_frames(60, 20)

    (shown, *_) = logged(events, "shown")
    assert (shown["width"], shown["height"]) == (1280, 720)
    colours = [client.pixel(x, y) for x, y in ((300, 200), (900, 200), (300, 600), (900, 600))]
    drawn = [(0xC0, 0, 0), (0, 0xC0, 0), (0, 0, 0xC0), (0x80, 0x80, 0x80)]
    for colour, expected in zip(colours, drawn, strict=True):
        assert all(abs(one - other) <= 16 for one, other in zip(colour, expected, strict=True))

    client.stats(reset=True)
    client.wait_frames(120, 20)
    seen = client.stats(drain_s=1)
    figures(fps=seen["video"]["fps"], host_latency_ms=seen["video"]["host_latency_ms"]["p50"])
    assert seen["video"]["frames_undecodable"] == 0
    assert seen["video"]["frames_missing_on_wire"] == 0
    assert seen["video"]["fps"] > 20

    client.key(A)
    eventually(lambda: len(logged(events, "key")) == 2, 5, lambda: events.read_text()[-600:])
    assert [(it["key"], it["state"]) for it in logged(events, "key")] == [(KEY_A, 1), (KEY_A, 0)]
    client.mouse_position(800, 225, 1280, 720)
    client.mouse_button("left")
    eventually(lambda: len(logged(events, "button")) == 2, 5, lambda: events.read_text()[-600:])
    click = logged(events, "button")[0]
    assert (click["button"], click["state"]) == (1, 1)
    assert abs(click["x"] - 800) <= 1
    assert abs(click["y"] - 225) <= 1


def test_the_picture_that_moves_is_new_each_time(
    x11_host: HostProcess, player: Player, tmp_path: Path
) -> None:
    client = player(x11_host)
    play(client, "Desktop", bitrate_kbps=10_000)

    numbers = []
    for count in range(30, 151, 30):
        client.wait_frames(count, 20)
        client.snapshot(tmp_path / "seen.png")
        numbers.append(frame_number(tmp_path / "seen.png"))

    assert numbers == sorted(set(numbers))


def test_the_app_goes_on_while_nobody_watches_and_takes_the_next_screens_size(
    x11_host: HostProcess, player: Player, events: Path
) -> None:
    first = player(x11_host)
    play(first, "Desktop", bitrate_kbps=8_000)
    first.wait_frames(30, 20)
    first.vanish()

    second = player(x11_host)
    second.resume(width=1600, height=900, fps=60)
    second.start(bitrate_kbps=8_000)
    second.wait_frames(30, 20)

    eventually(
        lambda: [it["width"] for it in logged(events, "size")][-1:] == [1600],
        5,
        lambda: events.read_text()[-600:],
    )
    stats = second.stats()["video"]
    assert (stats["width"], stats["height"]) == (1600, 900)
    assert len(logged(events, "focus")) >= 1


def test_two_clients_have_displays_of_their_own(x11_host: HostProcess, player: Player) -> None:
    alice, bob = player(x11_host, "alice"), player(x11_host, "bob")
    play(alice, "Desktop", bitrate_kbps=6_000, fps=30)
    play(bob, "Desktop", width=800, height=600, bitrate_kbps=6_000, fps=30)

    for client in (alice, bob):
        client.wait_frames(45, 20)

    assert len(displays(x11_host)) == 2
    widths = [client.stats()["video"]["width"] for client in (alice, bob)]
    assert widths == [1280, 800]


@pytest.mark.parametrize("victim", ["host", "worker", "display and host"])
def test_whoever_is_killed_nothing_stays(
    x11_host: HostProcess, player: Player, victim: str, figures: Figures
) -> None:
    client = player(x11_host)
    play(client, "Desktop", bitrate_kbps=8_000)
    client.wait_frames(30, 20)
    (lock,) = displays(x11_host)
    server, processes = holder_of(lock), x11_host.processes()
    assert server in processes

    if victim == "worker":
        os.kill(x11_host.worker_of_port(x11_host.base_port + 9), 9)
    else:
        if victim == "display and host":
            os.kill(server, 9)
        x11_host.kill()

    gone_s = eventually(
        lambda: not any(map(machine.is_alive, processes)),
        10,
        lambda: f"gone: {[machine.describe(pid) for pid in filter(machine.is_alive, processes)]}",
    )
    figures(gone_s=gone_s)
    if victim != "worker":
        x11_host.start()
    eventually(lambda: holder_of(lock) != server, 5, f"{lock} is gone")
    assert holder_of(lock) or not socket_of(lock).exists()
    eventually(lambda: not x11_host.seats(), 5, "the runtime folder is gone")


@pytest.fixture
def running_desktop(tmp_path: Path, events: Path) -> Iterator[dict[str, str]]:
    """Somebody's X server with a program that fills it; the variables that lead there."""
    from punktfunk_capture_x11.compositor import X11Compositor

    from punktfunk.plugin import VideoMode
    from punktfunk.testing import FakeSeat

    compositor = X11Compositor()
    with FakeSeat("seat-person") as seat:
        mode = VideoMode(width_px=1_024, height_px=768, refresh_mhz=60_000)
        environment = dict(compositor.open(seat, mode).environment)
        seat.spawn(
            "program", (sys.executable, str(PROGRAM), "box", str(events)), environment=environment
        )
        eventually(lambda: logged(events, "focus"), 20, lambda: seat.log_tail("program"))
        yield environment
        compositor.check()
        compositor.close()


def test_the_desktop_that_runs_is_seen_typed_into_and_left_as_it_was(
    running_desktop: dict[str, str], own_host: Hosts, player: Player, events: Path
) -> None:
    settings = '[desktop]\nmode = "attach"\n[drivers]\ncompositor = ["x11"]\n'
    host = own_host(settings, environment=running_desktop)
    client = player(host)
    play(client, "Desktop", bitrate_kbps=10_000)
    client.wait_frames(60, 20)

    client.key(A)
    eventually(lambda: len(logged(events, "key")) == 2, 5, lambda: events.read_text()[-600:])
    client.mouse_position(640, 360, 1280, 720)
    client.mouse_button("left")
    eventually(lambda: len(logged(events, "button")) == 2, 5, lambda: events.read_text()[-600:])
    stats = client.stats()["video"]

    click = logged(events, "button")[0]
    assert (stats["width"], stats["height"]) == (1280, 720)
    assert abs(click["x"] - 512) <= 1
    assert abs(click["y"] - 384) <= 1
    assert displays(host) == []
    end_cleanly(host)
    assert [(it["width"], it["height"]) for it in logged(events, "size")][-1:] in (
        [],
        [(1024, 768)],
    )
