"""Something that is done for everybody who asks while it is being done."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from punktfunk.errors import Refused

T = TypeVar("T")


class Once(Generic[T]):
    """Lives on the event loop. Whoever gives up waiting stops it for nobody.

    Args:
        act: What is never done twice at a time. It has to end by itself.
    """

    def __init__(self, act: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._act = act
        self._task: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """Do it, or wait for what was begun; return or raise what it does.

        Raises:
            Refused: (503) it was called off.
        """
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._act())
        task = self._task
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled() and not _is_called_off():
                raise Refused("this host is stopping", status=503) from None
            raise

    async def close(self) -> None:
        """Call off what is being done, for everybody who waits for it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _is_called_off() -> bool:
    """Say whether it is the waiting task itself that has to end."""
    waiting = asyncio.current_task()
    return waiting is not None and waiting.cancelling() > 0
