"""When a session's display dies: hold on, bring it back, and know when to give up."""

import logging
import queue
import threading
from collections.abc import Callable

import attrs

from punktfunk.errors import DisplayWithdrawn, DriverFailed, PunktfunkError
from punktfunk.registry.loading import describe

log = logging.getLogger(__name__)

Work = Callable[[], None]

_WINDOW_S = 60.0
_PAUSES_S = (0.0, 0.25, 0.5, 1.0)
_HANGS_AFTER_S = 30.0
"""Beyond an outage's time; a portal alone may take 25 s to answer."""


@attrs.frozen(kw_only=True)
class Patience:
    """How much a session puts up with.

    Attributes:
        losses: So many within a minute, and the last of them ends the session: whatever
            kills the display would only kill it again.
        outage_s: How long one outage may last.
    """

    losses: int
    outage_s: float


OWN = Patience(losses=3, outage_s=15.0)
ATTACHED = Patience(losses=5, outage_s=60.0)
"""A person restarts their desktop when they like, and as slowly as it goes."""


class Recovery:
    """Counts, waits and retries. What there is to do is brought by the caller.

    All methods but `report` are called by one thread, the one that owns the display. The work
    is done in another one, which stays until `close`: programs it starts may be bound to it.

    Args:
        examine: Look at what is lost, in the caller's thread, and return what brings it back,
            which raises when it did not. Called before every attempt.
        wake: Called from any thread when `poll` has something to do.
        on_lost: Told the reason, once an outage.
        on_back: Told how long the outage was, in seconds.
    """

    def __init__(
        self,
        examine: Callable[[], Work],
        patience: Patience,
        *,
        wake: Callable[[], None],
        on_lost: Callable[[str], None],
        on_back: Callable[[float], None],
    ) -> None:
        self._examine = examine
        self._patience = patience
        self._wake = wake
        self._on_lost = on_lost
        self._on_back = on_back
        self._reports: queue.SimpleQueue[Exception] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        self._jobs: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._working = False
        self._losses_s: list[float] = []
        self._since_s: float | None = None
        self._due_s = 0.0
        self._attempts = 0
        self._why: Exception = DriverFailed("the display is gone")

    @property
    def busy(self) -> bool:
        """Something is lost, and not back yet."""
        return self._since_s is not None or not self._reports.empty()

    @property
    def working(self) -> bool:
        """The other thread is at it: what belongs to the display is not to be touched."""
        return self._working

    def report(self, error: Exception) -> None:
        """Any thread: something that hangs on the display gave up."""
        self._reports.put(error)
        self._wake()

    def poll(self, now_s: float) -> None:
        """Do what is due.

        Raises:
            DisplayWithdrawn: it is over: somebody does not want it.
            DriverFailed: it is over: too many losses, too long an outage, or an attempt that hangs.
        """
        if self._working:
            try:
                result = self._results.get_nowait()
            except queue.Empty:
                self._check_hang(now_s)
                return
            self._working = False
            self._take(result, now_s)
        if self._since_s is None and (error := self._next_report()) is not None:
            self._lose(error, now_s)
        if self._since_s is not None and not self._working and now_s >= self._due_s:
            self._begin()

    def close(self, timeout_s: float) -> bool:
        """Begin nothing more; False when an attempt is still not over after the time."""
        if self._thread is None:
            return True
        self._jobs.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _check_hang(self, now_s: float) -> None:
        assert self._since_s is not None
        if now_s - self._since_s > self._patience.outage_s + _HANGS_AFTER_S:
            raise DriverFailed("the display hangs while it is brought back")

    def _next_report(self) -> Exception | None:
        try:
            error = self._reports.get_nowait()
        except queue.Empty:
            return None
        if isinstance(error, DisplayWithdrawn):
            raise error
        return error

    def _lose(self, error: Exception, now_s: float) -> None:
        if not isinstance(error, PunktfunkError):
            log.error("a driver raised what it may not", exc_info=error)
        self._why = error
        self._losses_s = [at_s for at_s in self._losses_s if now_s - at_s < _WINDOW_S]
        self._losses_s.append(now_s)
        if len(self._losses_s) >= self._patience.losses:
            times = len(self._losses_s)
            raise DriverFailed(
                f"the display was lost {times} times within a minute: {_words(error)}"
            )
        self._since_s, self._attempts = now_s, 0
        self._due_s = now_s + _PAUSES_S[min(len(self._losses_s) - 1, len(_PAUSES_S) - 1)]
        self._on_lost(_words(error))

    def _begin(self) -> None:
        work = self._examine()
        while self._next_report() is not None:
            pass  # of what is being brought back anyway
        self._attempts += 1
        self._working = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recovery", daemon=True)
            self._thread.start()
        self._jobs.put(work)

    def _take(self, result: Exception | None, now_s: float) -> None:
        assert self._since_s is not None
        lasted_s = now_s - self._since_s
        if result is None:
            self._since_s = None
            self._on_back(lasted_s)
            return
        if isinstance(result, DisplayWithdrawn):
            raise result
        self._why = result
        log.warning("the display does not come back yet: %s", _words(result))
        if lasted_s > self._patience.outage_s:
            raise DriverFailed(
                f"the display did not come back within {self._patience.outage_s:.0f} seconds: "
                f"{_words(result)}"
            )
        self._due_s = now_s + _PAUSES_S[min(self._attempts, len(_PAUSES_S) - 1)]

    def _run(self) -> None:
        while (work := self._jobs.get()) is not None:
            result: Exception | None = None
            try:
                work()
            except Exception as error:
                result = error
            self._results.put(result)
            self._wake()


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, PunktfunkError) else describe(error)
