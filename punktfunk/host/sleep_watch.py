"""Notices that the machine has slept."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
_LEAST_S = 1.0


def slept_so_far_s() -> float:
    """Boot time goes on while the machine sleeps, monotonic time does not."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


class SleepWatch:
    """Looks every few seconds, on the host's event loop.

    Workers that died meanwhile, and clients that did not come back, are noticed as always:
    their clocks stood still. What is left for us is what could not be undone before.

    Args:
        on_wake: Awaited with the seconds that were slept.
    """

    def __init__(
        self,
        on_wake: Callable[[float], Awaitable[None]],
        slept_s: Callable[[], float] = slept_so_far_s,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._on_wake = on_wake
        self._slept_s = slept_s
        self._look_every_s = look_every_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop looking. Safe to call twice, and when it was never started."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        before_s = self._slept_s()
        while True:
            await asyncio.sleep(self._look_every_s)
            now_s = self._slept_s()
            if now_s - before_s >= _LEAST_S:
                log.info("the machine has slept for %.0f seconds", now_s - before_s)
                try:
                    await self._on_wake(now_s - before_s)
                except Exception:
                    log.exception("could not look after the sessions after a sleep")
            before_s = now_s
