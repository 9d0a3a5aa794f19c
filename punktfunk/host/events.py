"""Everything that is told to others: the bus, and the plugins that listen to it."""

import asyncio

from punktfunk.events import EventBus, Lane
from punktfunk.model.events import Event
from punktfunk.registry.calls import PluginCalls
from punktfunk.registry.discovery import PluginRecord

_HOOKS = {
    "session.started": ("session_started", ("session_id", "app", "client")),
    "session.ended": ("session_ended", ("session_id", "reason")),
    "client.paired": ("client_paired", ("client", "name")),
    "client.unpaired": ("client_unpaired", ("client",)),
}
"""Events that have a hook of their own, and what it is told."""


class Events:
    """Fire and forget: a plugin that is slow or broken delays nothing, and a flood of events
    fills no more than its own queue.

    Attributes:
        bus: Where everybody publishes.
        listeners: The plugins; nobody before they are loaded.
    """

    def __init__(self) -> None:
        self.bus = EventBus()
        self.publish = self.bus.publish
        self.listeners: PluginCalls | None = None
        self._lanes: dict[str, Lane] = {}

    def tell_plugins(self, calls: PluginCalls) -> None:
        """From now on tell these plugins, and no others."""
        self.listeners = calls
        for name in calls.listeners(("event", *(hook for hook, _ in _HOOKS.values()))):
            if name not in self._lanes:
                self._lanes[name] = self._lane(name)
        calls.on_rest = self._plugin_rests
        if self._hear not in self.bus.listeners:
            self.bus.listeners.append(self._hear)

    @property
    def dropped(self) -> dict[str, int]:
        """How many events each plugin was too slow for."""
        return {name: lane.dropped for name, lane in self._lanes.items()}

    async def close(self) -> None:
        """Do not wait for those that still run."""
        await asyncio.gather(*(lane.close() for lane in self._lanes.values()))

    def _lane(self, name: str) -> Lane:
        async def tell(event: Event) -> None:
            calls = self.listeners
            if calls is None:
                return
            if event.type in _HOOKS:
                hook, wanted = _HOOKS[event.type]
                await calls.tell_one(name, hook, {it: event.data[it] for it in wanted})
            await calls.tell_one(name, "event", {"event": event})

        return Lane(f"plugin {name}", tell)

    def _hear(self, event: Event) -> None:
        for lane in self._lanes.values():
            lane.put(event)

    def _plugin_rests(self, record: PluginRecord) -> None:
        self.publish(
            "plugins.changed", plugin=record.name, state=record.state.value, reason=record.reason
        )
