"""A loop in a thread of its own, whose failure and silence are noticed."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Protocol, TypeVar

from punktfunk.errors import DriverFailed
from punktfunk.session.process import hurry

T = TypeVar("T")

_JOIN_TIMEOUT_S = 3.0
_STEP_S = 0.005
_HANG_LIMIT_NS = 8_000_000_000


class Loop(Protocol):
    turned_ns: int
    """When it last came round, CLOCK_MONOTONIC."""

    def run(self, stop: threading.Event) -> None: ...


class LoopThread:
    """Made without running.

    Args:
        wake: Called when the loop has failed.

    Attributes:
        failure: Why the loop gave up, or None.
    """

    def __init__(
        self, name: str, loop: Loop, wake: Callable[[], None], *, short_work: bool
    ) -> None:
        self.name = name
        self.failure: Exception | None = None
        self._loop = loop
        self._wake = wake
        self._short_work = short_work
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, unless it has."""
        if self._thread is None:
            self._loop.turned_ns = time.monotonic_ns()
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()

    def check(self, now_ns: int) -> None:
        """Raise `DriverFailed` when a driver has not returned for too long."""
        if self._thread is not None and now_ns - self._loop.turned_ns > _HANG_LIMIT_NS:
            raise DriverFailed(f"the {self.name} thread hangs")

    def stop(self) -> str:
        """End it and wait; returns its name when it does not end, being inside a driver."""
        self._stop.set()
        if self._thread is None:
            return ""
        self._thread.join(_JOIN_TIMEOUT_S)
        return self.name if self._thread.is_alive() else ""

    def _run(self) -> None:
        hurry(short_work=self._short_work)
        try:
            self._loop.run(self._stop)
        except Exception as error:
            self.failure = error
            self._wake()


def beside(work: Callable[[], T], meanwhile: Callable[[], None]) -> T:
    """Do what takes a while in a thread, and something else every few milliseconds until then.

    Raises:
        Anything: as `work` does.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=run, name="opening", daemon=True).start()
    while not wait((done,), _STEP_S).done:
        meanwhile()
    return done.result()
