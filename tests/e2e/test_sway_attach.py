"""The sway that somebody runs already: seen, typed into, and afterwards as it was."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from host_process import HostProcess, eventually
from proof import Figures, Player, play
from user_sway import SWAYS, UserSway, sway_program

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.desktop,
    pytest.mark.timeout(180),
    pytest.mark.usefixtures("desktop_tools"),
]

PROGRAM = Path(__file__).parent / "support" / "desktop_program.py"
A, KEY_A = 0x41, 30
SETTINGS = '[desktop]\nmode = "attach"\ncommand = {command}\n[drivers]\ncompositor = ["wlroots"]\n'


@attrs.frozen
class Attached:
    """A host that is a service of a user who runs a sway."""

    host: HostProcess
    user: UserSway
    program: Path

    def events(self, kind: str) -> list[dict[str, Any]]:
        lines = self.program.read_text().splitlines() if self.program.exists() else []
        return [event for event in map(json.loads, lines) if event["kind"] == kind]


@pytest.fixture
def attached(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Attached]:
    sway, program = sway_program(request.param, tmp_path), tmp_path / "events"
    command = json.dumps([sys.executable, str(PROGRAM), "quarters", str(program)])
    host = HostProcess(SETTINGS.format(command=command))
    # The host's own folders are in there too.
    with UserSway(sway, host.runtime) as user, host:
        yield Attached(host, user, program)


def near(shown: tuple[int, int, int], drawn: tuple[int, int, int]) -> bool:
    return all(abs(one - other) <= 16 for one, other in zip(shown, drawn, strict=True))


@pytest.mark.parametrize("attached", SWAYS, indirect=True)
def test_an_animated_window_is_seen_and_typed_into(
    attached: Attached, player: Player, figures: Figures
) -> None:
    client = player(attached.host)
    play(client, "Desktop", bitrate_kbps=10_000)
    client.wait_frames(30, 30)
    eventually(lambda: attached.events("shown"), 20, "the program is shown")
    colours = (0xC0, 0, 0), (0, 0xC0, 0), (0, 0, 0xC0), (0x80, 0x80, 0x80)
    places = (320, 180), (960, 180), (320, 540), (960, 540)

    def as_drawn() -> bool:
        return all(
            near(client.pixel(*at), colour) for at, colour in zip(places, colours, strict=True)
        )

    eventually(as_drawn, 20, lambda: f"{[client.pixel(*place) for place in places]}")
    client.stats(reset=True)
    client.wait_frames(100, 30)
    seen = client.stats(drain_s=1)
    figures(fps=seen["video"]["fps"], host_latency_ms=seen["video"]["host_latency_ms"]["p50"])
    assert (seen["video"]["width"], seen["video"]["height"]) == (1280, 720)
    assert seen["video"]["frames_undecodable"] == 0
    own = attached.user.makes_outputs
    assert len(attached.user.outputs()) == (2 if own else 1)
    assert attached.events("shown")[-1]["width"] == (1280 if own else 800)

    client.key(A)
    eventually(
        lambda: [event["key"] for event in attached.events("key")] == [KEY_A, KEY_A],
        10,
        lambda: f"{attached.events('key')}",
    )
    client.quit()
    eventually(
        lambda: attached.user.looks() == attached.user.looked,
        20,
        lambda: f"as before: {attached.user.looks()}",
    )


@pytest.mark.parametrize("attached", ["trixie", "sid"], indirect=True)
@pytest.mark.parametrize("victim", ["worker", "host"])
def test_a_kill_leaves_the_desktop_as_it_was(
    attached: Attached, player: Player, victim: str
) -> None:
    host, user = attached.host, attached.user
    client = player(host)
    play(client, "Desktop", width=640, height=360, fps=30, bitrate_kbps=3_000)
    client.wait_frames(30, 30)
    eventually(lambda: attached.events("shown"), 20, "the program is shown")
    assert len(user.outputs()) == 2

    if victim == "worker":
        os.kill(host.worker_of_port(host.base_port + 9), signal.SIGKILL)
    else:
        host.kill()
        host.start()

    eventually(lambda: user.looks() == user.looked, 20, lambda: f"as before: {user.looks()}")
    eventually(
        lambda: not list((host.config / "journal").glob("*.jsonl")), 20, "the journal is empty"
    )
