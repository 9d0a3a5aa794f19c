"""Losing datagrams without the player noticing much."""

import pytest
from harness import Relay
from host_process import HostProcess, eventually
from proof import RELAY_ADDRESS, Figures, Player, input_events, play

pytestmark = pytest.mark.e2e

RECOVERY_LIMIT_MS = 200
SMALL_PACKETS = 304  # so that even the frames of a test card take several
A = 0x41


@pytest.mark.timeout(90)
@pytest.mark.parametrize(("percent", "least_decoded"), [(1, 0.995), (5, 0.97)])
def test_random_loss_of_pictures_is_repaired_or_recovered_from(
    host: HostProcess,
    relay: Relay,
    player: Player,
    figures: Figures,
    percent: int,
    least_decoded: float,
) -> None:
    client = player(host, address=RELAY_ADDRESS)
    play(client, bitrate_kbps=10_000, packet_size=SMALL_PACKETS, rewrite_url=True)
    client.wait_frames(60)
    client.stats(drain_s=1, reset=True)
    relay.set_loss([f"video:down={percent}"])
    client.wait_frames(890, timeout_s=30)
    relay.set_loss(["video:down=0"])
    seen = client.stats(drain_s=1)
    video, flow = seen["video"], relay.stats()["flows"]["video:down"]

    sent = video["last_frame_number"] - video["first_frame_number"] + 1
    readable = video["cards"]["read"]
    worst_ms = max((each["last_good_to_good_ms"] for each in video["outages"]), default=0.0)
    figures(
        dropped=f"{flow['dropped']}/{flow['received']}",
        frames=f"{readable}/{sent}",
        share=readable / sent,
        outages=len(video["outages"]),
        worst_recovery_ms=worst_ms,
        idr_frames=video["idr_frames"],
        packets=seen["network"]["video_packets"],
    )
    assert flow["dropped"] > 0.5 * percent / 100 * flow["received"] / 2
    assert readable >= least_decoded * sent
    assert worst_ms <= RECOVERY_LIMIT_MS
    assert relay.stats()["kernel_drops"] == 0


def test_lost_sound_is_restored_from_parity(
    host: HostProcess, relay: Relay, player: Player, figures: Figures
) -> None:
    client = player(host, address=RELAY_ADDRESS)
    play(client, width=640, height=360, fps=30, bitrate_kbps=3_000, rewrite_url=True)
    client.wait_frames(30)
    client.stats(reset=True)
    relay.set_loss(["audio:down=5"])
    client.wait_frames(210, timeout_s=12)
    heard = client.stats(drain_s=1)["audio"]
    figures(packets=heard["packets"], concealed=heard["packets_lost"])
    assert relay.stats()["flows"]["audio:down"]["dropped"] > 20
    assert heard["packets_lost"] <= 0.005 * heard["packets"]


def test_control_and_input_survive_loss_in_both_directions(
    host: HostProcess, relay: Relay, player: Player
) -> None:
    client = player(host, address=RELAY_ADDRESS)
    play(client, width=640, height=360, fps=30, bitrate_kbps=3_000, rewrite_url=True)
    client.wait_frames(30)
    relay.set_loss(["control:both=10"])
    for place in range(40):
        client.key(A + place % 26)
    taps = [("KeyEvent", A + place % 26, down) for place in range(40) for down in (True, False)]

    def arrived() -> list[tuple[str, int, bool]]:
        return [
            (event["event"], event["vk"], event["pressed"])
            for event in input_events(host)
            if event["event"] == "KeyEvent"
        ]

    eventually(lambda: len(arrived()) >= len(taps), 10, lambda: f"80 events, not {arrived()}")
    assert arrived() == taps
    client.wait_frames(240, timeout_s=12)
    assert client.request("ping")["state"] == "streaming"
    relay_flows = relay.stats()["flows"]
    assert relay_flows["control:up"]["dropped"] > 0
    assert relay_flows["control:down"]["dropped"] > 0
