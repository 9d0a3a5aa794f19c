import asyncio

import pytest

from punktfunk.host.sleep_watch import SleepWatch, slept_so_far_s


class Clock:
    """Attributes:
    slept_s: How long the machine has slept since it was started.
    looked: How often it was asked.
    """

    def __init__(self) -> None:
        self.slept_s = 100.0
        self.looked = 0

    def __call__(self) -> float:
        self.looked += 1
        return self.slept_s


@pytest.fixture
async def watch():
    watches = []

    def start(on_wake, clock):
        watches.append(SleepWatch(on_wake, clock, look_every_s=0.01))
        watches[-1].start()

    yield start
    for it in watches:
        await it.close()
        await it.close()


async def test_a_sleep_is_noticed_once_and_told_with_its_length(watch, until):
    clock, told = Clock(), []

    async def on_wake(slept_s: float) -> None:
        told.append(slept_s)

    watch(on_wake, clock)
    await until(lambda: clock.looked > 3)
    assert told == []

    clock.slept_s += 3_600
    await until(lambda: told)
    looked = clock.looked
    await until(lambda: clock.looked > looked + 3)

    assert told == [3_600]


async def test_trouble_after_a_sleep_does_not_end_the_watch(watch, until, caplog):
    clock, told = Clock(), []

    async def on_wake(slept_s: float) -> None:
        told.append(slept_s)
        raise OSError("the disk is not awake yet")

    watch(on_wake, clock)
    for count in (1, 2):
        looked = clock.looked
        await until(lambda looked=looked: clock.looked > looked)
        clock.slept_s += 60
        await until(lambda count=count: len(told) == count)

    assert "the disk is not awake yet" in caplog.text


async def test_a_watch_that_was_never_started_is_closed():
    await SleepWatch(lambda slept_s: asyncio.sleep(0)).close()


def test_this_machine_tells_how_long_it_has_slept():
    first = slept_so_far_s()

    assert first >= 0 or abs(first) < 0.1
    assert abs(slept_so_far_s() - first) < 0.5
