"""Input on its way to the portal, one piece after the other, while nobody waits for it."""

import logging
import threading
from collections import deque
from collections.abc import Callable

from punktfunk.plugin import BusError, DriverFailed

log = logging.getLogger(__name__)

MOST_WAITING = 4_096
_CLOSE_S = 1.0

Notice = tuple[str, str, tuple[object, ...]]
"""Member, signature and arguments."""


class Notices:
    """Sends what is put in from a thread of its own, in order.

    The portal handles calls on several threads: those that it has not answered may pass each
    other on the way, and a key would come up before it went down. So each is waited for.

    Args:
        send: Makes one call and waits for its answer. Raises `BusError`.
    """

    def __init__(self, send: Callable[[Notice], None]) -> None:
        self._send = send
        self._waiting: deque[Notice] = deque()
        self._news = threading.Condition()
        self._closing = False
        self._failure = ""
        self._refused: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="portal-input", daemon=True)
        self._thread.start()

    def put(self, member: str, signature: str, *arguments: object) -> None:
        """Have a call made; does not wait.

        Raises:
            DriverFailed: an earlier one was never answered.
        """
        with self._news:
            if self._failure or len(self._waiting) >= MOST_WAITING:
                raise DriverFailed(self._failure or "the desktop's portal does not keep up")
            notice = (member, signature, arguments)
            last = self._waiting[-1] if self._waiting else None
            if last is not None and (merged := _merged(last, notice)) is not None:
                self._waiting[-1] = merged
            else:
                self._waiting.append(notice)
            self._news.notify()

    def close(self) -> None:
        """Send what still waits, for a moment."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return
                notice = self._waiting.popleft()
            try:
                self._send(notice)
            except BusError as error:
                if not error.name:
                    with self._news:
                        self._failure = f"the desktop's portal is gone: {error}"
                        self._waiting.clear()
                    return
                self._note(notice[0], error)

    def _note(self, member: str, error: BusError) -> None:
        if member not in self._refused:
            self._refused.add(member)
            log.warning("the desktop refuses input: %s", error)


def _merged(last: Notice, new: Notice) -> Notice | None:
    """Two moves as one; None where both have to be made."""
    member, signature, arguments = new
    if last[0] != member:
        return None
    if member == "PointerMotionAbsolute":
        return new
    if member == "PointerMotion":
        (x, y), (more_x, more_y) = last[2], arguments
        assert isinstance(x, float) and isinstance(y, float)
        assert isinstance(more_x, float) and isinstance(more_y, float)
        return member, signature, (x + more_x, y + more_y)
    return None
