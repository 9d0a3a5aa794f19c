"""Something that is done for everybody who asks while it is being done."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

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
        """Do it, or wait for what was begun; return or raise what it does."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._act())
        return await asyncio.shield(self._task)

    async def close(self) -> None:
        """Call off what is being done, for everybody who waits for it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
