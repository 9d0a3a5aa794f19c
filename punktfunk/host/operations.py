"""Looking after a running host: its plugins, configuration, log, health and leftovers."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from punktfunk.errors import Refused
from punktfunk.events import Publish
from punktfunk.host.catalog import Catalog
from punktfunk.host.cleanup import Cleaner
from punktfunk.host.doctor import examine
from punktfunk.host.live_config import LiveConfig
from punktfunk.host.logbook import LogBook
from punktfunk.host.once import Once
from punktfunk.host.plugins import changed_plugins, plugin_filter
from punktfunk.journal import JournalBusy
from punktfunk.mgmt.operations_values import Examined, Outlook
from punktfunk.mgmt.values import Leftover
from punktfunk.registry.calls import PluginCalls
from punktfunk.registry.discovery import PluginState
from punktfunk.registry.report import PluginReport


class Operations:
    """Implements `punktfunk.mgmt.host.Operations`.

    Args:
        calls: The plugins as the host calls them; None before they are loaded.
        running: Seats of the sessions that run.
        publish: Tells of plugins that are not what they were.
        hand_over: Called when others are loaded than before.

    Attributes:
        examined: What the doctor found last.
        probe: Asks every plugin again.
    """

    def __init__(
        self,
        *,
        config: LiveConfig,
        config_dir: Path,
        catalog: Catalog,
        cleaner: Cleaner,
        calls: Callable[[], PluginCalls | None],
        running: Callable[[], frozenset[str]],
        publish: Publish = lambda event_type, /, **data: None,
        hand_over: Callable[[], None] = lambda: None,
    ) -> None:
        self.config = config
        self.log = LogBook()
        self.examined: Examined | None = None
        self.doctor = Once(self._examine)
        self.probe = Once(self._probe)
        self._config_dir = config_dir
        self._catalog = catalog
        self._cleaner = cleaner
        self._calls = calls
        self._hand_over = hand_over
        self._running = running
        self._publish = publish

    def plugins(self) -> Sequence[PluginReport]:
        """As they were asked last, but for those that failed to load here or rest now."""
        calls = self._calls()
        records = [*self._catalog.plugins.records.values(), *self._catalog.plugins.shadowed]
        if calls is not None:
            records += [it for it in calls.records() if it.state is PluginState.RESTING]
        now = {(record.name, record.distribution): record for record in records}
        return [
            attrs.evolve(it, record=now.get((it.record.name, it.record.distribution), it.record))
            for it in self._catalog.report.plugins
        ]

    def outlooks(self) -> Sequence[Outlook]:
        return self._catalog.outlooks()

    def leftovers(self) -> Sequence[Leftover]:
        running = self._running()
        return [Leftover.of(it, running=it.journal in running) for it in self._cleaner.entries()]

    async def undo(self) -> Sequence[Leftover]:
        await self._cleaner.clean_but(self._running())
        return [it for it in self.leftovers() if not it.running]

    def forget_effect(self, entry_id: str) -> bool:
        found = [it for it in self._cleaner.entries() if it.id == entry_id]
        if any(it.journal in self._running() for it in found):
            raise Refused("its session runs; what it did is taken back when it ends", status=409)
        for entry in found:
            try:
                self._cleaner.give_up(entry)
            except JournalBusy as error:
                raise Refused(str(error), status=409) from error
        return bool(found)

    async def close(self) -> None:
        """Look at nothing any more, also not to the end of what was begun."""
        await asyncio.gather(self.doctor.close(), self.probe.close())

    async def _examine(self) -> Mapping[str, Any]:
        loaded = self.config.loaded
        wanted = plugin_filter(loaded.settings)
        found = (await examine(loaded, self._config_dir, wanted, os.environ)).to_json()
        self.examined = Examined(unix_s=time.time(), report=found)
        return found

    async def _probe(self) -> None:
        before, loaded = self._catalog.report, self._catalog.plugins
        await self._catalog.look_anew()
        if self._catalog.plugins is not loaded:
            self._hand_over()
        for plugin in changed_plugins(before, self._catalog.report):
            record = plugin.record
            self._publish(
                "plugins.changed",
                plugin=record.name,
                state=record.state.value,
                reason=record.reason,
            )
