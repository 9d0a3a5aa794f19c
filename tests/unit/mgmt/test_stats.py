"""Statistics over HTTP: captures, recordings, and what a monitoring system reads."""

import asyncio
import gzip
import json
from typing import Any

import attrs
import pytest
from prometheus_client.parser import text_string_to_metric_families

from punktfunk.mgmt.values import SessionView
from punktfunk.model.session import StageTiming, StreamSample
from punktfunk.model.video import VideoMode
from punktfunk.registry.discovery import PluginRecord, PluginState
from punktfunk.registry.report import PluginReport, ProbeReport
from punktfunk.session.meter import STAGES
from punktfunk.stats import SessionTotals, StreamLabel
from punktfunk.stats.recorder import MAX_SAMPLES
from punktfunk.stats.recordings import FOLDER, MAX_RECORDINGS

CAPTURE = "/api/v1/stats/capture"
RECORDINGS = "/api/v1/stats/recordings"
IDLE = {"armed": False, "sample_count": 0, "started_unix_ms": 0, "kind": ""}
SAMPLE = StreamSample(
    stream_id=1,
    window_ms=1_000,
    bitrate_kbps=20_000,
    frames_new=60,
    frames_dropped=1,
    bytes_sent=2_000_000,
    latency_p50_us=4_000,
    latency_p99_us=9_000,
    client_packets_missing=3,
    client_packets_recovered=2,
    stages=tuple(StageTiming(name=name, p50_us=1_234, p99_us=8_765) for name in STAGES),
)
LABEL = StreamLabel(
    session_id=7,
    mode=VideoMode(width_px=1_280, height_px=720, refresh_mhz=60_000),
    codec="h264",
    client="0123abcd",
)


async def plain(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status
    return await answer.get_json()


async def record(api: Any, count: int = 3) -> str:
    """Save a capture; return its id."""
    await api.ask("POST", f"{CAPTURE}/start")
    for _ in range(count):
        api.host.stats.record(SAMPLE, LABEL)
    return (await plain(await api.ask("POST", f"{CAPTURE}/stop")))["id"]


async def test_a_capture_from_start_to_stop(api: Any) -> None:
    assert await plain(await api.ask("GET", f"{CAPTURE}/status")) == IDLE
    assert (await api.ask("GET", f"{CAPTURE}/live")).status_code == 404
    assert (await api.ask("POST", f"{CAPTURE}/stop")).status_code == 204

    first = await plain(await api.ask("POST", f"{CAPTURE}/start"))
    api.host.stats.record(SAMPLE, LABEL)
    again = await plain(await api.ask("POST", f"{CAPTURE}/start"))
    live = await plain(await api.ask("GET", f"{CAPTURE}/live"))

    assert first["armed"]
    assert first["kind"] == "gamestream"
    assert again == {**first, "sample_count": 1}
    assert [sample["session_id"] for sample in live["samples"]] == [7]
    assert live["samples"][0]["packets_dropped"] == 3
    assert live["samples"][0]["fec_recovered"] == 2
    meta = await plain(await api.ask("POST", f"{CAPTURE}/stop"))
    assert (meta["width"], meta["height"], meta["codec"]) == (1_280, 720, "h264")
    assert meta["client"] == "0123abcd"
    assert await plain(await api.ask("GET", f"{CAPTURE}/status")) == IDLE


async def test_a_recording_is_listed_read_and_deleted(api: Any) -> None:
    assert await plain(await api.ask("GET", RECORDINGS)) == []
    recording = await record(api)

    listed = await plain(await api.ask("GET", RECORDINGS))
    whole = await plain(await api.ask("GET", f"{RECORDINGS}/{recording}"))

    assert [meta["id"] for meta in listed] == [recording]
    assert whole["meta"] == listed[0]
    assert len(whole["samples"]) == 3
    assert (await api.ask("DELETE", f"{RECORDINGS}/{recording}")).status_code == 204
    assert (await api.ask("DELETE", f"{RECORDINGS}/{recording}")).status_code == 404
    assert (await api.ask("GET", f"{RECORDINGS}/{recording}")).status_code == 404


async def test_a_damaged_recording_is_an_error_of_its_own(api: Any) -> None:
    good, bad = await record(api), await record(api)
    path = api.host.folder / FOLDER / f"{bad}.json"
    path.write_bytes(path.read_bytes()[:-40])

    refused = await plain(await api.ask("GET", f"{RECORDINGS}/{bad}"), 500)

    assert bad in refused["error"]
    assert str(api.host.folder) not in refused["error"]
    listed = await plain(await api.ask("GET", RECORDINGS))
    assert [meta["id"] for meta in listed] == [good]
    assert (await api.ask("DELETE", f"{RECORDINGS}/{bad}")).status_code == 204


async def test_what_the_disk_refuses_is_told_and_kept(api: Any) -> None:
    await api.ask("POST", f"{CAPTURE}/start")
    api.host.stats.record(SAMPLE, LABEL)
    folder = api.host.folder / FOLDER
    folder.rmdir()
    folder.symlink_to("/proc/self")  # nobody can write there

    refused = await plain(await api.ask("POST", f"{CAPTURE}/stop"), 500)

    assert "could not be written" in refused["error"]
    folder.unlink()
    assert (await plain(await api.ask("POST", f"{CAPTURE}/stop")))["sample_count"] == 1


async def test_too_many_recordings_are_a_conflict(api: Any) -> None:
    for number in range(MAX_RECORDINGS):
        (api.host.folder / FOLDER / f"r{number}.json").touch()

    refused = await plain(await api.ask("POST", f"{CAPTURE}/start"), 409)

    assert "delete some" in refused["error"]


@pytest.mark.parametrize(
    "hostile",
    [
        "..",
        "%2e%2e",
        "..%2fmgmt-token",
        "%2e%2e%2fmgmt-token",
        "..%5cmgmt-token",
        "%2fetc%2fpasswd",
        "//etc/passwd",
        "../mgmt-token",
        "%00",
        "x%00.json",
        "x%0a",
        "%c0%ae%c0%ae%c0%afmgmt-token",
        "%ff",
        "%252e%252e%252fmgmt-token",
        "%EF%BC%8E%EF%BC%8E",
        "link",
        "x" * 65,
        "x" * 4_000,
    ],
    ids=lambda hostile: hostile[:30],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_threat_19_no_id_leads_out_of_the_folder(api: Any, method: str, hostile: str) -> None:
    secret = api.host.folder / "mgmt-token"
    secret.write_text("secret")
    (api.host.folder / "mgmt-token.json").write_text("secret")
    (api.host.folder / FOLDER / "link.json").symlink_to(secret)

    answer = await api.ask(method, f"{RECORDINGS}/{hostile}")

    assert answer.status_code == 404
    body = await answer.get_data(as_text=True)
    assert "secret" not in body
    assert str(api.host.folder) not in body
    assert secret.read_text() == "secret"


async def test_what_is_short_or_answers_a_change_is_not_compressed(api: Any) -> None:
    packed = [("Accept-Encoding", "gzip")]
    short = await api.ask("GET", f"{CAPTURE}/status", headers=packed)
    await api.ask("POST", f"{CAPTURE}/start", headers=packed)
    for _ in range(MAX_RECORDINGS):
        api.host.stats.record(SAMPLE, LABEL)
    long = await api.app.test_client().head(
        f"{CAPTURE}/live",
        headers={"Host": "localhost", "Authorization": f"Bearer {'0123456789abcdef' * 4}"},
    )

    assert "Content-Encoding" not in short.headers
    assert "Content-Encoding" not in long.headers


async def test_a_capture_is_compressed_when_that_is_wanted(api: Any) -> None:
    recording = await record(api, 200)
    whole = await api.ask("GET", f"{RECORDINGS}/{recording}")
    as_it_is = await whole.get_data(as_text=False)

    async def asking(encodings: str) -> Any:
        return await api.app.test_client().get(
            f"{RECORDINGS}/{recording}",
            headers={
                "Host": "localhost",
                "Authorization": f"Bearer {'0123456789abcdef' * 4}",
                "Accept-Encoding": encodings,
            },
        )

    packed = await asking("br;q=1.0, gzip;q=0.8, *;q=0.1")
    data = await packed.get_data(as_text=False)

    assert "Content-Encoding" not in whole.headers
    assert whole.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(data) == as_it_is
    assert len(data) < len(as_it_is) / 4
    assert int(packed.headers["Content-Length"]) == len(data)
    for encodings in ("identity", "gzip;q=0", "gzip;q=nonsense", "x" * 2_000):
        assert "Content-Encoding" not in (await asking(encodings)).headers


async def test_a_full_capture_does_not_keep_the_event_loop_from_its_work(api: Any) -> None:
    await api.ask("POST", f"{CAPTURE}/start")
    for _ in range(MAX_SAMPLES):
        api.host.stats.record(SAMPLE, LABEL)
    await api.ask("POST", f"{CAPTURE}/stop")
    (meta,) = await api.host.stats.recordings()
    turns = 0

    async def other_work() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with asyncio.TaskGroup() as group:
        busy = group.create_task(other_work())
        whole = await api.host.stats.get(meta.id)
        busy.cancel()

    assert len(whole.samples) == MAX_SAMPLES
    assert turns > 10


async def test_the_status_tells_what_each_stream_did_in_the_last_second(
    api: Any, make_view: Any
) -> None:
    api.host.views = [
        make_view(1),
        with_figures(make_view(2, streaming=True), SAMPLE, SessionTotals()),
    ]

    away, streaming = (await plain(await api.ask("GET", "/api/v1/status")))["sessions"]

    assert away["stats"] is None
    assert [it["name"] for it in streaming["stats"].pop("stages")] == list(STAGES)
    assert streaming["stats"] == {
        "fps": 60.0,
        "repeat_fps": 0.0,
        "mbps": 16.0,
        "bitrate_kbps": 20_000,
        "frames_dropped": 1,
        "packets_dropped": 3,
        "send_dropped": 0,
        "fec_recovered": 2,
        "latency_p50_us": 4_000,
        "latency_p99_us": 9_000,
    }


async def scrape(api: Any) -> dict[str, list[Any]]:
    answer = await api.ask("GET", "/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    text = await answer.get_data(as_text=True)
    return {family.name: family.samples for family in text_string_to_metric_families(text)}


def plugins(**states: PluginState) -> ProbeReport:
    return ProbeReport(
        plugins=[
            PluginReport(record=PluginRecord(name=name, distribution="d", version="1", state=state))
            for name, state in states.items()
        ]
    )


async def test_metrics_of_a_host_without_streams(api: Any) -> None:
    api.host.catalog.report = plugins(builtin=PluginState.LOADED, steam=PluginState.RESTING)
    api.host.waiting = {1: "TV"}

    told = await scrape(api)

    values = {name: samples[0].value for name, samples in told.items() if samples}
    assert values["punktfunk_sessions"] == values["punktfunk_streams"] == 0
    assert values["punktfunk_paired_clients"] == 2
    assert values["punktfunk_pairings_waiting"] == 1
    assert values["punktfunk_capture_armed"] == 0
    assert values["process_resident_memory_bytes"] > 1_000_000
    assert values["process_cpu_seconds"] > 0
    states = {(it.labels["plugin"], it.labels["state"]) for it in told["punktfunk_plugin"]}
    assert states == {("builtin", "loaded"), ("steam", "resting")}


def with_figures(view: SessionView, sample: StreamSample, totals: SessionTotals) -> SessionView:
    member = attrs.evolve(view.members[0], sample=sample, totals=totals)
    return attrs.evolve(view, members=(member,))


async def test_metrics_count_encoders_that_clients_share_once(api: Any, make_view: Any) -> None:
    session = with_figures(make_view(1, streaming=True), SAMPLE, SessionTotals())
    guest = attrs.evolve(session.members[0], client="b" * 64, guest=True)
    other = attrs.evolve(guest, client="c" * 64, sample=attrs.evolve(SAMPLE, encoding=9))
    api.host.views = [attrs.evolve(session, members=(*session.members, guest, other))]

    told = await scrape(api)

    assert told["punktfunk_streams"][0].value == 3
    assert told["punktfunk_encoders"][0].value == 2
    assert len({it.labels["client"] for it in told["punktfunk_stream_fps"]}) == 3


async def test_metrics_of_each_stream_by_session_and_client(api: Any, make_view: Any) -> None:
    totals = SessionTotals()
    for _ in range(5):
        totals.add(SAMPLE)
    api.host.views = [
        with_figures(make_view(1, streaming=True), SAMPLE, totals),
        make_view(2),
    ]

    told = await scrape(api)

    client = make_view(1).members[0].client[:8]
    one, two = told["punktfunk_stream_sent_bytes"]
    assert (one.labels, one.value) == ({"session": "1", "client": client}, 10_000_000)
    assert (two.labels["session"], two.value) == ("2", 0)
    assert [it.value for it in told["punktfunk_stream_fps"]] == [60]
    assert [it.value for it in told["punktfunk_stream_target_bits_per_second"]] == [20_000_000]
    latency = {it.labels["quantile"]: it.value for it in told["punktfunk_stream_latency_seconds"]}
    assert latency == {"0.5": 0.004, "0.99": 0.009}
    assert {it.labels["stage"] for it in told["punktfunk_stream_stage_seconds"]} == set(STAGES)
    assert told["punktfunk_stream_client_packets_missing"][0].value == 15
    assert told["punktfunk_stream_client_packets_recovered"][0].value == 10


async def test_metrics_say_of_the_capture_what_its_status_says(api: Any) -> None:
    await api.ask("POST", f"{CAPTURE}/start")
    api.host.stats.record(SAMPLE, LABEL)

    told = await scrape(api)

    assert told["punktfunk_capture_armed"][0].value == 1
    assert told["punktfunk_capture_samples"][0].value == 1


async def test_a_hostile_plugin_name_breaks_no_line(api: Any) -> None:
    name = 'x"} 1\npunktfunk_sessions 99\n\\'
    api.host.catalog.report = plugins(**{name: PluginState.LOADED})

    told = await scrape(api)

    assert [it.labels["plugin"] for it in told["punktfunk_plugin"]] == [name]
    assert [it.value for it in told["punktfunk_sessions"]] == [0]


async def test_metrics_have_no_state_beside_the_host(api: Any) -> None:
    first, second = await scrape(api), await scrape(api)

    assert first.keys() == second.keys()
    assert "python_info" not in first


async def test_every_answer_is_json_or_the_text_format(api: Any) -> None:
    assert (await api.ask("GET", "/metrics", token=None)).status_code == 401
    wrong = await api.ask("POST", "/metrics")
    assert wrong.status_code == 405
    assert json.loads(await wrong.get_data())["error"]
