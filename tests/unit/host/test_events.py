"""What plugins are told of the host's events, whatever they make of it."""

import asyncio
import threading
from collections.abc import Callable
from types import ModuleType

import pytest

from punktfunk.host.events import Events
from punktfunk.model.events import Event
from punktfunk.model.plugins import Manifest
from punktfunk.plugin import hookimpl
from punktfunk.registry.calls import PluginCalls
from punktfunk.registry.discovery import PluginRecord, PluginState
from punktfunk.registry.loading import Plugins, new_manager

SESSION = {
    "session_id": 1,
    "app": "builtin:desktop",
    "title": "Desktop",
    "client": "ab" * 32,
    "client_name": "TV",
}


def make_plugins(**implementations: tuple[Callable[..., object], ...]) -> Plugins:
    manager = new_manager()
    records, manifests = {}, {}
    for name, hooks in implementations.items():
        module = ModuleType(name)
        for hook in hooks:
            setattr(module, hook.__name__, hookimpl(hook))
        manager.register(module, name)
        manifests[name] = Manifest(api=1, title=name)
        records[name] = PluginRecord(
            name=name, distribution=name, version="1", state=PluginState.LOADED
        )
    return Plugins(manager=manager, records=records, manifests=manifests)


def listener(heard: list[Event]) -> Callable[[Event], None]:
    def event(event: Event) -> None:
        heard.append(event)

    return event


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.005)


async def test_a_plugin_hears_of_everything_in_order() -> None:
    events = Events()
    events.tell_plugins(PluginCalls(make_plugins(one=(listener(heard := []),))))

    events.publish("session.started", **SESSION)
    events.publish("stats.started")
    events.publish("host.stopping")

    await until(lambda: len(heard) == 3)
    assert [event.type for event in heard] == ["session.started", "stats.started", "host.stopping"]
    assert heard[0].data["title"] == "Desktop"


async def test_the_hooks_for_one_event_are_told_what_they_always_were() -> None:
    told: list[object] = []

    def session_started(session_id: int, app: str, client: str) -> None:
        told.append(("started", session_id, app, client))

    def session_ended(session_id: int, reason: str) -> None:
        told.append(("ended", session_id, reason))

    def client_paired(client: str, name: str) -> None:
        told.append(("paired", client, name))

    def client_unpaired(client: str) -> None:
        told.append(("unpaired", client))

    hooks = (session_started, session_ended, client_paired, client_unpaired)
    events = Events()
    events.tell_plugins(PluginCalls(make_plugins(one=hooks)))

    events.publish("client.paired", client="c", name="TV")
    events.publish("session.started", **SESSION)
    events.publish("session.ended", **SESSION, reason="ended")
    events.publish("client.unpaired", client="c")

    await until(lambda: len(told) == 4)
    assert told == [
        ("paired", "c", "TV"),
        ("started", 1, "builtin:desktop", "ab" * 32),
        ("ended", 1, "ended"),
        ("unpaired", "c"),
    ]


async def test_threat_29_a_plugin_that_hangs_in_a_flood_costs_its_own_queue_only() -> None:
    goes_on = threading.Event()

    def event(event: Event) -> None:
        goes_on.wait(30)

    events = Events()
    plugins = make_plugins(good=(listener(heard := []),), slow=(event,))
    events.tell_plugins(PluginCalls(plugins, timeout_s=0.05))
    for _ in range(100_000):
        events.publish("stats.started")
    await until(lambda: [it.type for it in heard].count("stats.started") == 64)
    events.publish("host.stopping")
    await until(lambda: any(it.type == "host.stopping" for it in heard))
    goes_on.set()

    assert events.dropped == {"good": 100_000 - 64, "slow": 100_000 - 64}
    assert threading.active_count() < 20


async def test_a_plugin_that_rests_is_an_event_of_its_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def event(event: Event) -> None:
        raise RuntimeError("out of order")

    events = Events()
    calls = PluginCalls(make_plugins(bad=(event,), good=(listener(heard := []),)))
    events.tell_plugins(calls)
    for _ in range(5):
        events.publish("stats.started")

    await until(lambda: any(event.type == "plugins.changed" for event in heard))
    (changed,) = [event for event in heard if event.type == "plugins.changed"]
    assert changed.data["plugin"] == "bad"
    assert changed.data["state"] == "resting"
    assert "left alone" in str(changed.data["reason"])


async def test_closing_waits_for_no_plugin() -> None:
    goes_on = threading.Event()

    def event(event: Event) -> None:
        goes_on.wait(30)

    events = Events()
    events.tell_plugins(PluginCalls(make_plugins(slow=(event,))))
    events.publish("host.stopping")
    await asyncio.sleep(0)

    async with asyncio.timeout(4):
        await events.close()
    goes_on.set()


async def test_without_plugins_nobody_is_told_and_nothing_breaks() -> None:
    events = Events()

    events.publish("host.stopping")

    assert events.dropped == {}
    await events.close()


async def test_plugins_that_come_later_hear_of_what_is_next_and_those_that_went_do_not() -> None:
    events = Events()
    events.tell_plugins(PluginCalls(make_plugins(one=(listener(first := []),))))
    events.publish("stats.started")
    await until(lambda: first)

    events.tell_plugins(PluginCalls(make_plugins(two=(listener(second := []),))))
    events.publish("host.stopping")
    await until(lambda: second)

    assert [event.type for event in first] == ["stats.started"]
    assert [event.type for event in second] == ["host.stopping"]
    await events.close()
