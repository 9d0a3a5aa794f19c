"""The log, followed."""

import asyncio
import json
import logging
from typing import Any

from punktfunk.model.access import Scope

PATH = "/api/v1/logs/stream"
TOKEN = "0123456789abcdef" * 4


def write(api: Any, *texts: str) -> None:
    for text in texts:
        values = {"name": "punktfunk.test", "msg": text, "levelname": "INFO"}
        api.host.operations.log.emit(logging.makeLogRecord(values))


async def told(api: Any, query: str) -> list[str]:
    """What a reader gets before the host stops: messages, and `gap`."""
    feed = api.host.operations.log.feed
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": "localhost"}
    reading = asyncio.create_task(api.app.test_client().get(PATH + query, headers=headers))
    while not feed._subscriptions and not reading.done():
        await asyncio.sleep(0)
    feed.end_subscriptions()
    answer = await reading
    await api._hold_to_the_contract("GET", PATH, answer)
    text = await answer.get_data(as_text=True)
    data = [line[6:] for line in text.split("\n") if line.startswith("data: ")]
    return [it.get("message", it.get("type")) for it in map(json.loads, data)]


async def test_a_page_takes_what_is_there_and_misses_nothing_after_it(api: Any) -> None:
    write(api, "one", "two")
    shown = await api.ask("GET", "/api/v1/logs")
    write(api, "three", "pin=1234 four")

    assert [it["message"] for it in await shown.get_json()] == ["one", "two"]
    after = shown.headers["Last-Event-ID"]
    assert await told(api, f"?after={after}") == ["three", "pin=*** four"]


async def test_a_number_of_another_start_is_a_gap(api: Any) -> None:
    write(api, "one")

    assert await told(api, "?after=00000000-7") == ["gap", "one"]


async def test_only_the_administrator_may_follow(api: Any) -> None:
    text, _ = api.host.tokens.create(Scope.CONTROL)

    assert (await api.ask("GET", PATH, token=text)).status_code == 403
