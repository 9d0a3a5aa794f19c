"""A listener's own queue: it hears one event after the other, and delays nobody else."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from punktfunk.model.events import Event

MAX_WAITING = 64

log = logging.getLogger(__name__)


class Lane:
    """Fire and forget. A queue that is full loses what comes, and says so once.

    Args:
        name: For the log.
        handle: Takes one event after the other.

    Attributes:
        dropped: How many events were lost so far.
    """

    def __init__(
        self,
        name: str,
        handle: Callable[[Event], Awaitable[None]],
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.dropped = 0
        self._name = name
        self._handle = handle
        self._waiting: asyncio.Queue[Event] = asyncio.Queue(max_waiting)
        self._task: asyncio.Task[None] | None = None
        self._behind = self._closed = False

    def put(self, event: Event) -> None:
        """Return at once."""
        if self._closed:
            return
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name=f"events for {self._name}")
        try:
            self._waiting.put_nowait(event)
        except asyncio.QueueFull:
            self.dropped += 1
            if not self._behind:
                log.warning("%s is too slow: events for it are dropped", self._name)
            self._behind = True

    async def close(self, grace_s: float = 0.0) -> None:
        """Take nothing more, give what waits this long, and cut off the rest."""
        self._closed = True
        if self._task is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._waiting.join()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            event = await self._waiting.get()
            try:
                await self._handle(event)
            except Exception:
                log.exception("%s failed", self._name, extra={"event": event.type})
            self._behind = self._behind and not self._waiting.empty()
            self._waiting.task_done()
