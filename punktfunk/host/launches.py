"""Launches that are under way: one a client, and any of them can be called off."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import attrs

from punktfunk.errors import Refused
from punktfunk.host.session import HostSession
from punktfunk.model.clients import Fingerprint


@attrs.frozen
class _Launch:
    client: Fingerprint
    app: str
    task: asyncio.Task[HostSession]


class Launches:
    """Runs on the host's event loop.

    A launch that is called off, or whose client hangs up, still takes back what it had
    begun; until then it keeps its slot.
    """

    def __init__(self) -> None:
        self._by_slot: dict[int, _Launch] = {}

    @property
    def slots(self) -> set[int]:
        return set(self._by_slot)

    def has(self, client: str) -> bool:
        return any(launch.client == client for launch in self._by_slot.values())

    async def settled(self, app: str) -> None:
        """Wait until nobody is launching this app."""
        while tasks := [it.task for it in self._by_slot.values() if it.app == app]:
            await asyncio.wait(tasks)

    async def run(
        self,
        slot: int,
        client: Fingerprint,
        app: str,
        start: Coroutine[Any, Any, HostSession],
    ) -> HostSession:
        """Wait for a session to start.

        Args:
            app: Its library id.

        Raises:
            Refused: it was called off; status 503. Besides whatever `start` raises.
        """
        task = asyncio.get_running_loop().create_task(start)
        self._by_slot[slot] = _Launch(client, app, task)
        task.add_done_callback(lambda _: self._by_slot.pop(slot))
        try:
            return await task
        except asyncio.CancelledError:
            if _is_being_cancelled():
                raise
            raise Refused("the launch was called off", status=503) from None

    async def call_off(self, client: str | None = None) -> None:
        """Stop the launch of a client, or of all, and wait until nothing is left of it."""
        tasks = [it.task for it in self._by_slot.values() if client in (None, it.client)]
        for task in tasks:
            if not task.cancelling():  # else it is clearing up already
                task.cancel()
        if tasks:
            await asyncio.wait(tasks)


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
