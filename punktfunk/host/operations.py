"""Looking after a running host: its plugins, configuration, log, health and leftovers."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from punktfunk.errors import Refused
from punktfunk.host.catalog import Catalog
from punktfunk.host.cleanup import Cleaner
from punktfunk.host.doctor import examine
from punktfunk.host.live_config import LiveConfig
from punktfunk.host.logbook import LogBook
from punktfunk.host.plugins import plugin_filter
from punktfunk.journal import JournalBusy
from punktfunk.mgmt.values import Leftover
from punktfunk.registry.calls import PluginCalls
from punktfunk.registry.report import PluginReport


class Operations:
    """Implements `punktfunk.mgmt.host.Operations`.

    Args:
        calls: The plugins as the host calls them; None before they are loaded.
        running: Seats of the sessions that run.
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
    ) -> None:
        self.config = config
        self.log = LogBook()
        self._config_dir = config_dir
        self._catalog = catalog
        self._cleaner = cleaner
        self._calls = calls
        self._running = running

    def plugins(self) -> Sequence[PluginReport]:
        calls = self._calls()
        records = calls.records() if calls else ()
        now = {(record.name, record.distribution): record for record in records}
        return [
            attrs.evolve(it, record=now.get((it.record.name, it.record.distribution), it.record))
            for it in self._catalog.report.plugins
        ]

    async def doctor(self) -> Mapping[str, Any]:
        loaded = self.config.loaded
        wanted = plugin_filter(loaded.settings)
        report = await examine(loaded, self._config_dir, wanted, os.environ)
        return report.to_json()

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
