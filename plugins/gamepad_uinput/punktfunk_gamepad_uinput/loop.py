"""One thread for all pads of a session: it hears what programs want of them."""

import logging
import os
import select
import threading
import time
from contextlib import suppress

from punktfunk_gamepad_uinput.pad import Pad

log = logging.getLogger(__name__)

_LONGEST_WAIT_S = 60.0
_NS_PER_S = 1_000_000_000


class PadLoop:
    """Started with the first pad.

    Attributes:
        failed: A pad raised what it may not; the loop is over, and so are the pads.
    """

    def __init__(self) -> None:
        self.failed = False
        self._pads: dict[int, Pad] = {}
        self._lock = threading.Lock()
        self._wake_r, self._wake_w = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._running = True
        self._thread = threading.Thread(target=self._run, name="gamepads", daemon=True)
        self._thread.start()

    def add(self, pad: Pad) -> None:
        with self._lock:
            self._pads[pad.fileno()] = pad
        self._wake()

    def remove(self, pad: Pad) -> None:
        """The pad may still be in the middle of something; it says itself when it is closed."""
        with self._lock:
            self._pads.pop(pad.fileno(), None)
        self._wake()

    def close(self) -> None:
        self._running = False
        self._wake()
        self._thread.join()
        os.close(self._wake_r)
        os.close(self._wake_w)

    def _wake(self) -> None:
        with suppress(BlockingIOError):
            os.write(self._wake_w, b"\0")

    def _run(self) -> None:
        try:
            while self._running:
                self._turn()
        except Exception:
            self.failed = True
            log.exception("the gamepads have failed")

    def _turn(self) -> None:
        with self._lock:
            pads = dict(self._pads)
        poller = select.poll()
        for fd in (self._wake_r, *pads):
            poller.register(fd, select.POLLIN)
        ready = [fd for fd, what in poller.poll(self._wait_ms(pads)) if what & select.POLLIN]
        for fd in ready:
            if fd == self._wake_r:
                os.read(self._wake_r, 4_096)
            else:
                pads[fd].on_readable()

    def _wait_ms(self, pads: dict[int, Pad]) -> float:
        now_ns = time.monotonic_ns()
        due = [due_ns for pad in pads.values() if (due_ns := pad.on_time(now_ns)) is not None]
        if not due:
            return _LONGEST_WAIT_S * 1_000
        return max(0.0, (min(due) - now_ns) / _NS_PER_S) * 1_000
