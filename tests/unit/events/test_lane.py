import asyncio
import logging

import pytest

from punktfunk.events import Lane
from punktfunk.model.events import Event


def event(number: int) -> Event:
    return Event(id=number, time_unix_ms=0, type="host.stopping", data={})


async def test_events_are_handled_one_after_the_other() -> None:
    running, handled = 0, []

    async def handle(event: Event) -> None:
        nonlocal running
        running += 1
        await asyncio.sleep(0)
        assert running == 1
        running -= 1
        handled.append(event.id)

    lane = Lane("x", handle)
    for number in range(5):
        lane.put(event(number))
    await lane.close(grace_s=10)

    assert handled == [0, 1, 2, 3, 4]
    assert lane.dropped == 0


async def test_a_flood_fills_one_queue_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    goes_on = asyncio.Event()
    handled = []

    async def handle(event: Event) -> None:
        await goes_on.wait()
        handled.append(event.id)

    lane = Lane("plugin slow", handle, max_waiting=8)
    with caplog.at_level(logging.WARNING):
        for number in range(100_000):
            lane.put(event(number))
    goes_on.set()
    await lane.close(grace_s=10)

    assert handled == list(range(8))
    assert lane.dropped == 100_000 - 8
    assert caplog.text.count("plugin slow is too slow") == 1


async def test_one_failure_is_not_the_end(caplog: pytest.LogCaptureFixture) -> None:
    handled = []

    async def handle(event: Event) -> None:
        handled.append(event.id)
        if event.id == 1:
            raise RuntimeError("out of order")

    lane = Lane("x", handle)
    for number in (1, 2):
        lane.put(event(number))
    await lane.close(grace_s=10)

    assert handled == [1, 2]
    assert "out of order" in caplog.text


async def test_closing_does_not_wait_for_what_hangs() -> None:
    cancelled = asyncio.Event()

    async def handle(event: Event) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    lane = Lane("x", handle)
    lane.put(event(1))
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await lane.close()
    lane.put(event(2))

    assert cancelled.is_set()
