"""Tells plugins what happened, each alone and with a time limit."""

import asyncio

from punktfunk.registry.calls import PluginCalls


class Events:
    """Fire and forget: a plugin that is slow or broken delays nothing.

    Attributes:
        listeners: Who is told; nobody before the plugins are loaded.
    """

    def __init__(self) -> None:
        self.listeners: PluginCalls | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def fire(self, hook: str, **arguments: object) -> None:
        """Call an event hook of every plugin that has it."""
        if self.listeners is None:
            return
        task = asyncio.get_running_loop().create_task(self.listeners.tell(hook, **arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Do not wait for those that still run."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
