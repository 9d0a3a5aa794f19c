"""The whole loop as a user without any privilege: no capability, and none to be had."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import ClientError
from host_process import HostProcess, eventually
from proof import Figures, Hosts, Player, assert_whole, end_cleanly, input_events, play, watch
from unprivileged import NOBODY, host_command, why_not

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "can be tried"),
]

A, SPACE, ENTER = 0x41, 0x20, 0x0D


@pytest.fixture
def nobodys_host(own_host: Hosts) -> Iterator[HostProcess]:
    with host_command() as command:
        yield own_host(command=command, uid=NOBODY)


def assert_powerless(pid: int) -> None:
    fields = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    assert set(fields["Uid"].split()) == {str(NOBODY)}
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(fields[name], 16) == 0, name
    assert fields["NoNewPrivs"] == "1"


def test_pair_play_vanish_resume_and_quit(
    nobodys_host: HostProcess, player: Player, figures: Figures
) -> None:
    host = nobodys_host
    client = player(host, "bob", pair=False)
    wrong = client.begin_pair("1111")
    host.enter_pin("2222")
    with pytest.raises(ClientError):
        wrong.result(30)
    host.pair(client, Path())
    assert [app["name"] for app in client.applist()][-1] == "Test pattern"
    play(client)
    seen = watch(client, 240)
    assert_whole(seen["video"], 60, least_rate=0.9)
    assert [round(each["hz"]) for each in seen["audio"]["channels"]] == [440, 554]
    for pid in (host.pid, host.worker_of_port(host.base_port + 9)):
        assert_powerless(pid)
    client.key(A, "down")
    eventually(lambda: len(input_events(host)) == 1, 3, "the key goes down")
    figures(fps=seen["video"]["fps"], **seen["since_launch_ms"])
    client.vanish()

    again = player(host, "bob", pair=False)
    again.resume()
    again.start()
    again.wait_frames(60)
    assert [event["pressed"] for event in input_events(host)] == [True, False]
    again.stop()
    assert again.quit()["current_game"] == 0
    eventually(lambda: not host.seats(), 3, "the session is gone")
    end_cleanly(host)


@pytest.mark.desktop
@pytest.mark.usefixtures("desktop_tools")
def test_the_desktop_runs_without_privileges_too(
    nobodys_host: HostProcess, player: Player, figures: Figures
) -> None:
    host = nobodys_host
    client = player(host)
    play(client, "Desktop")
    client.wait_frames(30, 15)
    home = host.folder / "home"
    for name in ("A", "B", "C"):  # until the shell in the terminal listens
        for key in (*b"TOUCH", SPACE, ord(name), ENTER):
            client.key(key)
        try:
            eventually(lambda: list(home.glob("?")), 2, "the shell has run what was typed")
            break
        except AssertionError:
            assert name != "C", host.log_tail()
    seen = client.stats(drain_s=1)
    figures(**seen["since_launch_ms"])
    assert seen["video"]["frames_undecodable"] == 0
    assert_powerless(host.worker_of_port(host.base_port + 9))
    client.stop()
    client.quit()
    end_cleanly(host)
