"""One worker kept warm, so that a launch need not wait for imports."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from punktfunk.errors import DriverFailed
from punktfunk.session.supervisor import Worker, WorkerLimits

log = logging.getLogger(__name__)


class WorkerPool:
    """Hands out workers. All methods run on the host's event loop."""

    def __init__(
        self, drivers_to_warm: Callable[[], Sequence[str]], limits: WorkerLimits | None = None
    ) -> None:
        self._drivers_to_warm = drivers_to_warm
        self._limits = limits
        self._spare: asyncio.Task[Worker] | None = None
        self._closed = False

    @property
    def spare_pid(self) -> int | None:
        """Of the warm worker, when it is up."""
        spare = self._spare
        if spare is None or not spare.done() or spare.cancelled() or spare.exception():
            return None
        worker = spare.result()
        return worker.pid if worker.alive else None

    def refill(self) -> None:
        """Begin to warm a spare, if there is none or it died."""
        coming = self._spare is not None and not self._spare.done()
        if not (self._closed or coming or self.spare_pid):
            self._spare = asyncio.create_task(self._spawn())

    async def take(self) -> Worker:
        """The spare, or a fresh one. Call `refill` when the machine has a moment.

        Raises:
            DriverFailed: no worker could be started.
        """
        spare, self._spare = self._spare, None
        if spare is not None:
            try:
                worker = await spare
            except DriverFailed:
                log.warning("the warm worker did not come up; starting another", exc_info=True)
            else:
                if worker.alive:
                    return worker
        return await self._spawn()

    async def close(self) -> None:
        """End the spare. It holds nothing yet that it would have to take back itself."""
        self._closed = True
        spare, self._spare = self._spare, None
        if spare is None:
            return
        if not spare.done():
            spare.cancel()
        with contextlib.suppress(DriverFailed, asyncio.CancelledError):
            worker = await spare
            worker.kill()
            await worker.wait()

    async def _spawn(self) -> Worker:
        return await Worker.spawn(self._drivers_to_warm(), self._limits)
