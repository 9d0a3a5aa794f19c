"""An app outlives the connection: vanished clients, resuming, quitting."""

import pytest
from harness import ClientError
from host_process import HostProcess, eventually
from machine import is_alive
from proof import Figures, Player, assert_whole, input_events, play, watch

pytestmark = pytest.mark.e2e

SILENCE_LIMIT_S = 10
SMALL = {"width": 640, "height": 360, "fps": 30}
SHIFT, A = 0xA0, 0x41


def streaming(host: HostProcess) -> list[bool]:
    return [session["streaming"] for session in host.status()["sessions"]]


def test_resuming_before_the_host_noticed_goes_on_in_the_same_session(
    host: HostProcess, player: Player, figures: Figures
) -> None:
    first = player(host)
    play(first, **SMALL, bitrate_kbps=3_000)
    first.wait_frames(30)
    worker = host.worker_of_port(host.base_port + 9)
    session = host.status()["sessions"][0]["id"]
    first.key(SHIFT, "down")
    eventually(lambda: input_events(host), 2, "the key went down")
    first.vanish()

    second = player(host)
    info = second.serverinfo("https")
    assert info["current_game"] != 0
    assert info["state"].endswith("_SERVER_BUSY")
    answered = second.resume(width=640, height=360, fps=30)
    second.start(bitrate_kbps=3_000)
    assert_whole(watch(second, 90)["video"], 30)
    assert host.worker_of_port(host.base_port + 9) == worker
    assert [each["id"] for each in host.status()["sessions"]] == [session]
    figures(answered_ms=answered["answered_ms"], **second.stats()["since_launch_ms"])
    released = [(event["vk"], event["pressed"]) for event in input_events(host)]
    assert released == [(SHIFT, True), (SHIFT, False)]


@pytest.mark.timeout(90)
def test_a_vanished_client_is_noticed_its_keys_let_go_and_it_can_come_back(
    host: HostProcess, player: Player, figures: Figures
) -> None:
    first = player(host)
    play(first, **SMALL, bitrate_kbps=3_000)
    first.wait_frames(30)
    first.key(A, "down")
    first.mouse_button("left", "down")
    eventually(lambda: len(input_events(host)) == 2, 2, "key and button went down")
    first.vanish()
    noticed_s = eventually(
        lambda: streaming(host) == [False], SILENCE_LIMIT_S + 3, "the host notices"
    )
    figures(noticed_s=noticed_s)
    assert noticed_s > 2
    released = [event["pressed"] for event in input_events(host)]
    assert released == [True, True, False, False]

    second = player(host)
    for _ in range(2):
        second.resume(width=640, height=360, fps=30)
        second.start(bitrate_kbps=3_000)
        assert_whole(watch(second, 60)["video"], 30)
        second.stop()
        eventually(lambda: streaming(host) == [False], 2, "the stream has ended")
    assert second.quit()["current_game"] == 0
    eventually(lambda: not host.seats(), 2, "the session is gone")


def test_resuming_with_another_mode_and_sound_takes_them(host: HostProcess, player: Player) -> None:
    client = player(host)
    play(client, **SMALL, bitrate_kbps=3_000)
    client.wait_frames(30)
    client.stop()
    client.resume(width=854, height=480, fps=60, audio="51")
    client.start(bitrate_kbps=4_000, codec="hevc")
    seen = watch(client, 60)
    assert (seen["video"]["width"], seen["video"]["height"]) == (854, 480)
    assert seen["codec"] == "hevc"
    assert len(seen["audio"]["channels"]) == 6


def test_quitting_ends_the_app_and_a_second_launch_needs_that(
    host: HostProcess, player: Player
) -> None:
    client = player(host)
    play(client, **SMALL, bitrate_kbps=3_000)
    client.wait_frames(30)
    worker = host.worker_of_port(host.base_port + 9)
    with pytest.raises(ClientError) as refused:
        client.launch("Test pattern")
    assert refused.value.code == 400
    client.wait_frames(60)

    client.stop()
    assert client.quit() == {"state": "PUNKTFUNK_SERVER_FREE", "current_game": 0}
    eventually(lambda: not is_alive(worker), 2, "the worker has ended")
    with pytest.raises(ClientError) as refused:
        client.resume()
    assert refused.value.code == 503
    play(client, **SMALL, bitrate_kbps=3_000)
    client.wait_frames(30)


def test_the_owner_can_stop_a_session(host: HostProcess, player: Player) -> None:
    client = player(host)
    play(client, **SMALL, bitrate_kbps=3_000)
    client.wait_frames(30)
    host.end_sessions()
    ended = client.wait_event("terminated", timeout_s=1)
    assert ended["code"] == 0  # what the clients show as an ordinary end
    assert host.status()["sessions"] == []


@pytest.mark.timeout(90)
def test_a_client_that_launches_and_never_connects_leaves_nothing(
    host: HostProcess, player: Player
) -> None:
    client = player(host)
    client.launch("Test pattern", **SMALL)
    assert len(host.seats()) == 1
    eventually(lambda: not host.seats(), 14, "the session is gone")
    assert host.status()["sessions"] == []
