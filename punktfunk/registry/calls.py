"""Calls plugins in this process, each alone, so that none can harm the others or the host."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future

import attrs
import pluggy

from punktfunk.errors import PunktfunkError
from punktfunk.model.offers import HostFacts
from punktfunk.model.plugins import Effect
from punktfunk.registry.discovery import PluginRecord, PluginState
from punktfunk.registry.loading import Plugins, describe

FAILURES_BEFORE_REST = 3
REST_S = 300.0
CALL_TIMEOUT_S = 5.0

log = logging.getLogger(__name__)


class PluginFailed(PunktfunkError):
    """A plugin raised, took too long, or is still busy with an earlier call."""

    code = "plugin_failed"


def implements(manager: pluggy.PluginManager, plugin: str, hook: str) -> bool:
    """Say whether a plugin has this hook."""
    caller: pluggy.HookCaller = getattr(manager.hook, hook)
    return any(found.plugin_name == plugin for found in caller.get_hookimpls())


def call_alone(
    manager: pluggy.PluginManager, plugin: str, hook: str, **arguments: object
) -> object:
    """Call one plugin's hook and no other plugin's.

    pluggy gives up on everyone when one implementation raises, so the others are left out.

    Returns:
        Its answer; None when it has no such hook.

    Raises:
        Whatever the plugin raises.
    """
    others = [other for name, other in manager.list_name_plugin() if name != plugin]
    answers: list[object] = manager.subset_hook_caller(hook, others)(**arguments)
    return answers[0] if answers else None


@attrs.define
class _Standing:
    """How a plugin behaved lately."""

    failures_in_a_row: int = 0
    rests_until_s: float = 0.0
    busy_with: str = ""


class PluginCalls:
    """The host's calls to its plugins: events, and undoing effects.

    A call runs in a thread of its own, because a thread that hangs cannot be stopped: its
    plugin is not called again before it came back, and it does not keep the host from
    exiting. Three failures in a row, and the plugin rests for five minutes.

    Args:
        clock: Seconds that never run backwards.

    Attributes:
        on_rest: Called when a plugin is left alone from now on.
    """

    def __init__(
        self,
        plugins: Plugins,
        *,
        clock: Callable[[], float] = time.monotonic,
        timeout_s: float = CALL_TIMEOUT_S,
    ) -> None:
        self._plugins = plugins
        self._clock = clock
        self._timeout_s = timeout_s
        self._standing = {name: _Standing() for name in plugins.names}
        self._turns = {name: asyncio.Lock() for name in plugins.names}
        self.on_rest: Callable[[PluginRecord], None] = lambda record: None

    def records(self) -> tuple[PluginRecord, ...]:
        """Every installed plugin as it stands now, resting ones included."""
        return (
            tuple(self._now(record) for _, record in sorted(self._plugins.records.items()))
            + self._plugins.shadowed
        )

    async def tell(self, event: str, **arguments: object) -> None:
        """Tell all plugins of an event, such as `session_started`.

        Each hears of events in the order in which they were told. Returns when all were
        told, or failed to listen in time. Never raises for what a plugin did.
        """
        async with asyncio.TaskGroup() as group:
            for name in self._plugins.names:
                if implements(self._plugins.manager, name, event):
                    group.create_task(self.tell_one(name, event, arguments))

    def listeners(self, events: Collection[str]) -> tuple[str, ...]:
        """Which plugins have one of these hooks."""
        manager, names = self._plugins.manager, self._plugins.names
        return tuple(it for it in names if any(implements(manager, it, hook) for hook in events))

    async def tell_one(self, name: str, event: str, arguments: Mapping[str, object]) -> None:
        """Tell one plugin, if it wants to hear that. Never raises for what it did."""
        if not implements(self._plugins.manager, name, event):
            return
        try:
            await self._call(name, event, arguments)
        except PluginFailed:
            return

    async def undo_effect(self, effect: Effect, host: HostFacts) -> bool:
        """Ask the plugin an effect belongs to, by the first part of its kind, to undo it.

        Returns:
            True when the effect is gone. False to try again at the next start: the plugin
            said so, failed, rests, or is not there.
        """
        owner = effect.kind.partition(".")[0]
        if owner not in self._turns:
            return False
        try:
            answer = await self._call(owner, "effect_undo", {"effect": effect, "host": host})
        except PluginFailed:
            return False
        return answer is True

    async def _call(self, name: str, hook: str, arguments: Mapping[str, object]) -> object:
        """Call one plugin when its turn comes; keep count of failures and log them."""
        async with self._turns[name]:
            standing = self._standing[name]
            if self._clock() < standing.rests_until_s:
                raise PluginFailed(f"{name} rests after failing again and again", plugin=name)
            try:
                answer = await self._call_in_thread(name, hook, arguments)
            except PluginFailed as error:
                log.warning("plugin left out of %s: %s", hook, error, extra={"plugin": name})
                self._count_failure(name)
                raise
            standing.failures_in_a_row = 0
            return answer

    async def _call_in_thread(
        self, name: str, hook: str, arguments: Mapping[str, object]
    ) -> object:
        standing = self._standing[name]
        if standing.busy_with:
            raise PluginFailed(f"{name} is still busy with {standing.busy_with}", plugin=name)
        standing.busy_with = hook
        answer: Future[object] = Future()
        answer.set_running_or_notify_cancel()

        def run() -> None:
            try:
                result = call_alone(self._plugins.manager, name, hook, **arguments)
            except BaseException as error:  # a plugin may even raise SystemExit
                standing.busy_with = ""
                answer.set_exception(PluginFailed(f"{name}: {describe(error)}", plugin=name))
            else:
                standing.busy_with = ""
                answer.set_result(result)

        threading.Thread(target=run, name=f"plugin {name}", daemon=True).start()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.wrap_future(answer)
        except TimeoutError:
            message = f"{name} took longer than {self._timeout_s:g} s"
            raise PluginFailed(message, plugin=name) from None

    def _count_failure(self, name: str) -> None:
        standing = self._standing[name]
        standing.failures_in_a_row += 1
        if standing.failures_in_a_row >= FAILURES_BEFORE_REST:
            standing.failures_in_a_row = 0
            standing.rests_until_s = self._clock() + REST_S
            self.on_rest(self._now(self._plugins.records[name]))

    def _now(self, record: PluginRecord) -> PluginRecord:
        standing = self._standing.get(record.name)
        if standing is None:
            return record
        rest_s = standing.rests_until_s - self._clock()
        if rest_s <= 0:
            return record
        reason = f"failed {FAILURES_BEFORE_REST} times in a row; left alone for {rest_s:.0f} s"
        return attrs.evolve(record, state=PluginState.RESTING, reason=reason)
