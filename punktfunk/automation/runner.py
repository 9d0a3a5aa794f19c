"""Hands each event to the hooks and webhooks that asked for it."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from punktfunk.automation.hooks import Hook
from punktfunk.automation.webhooks import Webhook
from punktfunk.config.settings import Settings
from punktfunk.events import Lane
from punktfunk.model.events import Event

CLOSE_GRACE_S = 1.0
"""For what `host.stopping` starts: the host may not take longer to end."""
OLD_GRACE_S = 600.0
"""For what an earlier configuration began."""
MAX_PROGRAMS = 4


class Automation:
    """Each hook and webhook handles one event after the other, and waits for no other one; but
    no more than four programs run at the same time.

    Args:
        folder: What relative file names are relative to.
        environment: The host's own; hooks get a few variables of it.

    Raises:
        ConfigError: the file with a webhook's secret is of no use.
    """

    def __init__(self, settings: Settings, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._places = asyncio.Semaphore(MAX_PROGRAMS)
        self._ending: dict[Lane, asyncio.Task[None]] = {}
        self._lanes = self._make(settings)

    def check(self, settings: Settings) -> None:
        """Raises ConfigError: `use` would."""
        self._make(settings)

    def use(self, settings: Settings) -> None:
        """From now on do what these settings say; what has begun comes to its end.

        Raises:
            ConfigError: the file with a webhook's secret is of no use; nothing changes.
        """
        old, self._lanes = self._lanes, self._make(settings)
        for _, lane in old:
            task = asyncio.create_task(lane.close(OLD_GRACE_S))
            self._ending[lane] = task
            task.add_done_callback(partial(self._ended, lane))

    def hear(self, event: Event) -> None:
        """Return at once."""
        for types, lane in self._lanes:
            if event.type in types:
                lane.put(event)

    async def close(self, grace_s: float = CLOSE_GRACE_S) -> None:
        """Let what runs come to its end for a moment; then end it."""
        lanes = [*self._ending, *(lane for _, lane in self._lanes)]
        await asyncio.gather(*(lane.close(grace_s) for lane in lanes))
        for task in self._ending.values():
            task.cancel()

    def _ended(self, lane: Lane, task: asyncio.Task[None]) -> None:
        del self._ending[lane]

    def _make(self, settings: Settings) -> list[tuple[frozenset[str], Lane]]:
        rules: list[Hook | Webhook] = [
            Hook(f"hook[{index}]", hook, self._environment, self._places)
            for index, hook in enumerate(settings.hook)
        ]
        rules += [
            Webhook(f"webhook[{index}]", webhook, self._folder)
            for index, webhook in enumerate(settings.webhook)
        ]
        return [(rule.types, Lane(rule.name, rule.handle)) for rule in rules]
