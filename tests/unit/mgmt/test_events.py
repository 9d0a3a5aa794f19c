"""The stream of events, in this process and on real sockets."""

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from punktfunk.config.addresses import parse_bind
from punktfunk.events import EventBus, Reader
from punktfunk.mgmt import server as mgmt_server
from punktfunk.mgmt import sse
from punktfunk.mgmt.server import MgmtServer
from punktfunk.model.access import Scope
from punktfunk.model.events import EVENT_TYPES

PATH = "/api/v1/events"
HOSTILE_NAME = "TV\r\n\r\ndata: forged\x1b[31m\u202e"
TOKEN = "0123456789abcdef" * 4


def publish(bus: EventBus, *numbers: int, name: str = "TV") -> None:
    for number in numbers:
        bus.publish("pairing.waiting", pairing_id=number, name=name, address="192.168.1.9")


async def told(api: Any, query: str = "", after: str | None = None) -> list[dict[str, str]]:
    """What a reader gets of what has happened already."""
    headers = [("Last-Event-ID", after)] if after is not None else []
    bus = api.host.events
    reading = asyncio.create_task(_all(api, query, headers))
    while not bus._subscriptions and not reading.done():
        await asyncio.sleep(0)
    bus.end_subscriptions()
    return parse(await reading)


async def _all(api: Any, query: str, headers: list[tuple[str, str]]) -> bytes:
    answer = await api.app.test_client().get(
        PATH + query,
        headers={"Authorization": f"Bearer {TOKEN}", "Host": "localhost", **dict(headers)},
    )
    data = await answer.get_data(as_text=False)
    await api._hold_to_the_contract("GET", PATH, answer)
    return data


def parse(data: bytes) -> list[dict[str, str]]:
    """Blocks of a stream: field names and values, as the standard for them reads them."""
    blocks = []
    for block in data.decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        blocks.append(fields)
    return blocks


async def test_the_answer_is_a_stream_that_nobody_keeps(api: Any) -> None:
    answer = await api.ask("GET", PATH)

    assert answer.status_code == 200
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_head_request_takes_no_place_and_ends(api: Any) -> None:
    answer = await api.ask("HEAD", PATH)

    assert answer.status_code == 200
    assert len(api.host.events._subscriptions) == 0


async def test_a_reader_first_learns_where_it_is(api: Any) -> None:
    publish(api.host.events, 1, 2)

    (first,) = await told(api)

    assert first == {"retry": "3000", "id": api.host.events.token(2)}


async def test_a_reader_that_comes_back_gets_what_it_missed_line_by_line(api: Any) -> None:
    bus = api.host.events
    publish(bus, 1)
    publish(bus, 2, name=HOSTILE_NAME)

    _, second = await told(api, after=bus.token(1))

    assert (second["event"], second["id"]) == ("pairing.waiting", bus.token(2))
    event = json.loads(second["data"])
    assert event["id"] == 2
    assert event["type"] == "pairing.waiting"
    assert event["data"] == {"pairing_id": 2, "name": HOSTILE_NAME, "address": "192.168.1.9"}


@pytest.mark.parametrize("after", ["", "x", "9" * 9_000, "deadbeef-1", "٣", "a\x1b[31m"])
async def test_threat_26_a_forged_last_event_id_only_yields_a_gap(api: Any, after: str) -> None:
    publish(api.host.events, 1)

    blocks = await told(api, after=after)

    assert [block.get("event") for block in blocks[:2]] == [None, "gap"]
    gap = json.loads(blocks[1]["data"])
    assert gap["reason"] == ("restarted" if after == "deadbeef-1" else "unknown")
    assert blocks[1]["id"].startswith(api.host.events.token(0).partition("-")[0])


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("?types=host.*", ["host.stopping"]),
        ("?types=host.stopping,pairing.waiting", ["pairing.waiting", "host.stopping"]),
        ("?types=host.stopping&types=pairing.*", ["pairing.waiting", "host.stopping"]),
        ("?types=*", ["pairing.waiting", "host.stopping"]),
        ("?types=stats.*", []),
    ],
)
async def test_a_reader_may_want_a_few_types_only(api: Any, query: str, types: list[str]) -> None:
    bus = api.host.events
    publish(bus, 1)
    bus.publish("host.stopping")

    blocks = await told(api, query, after=bus.token(0))

    assert [block["event"] for block in blocks[1:]] == types


@pytest.mark.parametrize(
    "query", ["types=", "types=session", "types=session.*,", "types=" + "*," * 300, "types=[a-z]*"]
)
async def test_types_that_there_are_not_are_a_mistake(api: Any, query: str) -> None:
    answer = await api.ask("GET", f"{PATH}?{query}")

    assert answer.status_code == 422


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("0" * 64, 401)])
async def test_nobody_follows_without_the_token(api: Any, token: str | None, status: int) -> None:
    assert (await api.ask("GET", PATH, token=token)).status_code == status


async def test_one_reader_more_than_there_are_places_for_is_503(api: Any) -> None:
    readers = [api.host.events.subscribe() for _ in range(32)]

    refused = await api.ask("GET", PATH)
    readers.pop()
    accepted = await api.ask("GET", PATH)

    assert (refused.status_code, accepted.status_code) == (503, 200)


async def test_threat_26_a_token_that_follows_with_all_it_may_leaves_places_for_others(
    api: Any,
) -> None:
    text, made = api.host.tokens.create(Scope.READ)
    taken = [api.host.events.subscribe(reader=Reader(made.id)) for _ in range(8)]

    refused = await api.ask("GET", PATH, token=text)

    assert refused.status_code == 503
    assert "follows 8 times already" in (await refused.get_json())["error"]
    assert (await api.ask("GET", PATH)).status_code == 200
    taken.pop()
    assert (await api.ask("GET", PATH, token=text)).status_code == 200


async def test_a_client_that_leaves_gives_its_place_back(api: Any) -> None:
    for _ in range(40):
        assert (await api.ask("GET", PATH)).status_code == 200

    assert len(api.host.events._subscriptions) == 0


# --- on real sockets --------------------------------------------------------------------------


@pytest.fixture
async def server(api: Any) -> AsyncIterator[MgmtServer]:
    server = MgmtServer(api.app, parse_bind("127.0.0.1:0"))
    await server.start()
    yield server
    await server.stop()


async def follow(server: MgmtServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=2**12)
    writer.write(
        f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    )
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        await reader.readuntil(b"\n\n")
    return reader, writer


async def test_an_event_reaches_a_reader_at_once(api: Any, server: MgmtServer) -> None:
    reader, writer = await follow(server)
    publish(api.host.events, 1)

    async with asyncio.timeout(10):
        block = await reader.readuntil(b"\n\n")
    writer.close()

    assert b"event: pairing.waiting\n" in block


async def test_silence_is_broken_so_that_nobody_takes_the_line_for_dead(
    api: Any, server: MgmtServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE_S", 0.05)
    reader, writer = await follow(server)

    async with asyncio.timeout(10):
        first = await reader.readuntil(b"\n\n")
        await reader.readuntil(b"\n\n")
        publish(api.host.events, 1)
        while b"pairing.waiting" not in await reader.readuntil(b"\n\n"):
            pass
    writer.close()

    assert b": still here\n\n" in first


async def test_a_reader_that_hangs_up_gives_its_place_back(api: Any, server: MgmtServer) -> None:
    bus = api.host.events
    followers = [await follow(server) for _ in range(3)]
    assert len(bus._subscriptions) == 3
    for _, writer in followers:
        writer.close()

    async with asyncio.timeout(10):
        while len(bus._subscriptions):
            await asyncio.sleep(0.01)


async def test_threat_26_a_client_that_never_reads_is_dropped_and_the_others_go_on(
    api: Any, server: MgmtServer, caplog: pytest.LogCaptureFixture
) -> None:
    bus = api.host.events
    reader, writer = await follow(server)
    _, deaf = await follow(server)
    deaf.transport.pause_reading()
    seen = 0
    with caplog.at_level(logging.INFO):
        async with asyncio.timeout(50):
            for batch in range(400):
                publish(bus, *range(100), name="x" * 300)
                while seen < (batch + 1) * 100:
                    seen += (await reader.read(2**16)).count(b"event: ")
                if len(bus._subscriptions) == 1:
                    break

    assert len(bus._subscriptions) == 1
    assert "too slow" in caplog.text
    assert seen >= 1_000
    before_s = time.monotonic()
    bus.end_subscriptions()
    await server.stop()
    assert time.monotonic() - before_s < 2
    writer.close()
    deaf.transport.abort()


async def test_a_connection_that_is_not_read_from_is_closed_in_the_end(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mgmt_server, "_UNREAD_TIMEOUT_MS", 500)
    server = MgmtServer(api.app, parse_bind("127.0.0.1:0"))
    await server.start()
    bus = api.host.events
    _, deaf = await follow(server)
    deaf.transport.pause_reading()
    async with asyncio.timeout(50):
        while len(bus._subscriptions):
            publish(bus, *range(100), name="x" * 300)
            await asyncio.sleep(0.01)
        while any(it.fileno() != -1 for it in server._listener.connections):
            await asyncio.sleep(0.05)
    deaf.transport.abort()
    await server.stop()


async def test_open_streams_do_not_keep_the_server_from_stopping(
    api: Any, server: MgmtServer, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await follow(server)
    _, deaf = await follow(server)
    deaf.transport.pause_reading()
    api.host.events.publish("host.stopping")
    api.host.events.end_subscriptions()

    before_s = time.monotonic()
    await server.stop()

    assert time.monotonic() - before_s < 2
    async with asyncio.timeout(10):
        assert b"host.stopping" in await reader.read()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    for it in (writer, deaf):
        it.close()
        with suppress(OSError):
            await it.wait_closed()


def test_every_type_that_can_be_published_fits_the_contract(api: Any) -> None:
    pattern = api.document["components"]["schemas"]["Event"]["properties"]["type"]["pattern"]

    assert [name for name in EVENT_TYPES if not re.search(pattern, name)] == []
