"""The samples of the running capture, followed."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from punktfunk.config.addresses import parse_bind
from punktfunk.mgmt.server import MgmtServer
from punktfunk.model.access import Scope
from punktfunk.model.session import StageTiming, StreamSample
from punktfunk.model.video import VideoMode
from punktfunk.stats import StreamLabel
from punktfunk.stats.capture import MAX_BEHIND

PATH = "/api/v1/stats/stream"
TOKEN = "0123456789abcdef" * 4
LABEL = StreamLabel(
    session_id=7,
    mode=VideoMode(width_px=1_280, height_px=720, refresh_mhz=60_000),
    codec="h264",
    client="0123abcd",
)


def record(api: Any, *fps: int, stage: str = "encode") -> None:
    stages = (StageTiming(name=stage, p50_us=1, p99_us=2),)
    for frames in fps:
        sample = StreamSample(stream_id=1, window_ms=1_000, frames_new=frames, stages=stages)
        api.host.stats.record(sample, LABEL)


async def told(api: Any, query: str = "", **headers: str) -> list[tuple[str, Any, str]]:
    """Type, data and id of everything that a reader gets before the host stops."""
    feed = api.host.stats.feed
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": "localhost", **headers}
    asked = api.app.test_client().get(PATH + query, headers=headers)
    reading = asyncio.create_task(asked)
    while not feed._subscriptions and not reading.done():
        await asyncio.sleep(0)
    feed.end_subscriptions()
    answer = await reading
    await api._hold_to_the_contract("GET", PATH, answer)
    return parse(await answer.get_data(as_text=True))


def parse(text: str) -> list[tuple[str, Any, str]]:
    blocks = [
        dict(line.split(": ", 1) for line in block.split("\n")) for block in text.split("\n\n")[:-1]
    ]
    return [(it["event"], json.loads(it["data"]), it["id"]) for it in blocks if "event" in it]


async def test_a_page_takes_the_capture_once_and_misses_nothing_after_it(api: Any) -> None:
    await api.host.stats.start()
    record(api, 1, 2)
    live = await api.ask("GET", "/api/v1/stats/capture/live")
    record(api, 3, 4)

    found = await told(api, f"?after={live.headers['Last-Event-ID']}")

    assert [sample["fps"] for sample in (await live.get_json())["samples"]] == [1, 2]
    assert [(kind, sample["fps"]) for kind, sample, _ in found] == [("sample", 3), ("sample", 4)]
    assert found[-1][2] == api.host.stats.feed.token()
    assert found[0][1]["client"] == "0123abcd"


async def test_a_reader_that_lost_its_connection_goes_on_where_it_was(api: Any) -> None:
    await api.host.stats.start()
    old = api.host.stats.feed.token()
    record(api, 1)
    seen = api.host.stats.feed.token()
    record(api, 2)

    found = await told(api, f"?after={old}", **{"Last-Event-ID": seen})

    assert [sample["fps"] for _, sample, _ in found] == [2]


@pytest.mark.parametrize("forged", ["x", "0-0", "{boot}-99", "{boot}--1", "{boot}-" + "9" * 50])
async def test_threat_26_a_forged_position_is_a_gap(api: Any, forged: str) -> None:
    await api.host.stats.start()
    boot = api.host.stats.feed.token().partition("-")[0]
    forged = forged.format(boot=boot)

    found = await told(api, **{"Last-Event-ID": forged})

    assert [(kind, data["reason"]) for kind, data, _ in found] == [("gap", "unknown")]


async def test_another_capture_is_a_gap(api: Any) -> None:
    await api.host.stats.start()
    record(api, 1)
    seen = api.host.stats.feed.token()
    await api.host.stats.stop()
    await api.host.stats.start()

    found = await told(api, f"?after={seen}")

    assert [(kind, data["reason"]) for kind, data, _ in found] == [("gap", "restarted")]


async def test_who_is_too_far_behind_reads_the_whole_again(api: Any) -> None:
    await api.host.stats.start()
    seen = api.host.stats.feed.token()
    record(api, *range(MAX_BEHIND + 1))

    found = await told(api, f"?after={seen}")

    assert found[0][:2] == ("gap", {"type": "gap", "reason": "too_old"})
    assert len(found) == 1 + MAX_BEHIND


async def test_nothing_is_told_while_nothing_is_recorded(api: Any) -> None:
    record(api, 1)

    assert await told(api) == []


async def test_a_parameter_that_is_none_takes_no_place(api: Any) -> None:
    assert (await api.ask("GET", f"{PATH}?after={'x' * 65}")).status_code == 422
    assert (await api.ask("GET", f"{PATH}?after=a&after=b")).status_code == 422
    assert (await api.ask("HEAD", PATH)).status_code == 200
    assert not api.host.stats.feed._subscriptions


async def test_threat_26_there_are_only_so_many_places(api: Any) -> None:
    readers = [api.host.stats.feed.subscribe() for _ in range(32)]

    assert (await api.ask("GET", PATH)).status_code == 503
    readers.pop().close()
    assert (await api.ask("GET", PATH)).status_code == 200


async def test_it_ends_with_the_token_that_opened_it(api: Any) -> None:
    feed = api.host.stats.feed
    text, made = api.host.tokens.create(Scope.READ)
    await api.host.stats.start()
    headers = {"Authorization": f"Bearer {text}", "Host": "localhost"}
    async with asyncio.timeout(60):
        following = asyncio.create_task(api.app.test_client().get(PATH, headers=headers))
        while not feed._subscriptions:
            await asyncio.sleep(0)
        api.host.tokens.revoke(made.id)
        record(api, 1)
        answer = await following

    assert "sample" not in await answer.get_data(as_text=True)
    assert not feed._subscriptions


@pytest.fixture
async def server(api: Any) -> AsyncIterator[MgmtServer]:
    server = MgmtServer(api.app, parse_bind("127.0.0.1:0"))
    await server.start()
    yield server
    await server.stop()


async def test_threat_26_a_client_that_never_reads_is_dropped_and_the_others_go_on(
    api: Any, server: MgmtServer
) -> None:
    feed = api.host.stats.feed
    await api.host.stats.start()
    request = f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    connections = []
    for _ in range(2):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=2**12)
        writer.write(request.encode())
        await reader.readuntil(b"\n\n")
        connections.append((reader, writer))
    (reader, writer), (_, deaf) = connections
    deaf.transport.pause_reading()
    while len(feed._subscriptions) < 2:
        await asyncio.sleep(0)
    seen = 0
    async with asyncio.timeout(50):
        for batch in range(400):
            record(api, *range(100), stage="x" * 300)
            while seen < (batch + 1) * 100:
                seen += (await reader.read(2**16)).count(b"event: ")
            if len(feed._subscriptions) == 1:
                break

    assert len(feed._subscriptions) == 1
    assert seen >= MAX_BEHIND
    writer.close()
    deaf.transport.abort()
