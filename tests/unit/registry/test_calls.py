import asyncio
import logging
import threading
from collections.abc import Callable
from types import ModuleType

import attrs
import pytest

from punktfunk.model.offers import HostFacts
from punktfunk.model.plugins import Effect, Manifest
from punktfunk.plugin import hookimpl
from punktfunk.registry.calls import PluginCalls, call_alone
from punktfunk.registry.discovery import PluginRecord, PluginState
from punktfunk.registry.loading import Plugins, new_manager

EVENT = {"session_id": 1, "app": "builtin:desktop", "client": "ab" * 32}


@attrs.define
class Clock:
    now_s: float = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make_plugins(**implementations: Callable[..., object]) -> Plugins:
    """Make one plugin for each function, which implements the hook of the function's name."""
    manager = new_manager()
    records, manifests = {}, {}
    for name, implementation in implementations.items():
        module = ModuleType(name)
        setattr(module, implementation.__name__, hookimpl(implementation))
        manager.register(module, name)
        manifests[name] = Manifest(api=1, title=name)
        records[name] = PluginRecord(
            name=name, distribution=name, version="1", state=PluginState.LOADED
        )
    return Plugins(manager=manager, records=records, manifests=manifests)


def listener(heard: list[object]) -> Callable[..., None]:
    def session_started(session_id: int) -> None:
        heard.append(session_id)

    return session_started


def raiser(calls: list[object]) -> Callable[..., None]:
    def session_started() -> None:
        calls.append("called")
        raise RuntimeError("out of order")

    return session_started


def state_of(calls: PluginCalls, name: str) -> PluginState:
    return next(record.state for record in calls.records() if record.name == name)


def test_a_plugin_is_called_without_the_others() -> None:
    plugins = make_plugins(good=listener(heard := []), bad=raiser([]))

    call_alone(plugins.manager, "good", "session_started", **EVENT)

    assert heard == [1]


async def test_an_event_reaches_everyone_although_one_raises(
    caplog: pytest.LogCaptureFixture,
) -> None:
    plugins = make_plugins(a_bad=raiser([]), good=listener(heard := []))

    with caplog.at_level(logging.WARNING):
        await PluginCalls(plugins).tell("session_started", **EVENT)

    assert heard == [1]
    (record,) = caplog.records
    assert record.plugin == "a_bad"  # type: ignore[attr-defined]
    assert "out of order" in record.getMessage()


async def test_after_three_failures_in_a_row_a_plugin_rests_for_five_minutes(clock: Clock) -> None:
    plugins = make_plugins(bad=raiser(called := []))
    calls = PluginCalls(plugins, clock=clock)

    for _ in range(5):
        await calls.tell("session_started", **EVENT)
    assert len(called) == 3
    assert state_of(calls, "bad") is PluginState.RESTING
    assert "left alone for 300 s" in calls.records()[0].reason

    clock.now_s += 301
    assert state_of(calls, "bad") is PluginState.LOADED
    await calls.tell("session_started", **EVENT)
    assert len(called) == 4


async def test_a_success_in_between_starts_the_count_again(clock: Clock) -> None:
    answers = iter([1, 1, 0, 1, 1, 0])

    def session_started() -> None:
        if next(answers):
            raise RuntimeError("again")

    calls = PluginCalls(make_plugins(moody=session_started), clock=clock)

    for _ in range(6):
        await calls.tell("session_started", **EVENT)

    assert state_of(calls, "moody") is PluginState.LOADED


async def test_a_plugin_that_hangs_is_left_behind_and_not_called_again_meanwhile() -> None:
    let_go = threading.Event()
    called = []

    def session_started(session_id: int) -> None:
        called.append(session_id)
        let_go.wait(30)

    plugins = make_plugins(slow=session_started, good=listener(heard := []))
    calls = PluginCalls(plugins, timeout_s=0.05)
    try:
        await calls.tell("session_started", **EVENT)
        await calls.tell("session_started", **{**EVENT, "session_id": 2})

        assert called == [1]
        assert heard == [1, 2]
    finally:
        let_go.set()


async def test_events_reach_a_plugin_one_after_the_other(clock: Clock) -> None:
    inside, most, heard = 0, 0, []

    def session_started(session_id: int) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        heard.append(session_id)
        inside -= 1

    calls = PluginCalls(make_plugins(one=session_started))

    await asyncio.gather(
        *(calls.tell("session_started", **{**EVENT, "session_id": i}) for i in range(20))
    )

    assert (most, heard) == (1, list(range(20)))


async def test_a_plugin_cannot_end_the_host_with_an_exit() -> None:
    def session_started() -> None:
        raise SystemExit(1)

    await PluginCalls(make_plugins(leaver=session_started)).tell("session_started", **EVENT)


async def test_an_effect_is_undone_by_the_plugin_it_belongs_to() -> None:
    asked = []

    def make(name: str) -> Callable[..., bool]:
        def effect_undo(effect: Effect, host: HostFacts) -> bool:
            asked.append((name, effect.kind))
            return True

        return effect_undo

    calls = PluginCalls(make_plugins(kwin=make("kwin"), pulse=make("pulse")))

    gone = await calls.undo_effect(Effect(kind="pulse.sink", data={}), HostFacts())

    assert gone
    assert asked == [("pulse", "pulse.sink")]


async def test_an_effect_stays_when_its_plugin_is_gone_or_fails_or_says_nothing() -> None:
    def effect_undo(effect: Effect) -> bool | None:
        if effect.kind == "pulse.raises":
            raise OSError("no sound server")
        return None

    calls = PluginCalls(make_plugins(pulse=effect_undo))

    for kind in ("kwin.output", "pulse.raises", "pulse.nothing"):
        assert not await calls.undo_effect(Effect(kind=kind, data={}), HostFacts())
