"""Names that the proofs share."""

import json
from collections.abc import Callable
from typing import Any

from harness import MoonlightClient
from host_process import HostProcess

RELAY_ADDRESS = "127.0.0.3"
STOP_LIMIT_S = 2.0
WARM_UP_FRAMES = 20

Player = Callable[..., MoonlightClient]
"""`player(host, "alice", address=..., pair=True)`: a client in a process of its own."""

Hosts = Callable[..., HostProcess]
"""`own_host(settings)`: a running host for one test."""

Figures = Callable[..., None]
"""`figures(name=number)`: keep what was measured, for the list at the end of the run."""


def end_cleanly(host: HostProcess) -> float:
    """Ctrl-C: gone within two seconds, and nothing of it stays on the machine."""
    took_s = host.interrupt()
    left = host.leftovers()
    assert not left, f"left behind: {left}\n{host.log_tail()}"
    assert took_s < STOP_LIMIT_S, f"Ctrl-C took {took_s:.1f} s\n{host.log_tail()}"
    return took_s


def play(
    client: MoonlightClient,
    app: str = "Test pattern",
    *,
    width: int = 1280,
    height: int = 720,
    fps: int = 60,
    audio: str = "stereo",
    corever: bool = True,
    **start: Any,
) -> dict[str, Any]:
    """Launch an app and connect to it; `start` is the client's own request."""
    client.launch(app, width=width, height=height, fps=fps, audio=audio, corever=corever)
    return client.start(**start)


def watch(client: MoonlightClient, frames: int, timeout_s: float = 20) -> dict[str, Any]:
    """What the client saw of so many frames, the first few of the stream left out."""
    client.wait_frames(WARM_UP_FRAMES, timeout_s)
    client.stats(reset=True)
    client.wait_frames(frames, timeout_s)
    return client.stats(drain_s=1)


def assert_whole(video: dict[str, Any], fps: float, *, least_rate: float = 0.98) -> None:
    """No gap, as the project defines it: on the wire none, in the pixels at most 2 %."""
    received, cards = video["frames_received"], video["cards"]
    assert video["frames_missing_on_wire"] == 0, video["frame_number_gaps"]
    assert video["frame_numbers_backwards"] == 0
    assert video["frames_decoded"] >= 0.99 * received, video["decode_errors"]
    assert cards["unreadable"] == 0
    assert cards["backwards"] == 0
    assert cards["distinct"] >= 0.98 * (cards["last"] - cards["first"] + 1)
    assert cards["distinct"] >= 0.98 * received
    assert video["fps"] >= least_rate * fps, f"{video['fps']} frames a second"


def input_events(host: HostProcess, seat: int = 0) -> list[dict[str, Any]]:
    """What the test pattern's input driver was given so far, in one of the sessions.

    Without what every client says of itself at the start: it knows haptics, and it pushes the
    pointer by one and back to wake the display.
    """
    path = host.seats()[seat] / "input-events.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    events = [json.loads(line) for line in lines]
    return [event for event in events if not _is_greeting(event)]


def _is_greeting(event: dict[str, Any]) -> bool:
    nudge = event["event"] == "PointerMotion" and (event["dx"], event["dy"]) in ((1, 1), (-1, -1))
    return nudge or event["event"] == "EnableHaptics"
