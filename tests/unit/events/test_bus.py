import asyncio
import gc
import json

import pytest

from punktfunk.errors import Refused
from punktfunk.events import EventBus, Gap, GapReason, Subscription, event_json
from punktfunk.model.events import EVENT_TYPES, Event


def publish(bus: EventBus, *numbers: int) -> None:
    for number in numbers:
        bus.publish("pairing.waiting", pairing_id=number, name="TV", address="192.168.1.9")


def kept(bus: EventBus) -> list[Event]:
    heard: list[Event] = []
    bus.listeners.append(heard.append)
    return heard


async def take(subscription: Subscription, count: int) -> list[Event | Gap | None]:
    async with asyncio.timeout(10):
        return [await subscription.next() for _ in range(count)]


def numbers(told: list[Event | Gap | None]) -> list[object]:
    return [it.data["pairing_id"] if isinstance(it, Event) else it for it in told]


async def test_a_reader_gets_what_happens_from_now_on_in_order() -> None:
    bus = EventBus(now_unix_ms=lambda: 1_700_000_000_000)
    publish(bus, 1)
    reader = bus.subscribe()
    publish(bus, 2, 3)

    told = await take(reader, 2)

    assert numbers(told) == [2, 3]
    assert [event.id for event in told] == [2, 3]
    assert told[0].time_unix_ms == 1_700_000_000_000


async def test_a_reader_that_waits_is_woken() -> None:
    bus = EventBus()
    reading = asyncio.create_task(take(bus.subscribe(), 2))
    await asyncio.sleep(0)

    publish(bus, 1)
    await asyncio.sleep(0)
    publish(bus, 2)

    assert numbers(await reading) == [1, 2]


async def test_a_reader_gets_only_the_types_it_wants() -> None:
    bus = EventBus()
    reader = bus.follow({"host.stopping"})
    publish(bus, 1, 2)
    bus.publish("host.stopping")

    (told,) = await take(reader, 1)

    assert told.type == "host.stopping"


@pytest.mark.parametrize(
    ("event_type", "data"),
    [
        ("session.startd", {}),
        ("client.unpaired", {}),
        ("client.unpaired", {"client": "x", "more": 1}),
        ("client.unpaired", {"cleint": "x"}),
    ],
)
def test_a_misspelt_event_is_an_error_and_reaches_nobody(
    event_type: str, data: dict[str, object]
) -> None:
    bus = EventBus()
    heard = kept(bus)

    with pytest.raises(ValueError, match=event_type):
        bus.publish(event_type, **data)
    assert heard == []


def test_what_json_cannot_say_is_an_error() -> None:
    with pytest.raises(TypeError, match="object"):
        EventBus().publish("client.unpaired", client=object())


def test_data_is_short_and_cannot_be_changed() -> None:
    bus = EventBus()
    heard = kept(bus)

    bus.publish("config.changed", keys=["k" * 9_999] * 9_999, restart_required=True)

    (event,) = heard
    assert len(event_json(event)) < 32_768
    with pytest.raises(TypeError):
        event.data["keys"] = ()  # type: ignore[index]


def test_a_listener_that_fails_disturbs_neither_the_others_nor_the_publisher(caplog) -> None:
    bus = EventBus()
    bus.listeners.append(lambda event: 1 // 0)
    heard = kept(bus)

    publish(bus, 1)

    assert len(heard) == 1
    assert "a listener failed" in caplog.text


# --- going on where one was -------------------------------------------------------------------


async def test_a_reader_that_comes_back_gets_what_it_missed() -> None:
    bus = EventBus()
    reader = bus.subscribe()
    publish(bus, 1, 2, 3)
    await take(reader, 1)
    reader.close()

    again = bus.subscribe(after=reader.token)

    assert numbers(await take(again, 2)) == [2, 3]


async def test_a_reader_that_was_away_too_long_is_told_so_first() -> None:
    bus = EventBus(kept_events=3)
    token = bus.subscribe().token
    publish(bus, 1, 2, 3, 4, 5)

    told = await take(bus.subscribe(after=token), 4)

    assert numbers(told) == [Gap(GapReason.TOO_OLD, 2), 3, 4, 5]


async def test_a_reader_of_the_host_before_gets_all_of_this_one() -> None:
    earlier, bus = EventBus(), EventBus()
    publish(earlier, 1, 2, 3)
    publish(bus, 7, 8)

    told = await take(bus.subscribe(after=earlier.token(3)), 3)

    assert numbers(told) == [Gap(GapReason.RESTARTED, 0), 7, 8]


async def test_a_reader_that_just_fits_has_missed_nothing() -> None:
    bus = EventBus(kept_events=3)
    publish(bus, 1, 2, 3, 4)

    assert numbers(await take(bus.subscribe(after=bus.token(1)), 3)) == [2, 3, 4]


FORGED = [
    *("", "0", "-1", "x" * 100_000, "{boot}-3", "{boot}-" + "9" * 15, "{boot}-" + "9" * 5_000),
    *("{boot}--1", "{boot}-1 ", "{boot}-1\n", "{boot}-١", "../../etc/passwd", "{boot}"),
]


@pytest.mark.parametrize("forged", FORGED, ids=map(str, range(len(FORGED))))
async def test_threat_26_a_forged_token_is_worth_nothing(forged: str) -> None:
    bus = EventBus()
    publish(bus, 1, 2)
    boot = bus.token(0).partition("-")[0]
    reader = bus.subscribe(after=forged.replace("{boot}", boot))
    publish(bus, 3)

    assert numbers(await take(reader, 2)) == [Gap(GapReason.UNKNOWN, 2), 3]


# --- readers are bounded ----------------------------------------------------------------------


async def test_threat_26_of_ten_thousand_readers_a_few_may_follow() -> None:
    bus = EventBus(max_subscriptions=32)
    readers, refused = [], 0
    for _ in range(10_000):
        try:
            readers.append(bus.subscribe())
        except Refused as error:
            refused += 1
            assert error.fields["status"] == 503
    publish(bus, 1)

    assert (len(readers), refused) == (32, 9_968)
    assert numbers(await take(readers[-1], 1)) == [1]
    readers[0].close()
    bus.subscribe()


async def test_threat_26_a_reader_that_does_not_read_is_dropped_and_frees_its_place() -> None:
    bus = EventBus(kept_events=10, max_subscriptions=2)
    slow, quick = bus.subscribe(), bus.subscribe()
    for number in range(1, 12):
        publish(bus, number)
        assert numbers(await take(quick, 1)) == [number]

    assert await slow.next() is None
    again = bus.subscribe(after=slow.token)
    assert numbers(await take(again, 2)) == [Gap(GapReason.TOO_OLD, 1), 2]
    with pytest.raises(Refused):
        bus.subscribe()


async def test_a_reader_that_is_forgotten_gives_its_place_back() -> None:
    bus = EventBus(max_subscriptions=1)
    reader = bus.subscribe()
    with pytest.raises(Refused):
        bus.subscribe()

    del reader
    gc.collect()

    bus.subscribe()


async def test_when_the_host_stops_readers_get_the_rest_and_then_the_end() -> None:
    bus = EventBus()
    waiting, behind = bus.subscribe(), bus.subscribe()
    reading = asyncio.create_task(take(waiting, 1))
    await asyncio.sleep(0)
    bus.publish("host.stopping")
    bus.end_subscriptions()

    assert [event.type for event in await reading] == ["host.stopping"]
    assert await waiting.next() is None
    assert [it and it.type for it in await take(behind, 2)] == ["host.stopping", None]
    with pytest.raises(Refused, match="stopping"):
        bus.subscribe()


def test_threat_28_names_speak_neither_to_terminals_nor_to_the_line_protocol() -> None:
    bus = EventBus()
    heard = kept(bus)
    name = 'TV\n\ndata: {"type":"host.stopping"}\r\x1b[31m\u202egnp.exe\x00\u2028'

    bus.publish("pairing.waiting", pairing_id=1, name=name, address="::1")

    line = event_json(heard[0])
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["data"]["name"] == name


def test_every_type_has_words_for_people() -> None:
    assert all(it.told and name == it.name for name, it in EVENT_TYPES.items())
