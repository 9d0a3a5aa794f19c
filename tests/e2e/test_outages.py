"""What a client sees and hears when the display or the sound server dies under its session."""

import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import MoonlightClient
from host_process import HostProcess, eventually
from proof import Figures, Hosts, Player, end_cleanly, play

from punktfunk.builtin.tone import TONES_HZ
from punktfunk.plugin import SURROUND_71

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.desktop,
    pytest.mark.usefixtures("desktop_tools"),
    pytest.mark.timeout(180),
]

SUPPORT = Path(__file__).parent / "support"
X11_PROGRAM = Path(__file__).parents[2] / "plugins" / "capture_x11" / "tests" / "lab_client.py"
A = 0x41
RED = (0xC0, 0, 0)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def start(own_host: Hosts) -> Iterator[Callable[[str, str], HostProcess]]:
    """`start(command, more_settings)`: a host whose Desktop runs that command."""
    hosts = []

    def begin(command: list[str], settings: str = "") -> HostProcess:
        hosts.append(own_host(f"{settings}\n[desktop]\ncommand = {json.dumps(command)}\n"))
        return hosts[-1]

    yield begin
    for host in hosts:
        if host.running:
            end_cleanly(host)


def process_of(host: HostProcess, name: str) -> int:
    """The program of that name that runs on the host's seats."""
    for pid in host.processes():
        try:
            argv = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if Path(os.fsdecode(argv[0])).name == name:
            return pid
    raise LookupError(f"no {name} runs\n{host.log_tail()}")


def kill(host: HostProcess, name: str) -> int:
    """As it dies by itself, and not before it runs."""
    found: list[int] = []

    def runs() -> bool:
        try:
            found.append(process_of(host, name))
        except LookupError:
            return False
        return True

    eventually(runs, 20, f"{name} runs")
    os.kill(found[-1], signal.SIGKILL)
    return found[-1]


def shown(events: Path, kind: str) -> int:
    lines = events.read_text().splitlines() if events.exists() else []
    return sum(json.loads(line)["kind"] == kind for line in lines)


def is_drawn(client: MoonlightClient) -> bool:
    red, green, blue = client.pixel(300, 200)
    return abs(red - RED[0]) < 24 and green < 24 and blue < 24


def assert_comes_back(
    host: HostProcess, client: MoonlightClient, events: Path, name: str, figures: Figures
) -> None:
    eventually(lambda: is_drawn(client), 20, "the program is seen")
    client.stats(reset=True)
    events.unlink()

    kill(host, name)
    killed = time.monotonic()
    eventually(lambda: shown(events, "shown"), 30, lambda: host.log_tail())
    eventually(lambda: "display is back" in host.log_text(), 30, lambda: host.log_tail())
    seen_s = eventually(lambda: is_drawn(client), 20, "the program is seen again")
    seen_s = time.monotonic() - killed
    frames = client.stats()["video"]["frames_received"]
    client.wait_frames(frames + 20, 20)
    seen = client.stats(drain_s=1)["video"]

    (told,) = re.findall(r"display is back.*after_ms=(\d+)", host.log_text())
    figures(
        display_back_ms=int(told),
        program_seen_again_s=seen_s,
        frames_meanwhile=frames,
        longest_outage_ms=max((it["last_good_to_good_ms"] for it in seen["outages"]), default=0),
        idr_frames=seen["idr_frames"],
    )
    assert client.events_named("terminated") == []
    assert seen["idr_frames"] >= 1
    assert seen["frames_undecodable"] == 0
    assert host.log_text().count("display lost") == 1
    client.key(A)
    eventually(lambda: shown(events, "key"), 10, lambda: events.read_text()[-600:])


def test_a_sway_that_is_killed_comes_back_under_the_same_stream(
    start, player: Player, events: Path, figures: Figures
) -> None:
    host = start([sys.executable, str(SUPPORT / "desktop_program.py"), "quarters", str(events)])
    client = player(host)
    play(client, "Desktop", bitrate_kbps=8_000)
    client.wait_frames(30, 20)

    assert_comes_back(host, client, events, "sway", figures)


def test_an_xvfb_that_is_killed_comes_back_under_the_same_stream(
    start, player: Player, events: Path, figures: Figures
) -> None:
    if missing := [name for name in ("Xvfb", "openbox") if not shutil.which(name)]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    command = [sys.executable, str(X11_PROGRAM), "box", str(events)]
    host = start(command, '[drivers]\ncompositor = ["x11"]')
    client = player(host)
    play(client, "Desktop", bitrate_kbps=8_000)
    client.wait_frames(30, 20)

    assert_comes_back(host, client, events, "Xvfb", figures)


def test_a_display_that_dies_again_and_again_ends_the_session_and_says_why(
    start, player: Player, events: Path
) -> None:
    host = start([sys.executable, str(SUPPORT / "desktop_program.py"), "quarters", str(events)])
    client = player(host)
    play(client, "Desktop", bitrate_kbps=8_000)
    client.wait_frames(30, 20)

    for death in range(1, 4):
        kill(host, "sway")
        if death < 3:
            eventually(
                lambda death=death: host.log_text().count("host.session: display is back") == death,
                30,
                lambda: host.log_tail(),
            )

    client.wait_event("terminated", timeout_s=30)
    eventually(lambda: host.status()["sessions"] == [], 10, "the session is over")
    assert "the display was lost 3 times within a minute: " in host.log_text()


def tones(client: MoonlightClient) -> list[int]:
    """What is heard on each channel, in hertz; 0 where it is not one clear tone."""
    channels = client.stats()["audio"]["channels"]
    return [round(each["hz"], -1) if (each["share"] or 0) > 0.9 else 0 for each in channels]


@pytest.mark.parametrize(("audio", "channels"), [("stereo", 2), ("51", 6), ("71", 8)])
def test_every_channel_of_a_program_reaches_the_clients_speaker_of_that_name(
    start, player: Player, figures: Figures, audio: str, channels: int
) -> None:
    host = start([sys.executable, str(SUPPORT / "surround_program.py"), str(channels)])
    client = player(host)
    play(client, "Desktop", audio=audio, width=640, height=360, bitrate_kbps=15_000)
    wanted = [round(TONES_HZ[speaker], -1) for speaker in SURROUND_71.speakers[:channels]]

    eventually(lambda: tones(client) == wanted, 30, lambda: f"{tones(client)}, not {wanted}")

    heard = client.stats()["audio"]["channels"]
    figures(tones=[(each["channel"], each["hz"], each["share"]) for each in heard])


def test_a_sound_server_that_is_killed_is_heard_again_and_the_packets_never_stop(
    start, player: Player, figures: Figures
) -> None:
    host = start([sys.executable, str(SUPPORT / "surround_program.py"), "2"])
    client = player(host)
    client.launch("Desktop", width=640, height=360, fps=30, local_audio=True)
    client.start(bitrate_kbps=4_000)
    wanted = [round(TONES_HZ[speaker], -1) for speaker in SURROUND_71.speakers[:2]]
    eventually(lambda: tones(client) == wanted, 30, lambda: f"{tones(client)}")
    assert "no speakers that could play" in host.log_text()  # it was asked for, see `launch`

    kill(host, "pipewire")
    began = time.monotonic()
    before = client.stats()["audio"]["packets"]
    eventually(lambda: "the sound is back" in host.log_text(), 20, lambda: host.log_tail())
    meanwhile, meanwhile_s = client.stats(reset=True)["audio"], time.monotonic() - began
    eventually(lambda: tones(client) == wanted, 20, lambda: f"{tones(client)}")
    took_s = time.monotonic() - began

    packets = meanwhile["packets"] - before
    (back_s,) = re.findall(r"the sound is back after ([\d.]+) seconds", host.log_text())
    figures(back_s=float(back_s), clear_tone_again_s=took_s, packets=packets, in_s=meanwhile_s)
    assert client.events_named("terminated") == []
    assert packets * 0.005 > 0.3 * meanwhile_s
