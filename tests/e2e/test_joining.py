"""A second device and an app that another one plays: it joins, takes over, or is told who plays."""

from collections.abc import Iterator

import pytest
from harness import ClientError, MoonlightClient, Relay
from host_process import HostProcess, eventually
from proof import RELAY_ADDRESS, Player, assert_whole, input_events, play

pytestmark = pytest.mark.e2e

SMALL = {"width": 640, "height": 360, "fps": 30}
STREAM = {**SMALL, "bitrate_kbps": 3_000}
A, B = 0x41, 0x42
SHARED_RATE = 0.6
"""One encoder, but two decoders beside it may not have a core each. Gaps count in full."""


@pytest.fixture(scope="module")
def module_settings() -> str:
    return '[stream]\nsecond_client = "join"\n'


@pytest.fixture
def rule(host: HostProcess) -> Iterator[object]:
    """`rule(second_client=..., guests=...)`: change the running host's settings."""

    def use(**values: str) -> None:
        changes = {f"stream.{name}": value for name, value in values.items()}
        status, body = host.api("PATCH", "/config", {"set": changes})
        assert status == 200, body

    yield use
    use(second_client="join", guests="play")


def clients_of(host: HostProcess) -> list[dict[str, object]]:
    (session,) = host.status()["sessions"]
    return session["clients"]


def encoders(host: HostProcess) -> int:
    numbers = {it["encoding"] for it in clients_of(host)}
    return 0 if None in numbers else len(numbers)


def counters(client: MoonlightClient) -> list[int]:
    """The numbers on the last cards it saw."""
    return [it["counter"] for it in client.frames() if it["counter"] is not None]


def joined(host: HostProcess, player: Player, **start: object) -> tuple[MoonlightClient, ...]:
    alice, bob = player(host, "alice"), player(host, "bob")
    play(alice, **STREAM)
    alice.wait_frames(20)
    play(bob, **(STREAM | start))
    bob.wait_frames(20)
    return alice, bob


def test_a_second_device_joins_and_sees_the_same_pictures_from_one_encoder(
    host: HostProcess, player: Player
) -> None:
    alice, bob = joined(host, player)
    assert bob.serverinfo("https")["current_game"] == alice.serverinfo("https")["current_game"] != 0
    eventually(lambda: encoders(host) == 1, 5, "both have figures, and one encoder")
    assert [it["role"] for it in clients_of(host)] == ["owner", "guest"]

    for client in (alice, bob):
        client.stats(reset=True)
    alice.wait_frames(120)
    bob.wait_frames(60)
    seen = [client.stats(drain_s=1) for client in (alice, bob)]
    for stats in seen:
        assert_whole(stats["video"], 30, least_rate=SHARED_RATE)
        assert stats["audio"]["packets"] > 100
        assert stats["audio"]["packets_lost"] == 0
    first, second = counters(alice), counters(bob)
    begin, end = max(first[0], second[0]), min(first[-1], second[-1])
    assert end - begin >= 50
    assert [it for it in first if begin <= it <= end] == [it for it in second if begin <= it <= end]


def test_packets_that_one_loses_cost_the_other_nothing(
    host: HostProcess, player: Player, relay: Relay
) -> None:
    alice, bob = player(host, "alice", address=RELAY_ADDRESS), player(host, "bob")
    play(alice, **STREAM)
    alice.wait_frames(20)
    play(bob, **STREAM)
    bob.wait_frames(20)
    relay.set_loss(["video:down=5"])
    bob.stats(reset=True)
    alice.stats(reset=True)

    bob.wait_frames(240, timeout_s=30)

    assert_whole(bob.stats(drain_s=1)["video"], 30, least_rate=SHARED_RATE)
    lossy = alice.stats(drain_s=1)["video"]
    assert lossy["cards"]["distinct"] > 100
    mine = next(it["stats"] for it in clients_of(host) if it["role"] == "guest")
    assert (mine["packets_dropped"], mine["fec_recovered"]) == (0, 0)


def test_a_device_that_stands_still_holds_the_other_up_no_more_than_it_must(
    host: HostProcess, player: Player
) -> None:
    alice, bob = joined(host, player)
    alice.freeze()
    try:
        bob.stats(reset=True)
        bob.wait_frames(150, timeout_s=20)
        assert_whole(bob.stats(drain_s=1)["video"], 30, least_rate=SHARED_RATE)
    finally:
        alice.thaw()


def test_keys_of_both_arrive_and_who_leaves_lets_go_of_its_own_only(
    host: HostProcess, player: Player
) -> None:
    alice, bob = joined(host, player)
    alice.key(A, "down")
    bob.key(B, "down")
    eventually(lambda: len(input_events(host)) == 2, 5, "both keys arrive")

    bob.stop()
    eventually(lambda: len(input_events(host)) >= 3, 5, "bob's key is let go of")
    events = [(it["vk"], it["pressed"]) for it in input_events(host) if it["event"] == "KeyEvent"]
    assert events == [(A, True), (B, True), (B, False)]

    alice.key(A, "up")
    eventually(
        lambda: (
            (A, False)
            in [(it["vk"], it["pressed"]) for it in input_events(host) if it["event"] == "KeyEvent"]
        ),
        5,
        "alice's key is let go of by her",
    )


def test_a_spectator_sees_and_touches_nothing(
    host: HostProcess, player: Player, rule: object
) -> None:
    rule(guests="watch")
    alice, bob = joined(host, player)
    assert [it["role"] for it in clients_of(host)] == ["owner", "spectator"]
    bob.key(B)
    bob.mouse_button()
    alice.key(A)

    eventually(lambda: len(input_events(host)) == 2, 5, "alice's key arrives")
    assert {it.get("vk") for it in input_events(host)} == {A}


def test_a_guest_comes_and_goes_and_the_owners_quit_ends_it_for_all(
    host: HostProcess, player: Player
) -> None:
    alice, bob = joined(host, player)
    bob.stop()
    eventually(lambda: clients_of(host)[1]["stream_id"] is None, 5, "bob is away")
    assert bob.serverinfo("https")["current_game"] != 0
    bob.resume(**SMALL)
    bob.start(bitrate_kbps=3_000)
    bob.wait_frames(20)

    bob.quit()
    assert bob.serverinfo("https")["current_game"] == 0
    assert [it["role"] for it in clients_of(host)] == ["owner"]
    alice.stats(reset=True)
    alice.wait_frames(60)
    assert_whole(alice.stats(drain_s=1)["video"], 30, least_rate=SHARED_RATE)

    play(bob, **STREAM)
    bob.wait_frames(20)
    alice.stop()
    bob.stats(reset=True)
    bob.wait_frames(60)
    assert_whole(bob.stats(drain_s=1)["video"], 30, least_rate=SHARED_RATE)
    alice.quit()
    assert host.status()["sessions"] == []
    bob.wait_event("stopped", timeout_s=15)


def test_a_guest_of_another_size_is_told_which_to_choose(host: HostProcess, player: Player) -> None:
    alice, bob = player(host, "alice"), player(host, "bob")
    play(alice, **STREAM)
    alice.wait_frames(20)

    with pytest.raises(ClientError) as refused:
        bob.launch("Test pattern", width=854, height=480, fps=30)

    assert refused.value.code == 503
    assert "640x360" in refused.value.message
    assert bob.serverinfo("https")["current_game"] == 0


def test_a_guest_with_another_rate_gets_an_encoder_of_its_own(
    host: HostProcess, player: Player
) -> None:
    alice, bob = player(host, "alice"), player(host, "bob")
    play(alice, **(STREAM | {"fps": 60}))
    alice.wait_frames(20)
    play(bob, **STREAM)
    bob.wait_frames(20)
    eventually(lambda: encoders(host) == 2, 5, "both have figures, and two encoders")
    for client in (alice, bob):
        client.stats(reset=True)

    alice.wait_frames(180, timeout_s=20)

    assert_whole(alice.stats(drain_s=1)["video"], 60, least_rate=0.8)
    slower = bob.stats(drain_s=1)["video"]
    assert slower["frames_missing_on_wire"] == 0
    assert slower["fps"] < 40
    bob.stop()
    alice.stats(reset=True)
    alice.wait_frames(60)
    assert_whole(alice.stats(drain_s=1)["video"], 60, least_rate=0.8)


def test_a_second_device_takes_over_and_the_app_goes_on(
    host: HostProcess, player: Player, rule: object
) -> None:
    rule(second_client="take_over")
    alice, bob = player(host, "alice"), player(host, "bob")
    play(alice, **STREAM)
    alice.wait_frames(60)
    (before,) = host.status()["sessions"]

    play(bob, **STREAM)
    bob.wait_frames(20)

    alice.wait_event("stopped", timeout_s=15)
    assert alice.serverinfo("https")["current_game"] == 0
    assert bob.serverinfo("https")["current_game"] != 0
    (after,) = host.status()["sessions"]
    assert after["id"] == before["id"]
    assert after["client"] != before["client"]
    assert "stream ended: taken_over" in host.log_text()


def test_a_second_device_is_told_who_plays(host: HostProcess, player: Player, rule: object) -> None:
    rule(second_client="refuse")
    alice, bob = player(host, "alice"), player(host, "bob")
    play(alice, **STREAM)
    alice.wait_frames(20)

    with pytest.raises(ClientError) as refused:
        bob.launch("Test pattern", **SMALL)

    name = host.status()["sessions"][0]["client_name"]
    assert refused.value.code == 503
    assert refused.value.message.endswith(f"{name} plays Test pattern")
    assert host.status()["sessions"][0]["second_client"] == "refuse"


def test_an_unpaired_guest_is_cut_and_an_unpaired_owner_leaves_the_session_to_it(
    host: HostProcess, player: Player
) -> None:
    alice, bob = joined(host, player)
    carol = player(host, "carol")
    play(carol, **STREAM)
    carol.wait_frames(20)
    owner, guest, other = (it["client"] for it in clients_of(host))

    assert host.api("DELETE", f"/clients/{guest}")[0] == 204
    bob.wait_event("stopped", timeout_s=15)
    assert [it["client"] for it in clients_of(host)] == [owner, other]
    assert host.api("DELETE", f"/clients/{owner}")[0] == 204
    alice.wait_event("stopped", timeout_s=15)

    (heir,) = clients_of(host)
    assert (heir["client"], heir["role"]) == (other, "owner")
    carol.stats(reset=True)
    carol.wait_frames(60)
    assert_whole(carol.stats(drain_s=1)["video"], 30, least_rate=SHARED_RATE)
    host.paired.clear()
