"""The performance page: what it says of recordings, and to whom."""

import json
import re
from typing import Any

import pytest

from punktfunk.model.access import Scope
from punktfunk.model.session import StageTiming, StreamSample
from punktfunk.model.video import VideoMode
from punktfunk.stats import CaptureMeta, StreamLabel, label_of
from punktfunk.stats.recordings import FOLDER, Recordings
from punktfunk.stats.samples import Capture

MODE = VideoMode(width_px=2_560, height_px=1_440, refresh_mhz=119_880)


def record(host: Any, client: str = "", codec: str = "hevc") -> None:
    label = StreamLabel(session_id=1, mode=MODE, codec=codec, client=client)
    stages = (StageTiming(name="encode", p50_us=1, p99_us=2),)
    host.stats.record(StreamSample(stream_id=1, window_ms=1_000, stages=stages), label)


def save(host: Any, **members: Any) -> str:
    """A recording of somebody's own making."""
    meta = {
        "id": "evening",
        "started_unix_ms": 1_782_504_843_000,
        "duration_ms": 90_000,
        "kind": "gamestream",
        **dict.fromkeys(("width", "height", "fps", "sample_count"), 0),
        **dict.fromkeys(("codec", "client"), ""),
        **members,
    }
    return Recordings(host.folder / FOLDER).save(Capture(CaptureMeta(**meta), ())).id


async def test_without_recordings_it_says_how_to_get_one(pages: Any) -> None:
    text = await pages.read("/performance")

    assert "No recordings yet" in text
    assert "Not recording" in text
    assert 'data-api="POST api/v1/stats/capture/start"' in text


async def test_a_capture_that_runs_is_still_there_after_a_reload(pages: Any) -> None:
    await pages.host.stats.start()
    waiting = await pages.read("/performance")
    record(pages.host)
    streaming = await pages.read("/parts/performance-capture")

    for text in (waiting, streaming):
        assert 'data-api="POST api/v1/stats/capture/stop"' in text
    assert '<p id="waiting" class="soft">' in waiting
    assert '<p id="waiting" class="soft" hidden>' in streaming


async def test_a_recording_says_what_was_streamed_to_whom(pages: Any) -> None:
    client = next(iter(pages.host.clients()))
    await pages.host.stats.start()
    record(pages.host, label_of(client.fingerprint))
    meta = await pages.host.stats.stop()

    for path in ("/performance", "/parts/performance-recordings", f"/performance/{meta.id}"):
        text = await pages.read(path)
        for said in (client.name, "2560 × 1440, 120 Hz", "HEVC", f"recordings/{meta.id}"):
            assert said in text, path


async def test_one_without_a_stream_says_that_there_is_nothing_to_see(pages: Any) -> None:
    recording = save(pages.host)

    text = await pages.read(f"/performance/{recording}")

    assert "Nothing was streamed while it ran" in text
    assert "1:30" in text
    assert "0 samples" in text


async def test_who_may_only_look_gets_no_buttons_that_would_be_refused(pages: Any) -> None:
    recording = save(pages.host)

    for path in ("/performance", f"/performance/{recording}"):
        assert "data-api=" not in await pages.read(path, scope=Scope.READ)
        assert "data-api=" in await pages.read(path, scope=Scope.CONTROL)
        assert f"recordings/{recording}" in await pages.read(path, scope=Scope.READ)


@pytest.mark.parametrize("name", ["nothing", "..%2fmgmt-token", "x" * 3_000, "%00", "\u202e"])
async def test_a_recording_that_is_none_is_not_found(pages: Any, name: str) -> None:
    assert (await pages.ask(f"/performance/{name}")).status_code == 404


async def test_hostile_names_stay_text(pages: Any, paired: Any, hostile: tuple[str, ...]) -> None:
    pages.host.paired = {it.fingerprint: it for it in map(paired, hostile)}
    clients = [label_of(it.fingerprint) for it in pages.host.clients()]
    made = [
        save(pages.host, id=f"r{number}", client=client, codec="<b>&", width=1)
        for number, client in enumerate(clients)
    ]

    for path in ("/performance", *(f"/performance/{it}" for it in made)):
        text = await pages.read(path)
        assert "<img" not in text
        assert "<b>&" not in text
        data = re.search(r'<script type="application/json">(.*?)</script>', text, re.DOTALL)
        assert data is not None
        assert set(json.loads(data[1]).values()) == set(hostile)


async def test_it_speaks_german(pages: Any) -> None:
    save(pages.host)

    text = await pages.read("/performance", language="de")

    assert "Aufzeichnung starten" in text
    assert "Start recording" not in text
