"""Arming, stopping, and what happens when that goes wrong."""

import asyncio
import json
from pathlib import Path

import pytest

from punktfunk.events import EventBus
from punktfunk.stats.capture import Stats
from punktfunk.stats.recording_file import as_json
from punktfunk.stats.recordings import FOLDER, DiskRefused, NoSuchRecording


@pytest.fixture
def stats(tmp_path: Path, clocks) -> Stats:
    return Stats(tmp_path, clocks.recorder())


async def test_a_capture_from_start_to_deletion(stats, make_window, label) -> None:
    assert stats.live() is None
    assert await stats.stop() is None
    await stats.start()
    stats.record(make_window(), label)
    live = stats.live()

    meta = await stats.stop()

    assert meta == live.meta
    assert stats.live() is None
    assert not stats.status().armed
    assert await stats.recordings() == [meta]
    assert await stats.get(meta.id) == live
    await stats.delete(meta.id)
    with pytest.raises(NoSuchRecording):
        await stats.get(meta.id)


async def test_a_captures_begin_and_end_are_told_once(stats) -> None:
    bus = EventBus()
    heard = []
    bus.listeners.append(heard.append)
    stats.publish = bus.publish

    await stats.start()
    await stats.start()
    meta = await stats.stop()
    await stats.stop()

    assert [(event.type, dict(event.data)) for event in heard] == [
        ("stats.started", {}),
        ("stats.stopped", {"id": meta.id}),
    ]


async def test_what_the_disk_refuses_is_kept_and_goes_on(
    stats, tmp_path, make_window, label
) -> None:
    await stats.start()
    stats.record(make_window(), label)
    (tmp_path / FOLDER).rmdir()
    (tmp_path / FOLDER).symlink_to("/proc/self")  # nobody can write there

    with pytest.raises(DiskRefused, match="could not be written"):
        await stats.stop()

    stats.record(make_window(), label)
    (tmp_path / FOLDER).unlink()
    assert stats.status().sample_count == 2
    assert (await stats.stop()).sample_count == 2


async def test_a_host_that_ends_saves_what_it_has(tmp_path, stats, make_window, label) -> None:
    await stats.start()
    stats.record(make_window(), label)

    await stats.close()
    await stats.close()

    assert [meta.sample_count for meta in await Stats(tmp_path).recordings()] == [1]


async def test_a_host_that_cannot_save_ends_all_the_same(stats, tmp_path, caplog) -> None:
    await stats.start()
    (tmp_path / FOLDER).rmdir()
    (tmp_path / FOLDER).symlink_to("/proc/self")

    await stats.close()

    assert "is lost" in caplog.text


async def test_two_who_stop_at_once_save_once(stats) -> None:
    await stats.start()

    both = await asyncio.gather(stats.stop(), stats.stop())

    assert sum(meta is not None for meta in both) == 1
    assert len(await stats.recordings()) == 1


async def test_who_leaves_while_it_is_saved_leaves_it_saved(stats, tmp_path) -> None:
    await stats.start()
    stopping = asyncio.create_task(stats.stop())
    while not list((tmp_path / FOLDER).iterdir()):
        await asyncio.sleep(0)
    stopping.cancel()

    await stats.start()  # waits for its turn

    assert stats.status().armed
    assert len(await stats.recordings()) == 1


async def test_samples_are_followed_while_a_capture_runs(stats, make_window, label) -> None:
    reader = stats.feed.subscribe()
    stats.record(make_window(), label)
    await stats.start()
    stats.record(make_window(frames_new=30), label)

    assert (await reader.next()).reason == "restarted"
    assert json.loads(await reader.next()) == json.loads(as_json(stats.live()))["samples"][0]


async def test_the_answer_is_json_as_a_whole(stats, make_window, label) -> None:
    await stats.start()
    for _ in range(3):
        stats.record(make_window(), label)

    plain = json.loads(as_json(stats.live()))

    assert list(plain) == ["meta", "samples"]
    assert len(plain["samples"]) == 3
