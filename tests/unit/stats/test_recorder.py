"""The running capture."""

import json
from typing import Any

import attrs
import pytest

from punktfunk.model.video import VideoMode
from punktfunk.stats.recorder import MAX_SAMPLES
from punktfunk.stats.recording_file import as_json
from punktfunk.stats.samples import MAX_INT32, StatsStatus


def told(recorder: Any) -> dict[str, Any]:
    capture = recorder.capture()
    assert capture is not None
    return json.loads(as_json(capture))


def test_nothing_is_kept_before_somebody_wants_it(clocks, make_window, label) -> None:
    recorder = clocks.recorder()
    recorder.record(make_window(), label)

    assert recorder.status() == StatsStatus()
    assert recorder.capture() is None
    recorder.start()
    assert told(recorder)["samples"] == []


def test_a_sample_says_what_the_worker_said_in_the_contracts_terms(
    clocks, make_window, label
) -> None:
    recorder = clocks.recorder()
    recorder.start()
    clocks.now_ns += 1_234_000_000
    sample = make_window(
        window_ms=2_000,
        frames_new=118,
        frames_repeated=2,
        frames_dropped=3,
        bytes_sent=2_500_000,
        packets_dropped=4,
        client_packets_missing=6,
        client_packets_recovered=5,
    )
    recorder.record(sample, label)

    (plain,) = told(recorder)["samples"]

    stages = plain.pop("stages")
    assert [stage["name"] for stage in stages] == [
        "capture",
        "submit",
        "encode",
        "packetize",
        "send",
    ]
    assert stages[2] == {"name": "encode", "p50_us": 500, "p99_us": 900}
    assert plain == {
        "t_ms": 1_234,
        "session_id": 1,
        "fps": 59.0,
        "repeat_fps": 1.0,
        "mbps": 10.0,
        "bitrate_kbps": 20_000,
        "frames_dropped": 3,
        "packets_dropped": 6,
        "send_dropped": 4,
        "fec_recovered": 5,
        "client": "c0ffee00",
    }


def test_the_summary_is_of_the_stream_that_was_sampled_last(clocks, make_window, label) -> None:
    recorder = clocks.recorder()
    recorder.start()
    assert told(recorder)["meta"]["width"] == 0
    mode = VideoMode(width_px=640, height_px=360, refresh_mhz=30_000)
    other = attrs.evolve(label, session_id=2, mode=mode, codec="av1", client="")
    recorder.record(make_window(), other)
    recorder.record(make_window(), label)
    clocks.now_ns += 60_000_000_000

    assert told(recorder)["meta"] == {
        "id": "2026-06-26T20-14-03Z_5120x1440",
        "started_unix_ms": clocks.unix_ms,
        "duration_ms": 60_000,
        "kind": "gamestream",
        "width": 5_120,
        "height": 1_440,
        "fps": 120,
        "codec": "hevc",
        "client": "c0ffee00",
        "sample_count": 2,
    }
    assert [sample["session_id"] for sample in told(recorder)["samples"]] == [2, 1]


def test_arming_twice_changes_nothing_and_stopping_forgets(clocks, make_window, label) -> None:
    recorder = clocks.recorder()
    first = recorder.start()
    recorder.record(make_window(), label)
    clocks.now_ns += 5_000_000_000
    clocks.unix_ms += 5_000

    again = recorder.start()

    assert first == StatsStatus(
        armed=True, started_unix_ms=clocks.unix_ms - 5_000, kind="gamestream"
    )
    assert again == attrs.evolve(first, sample_count=1)
    recorder.stop()
    assert recorder.status() == StatsStatus()
    recorder.start()
    assert told(recorder)["samples"] == []
    assert told(recorder)["meta"]["codec"] == ""


def test_the_wall_clock_may_jump(clocks, make_window, label) -> None:
    recorder = clocks.recorder()
    clocks.unix_ms = -5
    recorder.start()
    clocks.unix_ms = 10**15
    clocks.now_ns += 2_000_000_000
    recorder.record(make_window(), label)

    plain = told(recorder)

    assert plain["samples"][0]["t_ms"] == 2_000
    assert plain["meta"]["id"] == "1970-01-01T00-00-00Z_5120x1440"


def test_when_the_ring_is_full_the_oldest_go(clocks, make_window, label) -> None:
    recorder = clocks.recorder()
    recorder.start()
    sample = make_window(stages=())
    for _ in range(MAX_SAMPLES + 5):
        clocks.now_ns += 1_000_000_000
        recorder.record(sample, label)

    plain = told(recorder)

    assert recorder.status().sample_count == MAX_SAMPLES == 10_800
    assert plain["meta"]["sample_count"] == len(plain["samples"]) == MAX_SAMPLES
    assert plain["samples"][0]["t_ms"] == 6_000
    assert plain["samples"][-1]["t_ms"] == (MAX_SAMPLES + 5) * 1_000


@pytest.mark.parametrize("count", [2**31, 2**70])
def test_a_count_that_a_client_lied_about_is_bounded(clocks, make_window, label, count) -> None:
    recorder = clocks.recorder()
    recorder.start()
    recorder.record(
        make_window(window_ms=0, client_packets_missing=count, frames_dropped=-1), label
    )

    (plain,) = told(recorder)["samples"]

    assert plain["packets_dropped"] == MAX_INT32
    assert plain["frames_dropped"] == 0
