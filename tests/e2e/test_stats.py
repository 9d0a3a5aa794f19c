"""What the statistics say of a stream to a real client, and what is left of a capture."""

import http.client

import pytest
from harness import MoonlightClient, Relay
from host_process import HostProcess, eventually
from prometheus_client.parser import text_string_to_metric_families
from proof import RELAY_ADDRESS, Figures, Hosts, Player, play

pytestmark = pytest.mark.e2e

STAGES = ["capture", "submit", "encode", "packetize", "send"]


def metrics(host: HostProcess, token: str | None = None) -> tuple[int, dict[str, float]]:
    """Status, and every figure by name and labels, as a monitoring system reads them."""
    connection = http.client.HTTPConnection("127.0.0.1", host.mgmt_port, timeout=8)
    try:
        authorization = {"Authorization": f"Bearer {token or host.token()}"}
        connection.request("GET", "/metrics", headers=authorization)
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != 200:
        return answer.status, {}
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = sorted(set(sample.labels) - {"client"})
            found[" ".join((sample.name, *map(sample.labels.get, labels)))] = sample.value
    return answer.status, found


def samples(host: HostProcess) -> int:
    return host.api("GET", "/stats/capture/status")[1]["sample_count"]


def test_a_capture_of_a_stream_from_arming_to_deleting(
    host: HostProcess, client: MoonlightClient, figures: Figures
) -> None:
    status, armed = host.api("POST", "/stats/capture/start")
    assert (status, armed["armed"], armed["sample_count"]) == (200, True, 0)
    play(client, bitrate_kbps=10_000)
    eventually(lambda: samples(host) >= 4, 30, "four samples")

    status, live = host.api("GET", "/stats/capture/live")
    session = host.status()["sessions"][0]
    _, told = metrics(host)
    host.end_sessions()
    status, meta = host.api("POST", "/stats/capture/stop")

    whole = [sample for sample in live["samples"] if sample["fps"]][1:]  # the first is not
    assert whole
    for sample in whole:
        assert [stage["name"] for stage in sample["stages"]] == STAGES
        assert sample["session_id"] == session["id"]
        assert 1_000 < sample["bitrate_kbps"] <= 10_000
        assert 0 < sample["fps"] <= 75
        assert 0 < sample["mbps"] < 40
        assert sample["packets_dropped"] == sample["fec_recovered"] == sample["send_dropped"] == 0
        assert all(0 <= stage["p50_us"] <= stage["p99_us"] < 10**6 for stage in sample["stages"])
    times = [sample["t_ms"] for sample in live["samples"]]
    assert times == sorted(times)
    figures(fps=whole[-1]["fps"], mbps=whole[-1]["mbps"])
    assert session["stats"]["fps"] > 0
    assert 0 < session["stats"]["latency_p50_us"] <= session["stats"]["latency_p99_us"]

    number = session["id"]
    assert told["punktfunk_sessions"] == told["punktfunk_streams"] == 1
    assert told[f"punktfunk_stream_fps {number}"] > 0
    assert told[f"punktfunk_stream_sent_bytes_total {number}"] > 100_000
    assert told[f"punktfunk_stream_frames_new_total {number}"] > 60
    assert 0 < told[f"punktfunk_stream_latency_seconds 0.99 {number}"] < 1
    assert told["punktfunk_capture_armed"] == 1
    assert told["punktfunk_plugin builtin loaded"] == 1
    assert told["process_cpu_seconds_total"] > 0
    assert metrics(host, "0" * 64)[0] == 401

    assert (status, meta["kind"], meta["codec"]) == (200, "gamestream", "h264")
    assert (meta["width"], meta["height"], meta["fps"]) == (1280, 720, 60)
    assert session["client"].startswith(meta["client"])
    assert host.api("GET", "/stats/recordings")[1][0] == meta
    path = f"/stats/recordings/{meta['id']}"
    status, saved = host.api("GET", path)
    assert (status, saved["meta"]) == (200, meta)
    assert saved["samples"][: len(live["samples"])] == live["samples"]
    assert host.api("DELETE", path)[0] == 204
    assert host.api("GET", path)[0] == 404
    assert not list((host.config / "captures").iterdir())
    assert metrics(host)[1]["punktfunk_sessions"] == 0


def test_what_was_lost_on_the_way_and_what_came_back_of_it(
    host: HostProcess, player: Player, relay: Relay
) -> None:
    client = player(host, address=RELAY_ADDRESS)
    play(client, bitrate_kbps=10_000)
    client.wait_frames(30)
    relay.set_loss(["video:down=3"])

    def recovered() -> bool:
        _, told = metrics(host)
        missing, back = (
            next((told[name] for name in told if name.startswith(wanted)), 0.0)
            for wanted in (
                "punktfunk_stream_client_packets_missing_total",
                "punktfunk_stream_client_packets_recovered_total",
            )
        )
        assert back <= missing
        return back > 0

    eventually(recovered, 30, "the client says that it rebuilt packets")


def test_a_host_that_is_stopped_saves_the_capture_that_runs(own_host: Hosts) -> None:
    host = own_host()
    host.api("POST", "/stats/capture/start")
    host.interrupt()
    host.start()

    status, listed = host.api("GET", "/stats/recordings")

    assert (status, len(listed)) == (200, 1)
    assert host.api("GET", f"/stats/recordings/{listed[0]['id']}")[1]["samples"] == []
    assert host.api("GET", "/stats/capture/status")[1]["armed"] is False
