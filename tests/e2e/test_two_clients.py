"""Two players at once: each has a session, ports and a worker of its own."""

import os
import signal

import pytest
from harness import ClientError
from host_process import HostProcess, eventually
from machine import is_alive
from proof import Figures, Player, assert_whole, input_events, play, watch

pytestmark = pytest.mark.e2e

SMALL = {"width": 640, "height": 360, "fps": 30}
A, B = 0x41, 0x42
SHARED_RATE = 0.9  # two encoders and two decoders may not have a core each


def test_two_play_at_the_same_time_and_a_third_is_told_why_not(
    host: HostProcess, player: Player
) -> None:
    alice, bob, carol = player(host, "alice"), player(host, "bob"), player(host, "carol")
    play(alice, **SMALL, bitrate_kbps=3_000)
    alice.wait_frames(20)
    assert bob.serverinfo("https")["state"].endswith("_SERVER_FREE")
    play(bob, width=854, height=480, fps=30, bitrate_kbps=3_000)
    bob.wait_frames(20)

    workers = {host.worker_of_port(host.base_port + offset) for offset in (9, 104)}
    assert len(workers) == 2
    sessions = host.status()["sessions"]
    assert [session["width"] for session in sessions] == [640, 854]
    assert len({session["client"] for session in sessions}) == 2

    with pytest.raises(ClientError) as refused:
        carol.launch("Test pattern", **SMALL)
    assert refused.value.code == 503
    assert "max_sessions" in refused.value.message

    alice.key(A)
    bob.key(B)
    for seat, key in ((0, A), (1, B)):
        eventually(lambda seat=seat: len(input_events(host, seat)) == 2, 3, "the keys arrive")
        assert {event["vk"] for event in input_events(host, seat)} == {key}

    alice.stats(reset=True)
    bob.stats(reset=True)
    alice.wait_frames(120)
    bob.wait_frames(120)
    assert_whole(alice.stats(drain_s=1)["video"], 30, least_rate=SHARED_RATE)
    assert_whole(bob.stats(drain_s=1)["video"], 30, least_rate=SHARED_RATE)

    alice.stop()
    alice.quit()
    play(carol, **SMALL, bitrate_kbps=3_000)  # takes the place, and the ports, that are free now
    carol.wait_frames(20)
    assert_whole(watch(bob, 60)["video"], 30, least_rate=SHARED_RATE)


def test_a_worker_that_is_killed_takes_its_session_along_and_nothing_else(
    host: HostProcess, player: Player, figures: Figures
) -> None:
    alice, bob = player(host, "alice"), player(host, "bob")
    play(alice, **SMALL, bitrate_kbps=3_000)
    alice.wait_frames(10)
    play(bob, **SMALL, bitrate_kbps=3_000)
    bob.wait_frames(20)
    bob.stats(reset=True)
    worker = host.worker_of_port(host.base_port + 9)
    seat = host.seats()[0]
    os.kill(worker, signal.SIGKILL)
    gone_s = eventually(lambda: len(host.status()["sessions"]) == 1, 3, "the session is gone")
    eventually(lambda: not seat.exists(), 5, "its folder is gone")
    figures(gone_s=gone_s)

    bob.wait_frames(150)
    assert_whole(bob.stats(drain_s=1)["video"], 30, least_rate=SHARED_RATE)
    alice.wait_event("stopped", timeout_s=15)
    assert alice.serverinfo("https")["current_game"] == 0
    play(alice, **SMALL, bitrate_kbps=3_000)
    alice.wait_frames(20)
    assert host.running


def test_a_worker_that_hangs_is_ended_and_its_client_can_start_again(
    host: HostProcess, player: Player
) -> None:
    alice = player(host, "alice")
    play(alice, **SMALL, bitrate_kbps=3_000)
    alice.wait_frames(10)
    worker = host.worker_of_port(host.base_port + 9)
    os.kill(worker, signal.SIGSTOP)
    eventually(lambda: host.status()["sessions"] == [], 20, "the session is given up")
    assert not is_alive(worker)
    alice.wait_event("stopped", timeout_s=15)
    play(alice, **SMALL, bitrate_kbps=3_000)
    alice.wait_frames(20)
