"""How the host ends: on purpose, and shot in the middle of a stream."""

import machine
import pytest
from host_process import eventually
from proof import Figures, Hosts, Player, end_cleanly, play

pytestmark = pytest.mark.e2e

SMALL = {"width": 640, "height": 360, "fps": 30}


def test_ctrl_c_during_a_stream_ends_everything_within_two_seconds(
    own_host: Hosts, player: Player, figures: Figures
) -> None:
    host = own_host()
    client = player(host)
    play(client, **SMALL, bitrate_kbps=3_000)
    client.wait_frames(30)
    took_s = end_cleanly(host)
    figures(took_s=took_s)
    assert client.wait_event("terminated", timeout_s=1)["code"] == 0


def test_a_killed_host_takes_its_workers_along_and_the_next_one_clears_up(
    own_host: Hosts, player: Player, figures: Figures
) -> None:
    shared_memory = machine.shared_memory()
    host = own_host()
    client = player(host)
    play(client, **SMALL, bitrate_kbps=3_000)
    client.wait_frames(30)
    assert len(host.processes()) >= 1
    host.kill()
    gone_s = eventually(lambda: not host.processes(), 2, lambda: f"gone: {host.processes()}")
    took_s = host.start()
    figures(gone_s=gone_s, started_again_s=took_s)
    assert host.seats() == []
    assert list((host.config / "journal").glob("*.jsonl")) == []

    again = player(host)
    assert again.serverinfo("https")["paired"] is True
    play(again, **SMALL, bitrate_kbps=3_000)
    again.wait_frames(30)
    end_cleanly(host)
    assert machine.shared_memory() <= shared_memory
