"""What events and samples have in common: numbers, readers, and a new start."""

import asyncio
import contextlib
import gc

from punktfunk.errors import Refused
from punktfunk.events import Feed, Gap, GapReason, Reader


async def test_a_reader_gets_what_comes_from_now_on() -> None:
    feed: Feed[str] = Feed(kept=5)
    feed.append("before")
    reader = feed.subscribe()
    feed.append("after")

    assert await reader.next() == "after"


async def test_the_token_of_now_is_followed_by_what_comes_next() -> None:
    feed: Feed[str] = Feed(kept=5)
    feed.append("seen")
    token = feed.token()
    feed.append("not seen")

    assert await feed.subscribe(token).next() == "not seen"


async def test_whoever_reads_when_it_starts_anew_is_told_first() -> None:
    feed: Feed[str] = Feed(kept=5)
    idle, behind = feed.subscribe(), feed.subscribe()
    waiting = asyncio.create_task(idle.next())
    await asyncio.sleep(0)
    feed.append("old")
    assert await waiting == "old"
    feed.restart()
    feed.append("new")

    for reader in (idle, behind):
        assert await reader.next() == Gap(GapReason.RESTARTED, 0)
        assert await reader.next() == "new"
        assert reader.token == feed.token()


async def test_a_token_of_before_the_new_start_is_a_gap() -> None:
    feed: Feed[str] = Feed(kept=5)
    feed.append("old")
    token = feed.token()
    feed.restart()
    feed.append("new")

    reader = feed.subscribe(token)

    assert await reader.next() == Gap(GapReason.RESTARTED, 0)
    assert await reader.next() == "new"


def test_the_newest_items_are_told_without_a_reader() -> None:
    feed: Feed[str] = Feed(kept=3)
    for item in "abcde":
        feed.append(item)

    assert feed.last(2) == ["e", "d"]
    assert feed.last(10) == ["e", "d", "c"]


def test_threat_26_nobody_takes_every_place_and_some_are_kept_for_people() -> None:
    feed: Feed[int] = Feed(kept=10, max_subscriptions=32)

    def follow(reader: Reader) -> list[object]:
        places: list[object] = []
        with contextlib.suppress(Refused):
            while True:
                places.append(feed.subscribe(reader=reader))
        return places

    programs = [follow(Reader(f"token {number}")) for number in range(4)]
    person = follow(Reader("login", is_person=True))

    assert [len(it) for it in programs] == [8, 8, 8, 0]
    assert len(person) == 8
    programs[0].clear()
    gc.collect()
    assert len(follow(Reader("token 3"))) == 8
