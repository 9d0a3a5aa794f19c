"""Work that is begun now, and that nobody waits for until the host stops."""

import asyncio
import logging
from collections.abc import Coroutine

log = logging.getLogger(__name__)


class Chores:
    """Runs on the host's event loop. A chore that fails is logged, and costs no other."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def done(self) -> None:
        """Wait for those that were begun."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a session's house-keeping failed", exc_info=error)
