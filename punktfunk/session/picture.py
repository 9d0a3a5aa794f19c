"""The picture thread: takes pictures and has them encoded, at the clients' rate."""

import threading
import time
from typing import Protocol

from punktfunk.model.frames import Frame
from punktfunk.session.camera import Tap
from punktfunk.session.encoding import Encoding

_CATCH_UP = 32
_WAIT_S = 0.1


class Source(Protocol):
    """Where pictures come from: the camera, or a tap on it."""

    def read(self, timeout_s: float) -> Frame | None: ...


class PictureLoop:
    """Runs in a thread of its own.

    Back-pressure works at the capture: while every sender is busy nothing new is taken, so
    what is lost is a picture that was never encoded and nothing refers to. Taps get every
    picture, and with them nobody is waited for.

    Attributes:
        turned_ns: When it last came round.
        encoding: What is made of the pictures; may be replaced at any time. Whoever takes it
            away waits for `Encoding.in_use` before closing it.
    """

    def __init__(self, source: Source, encoding: Encoding | None = None) -> None:
        self.turned_ns = time.monotonic_ns()
        self.encoding = encoding
        self._source = source
        self._taps: tuple[Tap, ...] = ()
        self._due_ns = 0

    def add_tap(self, tap: Tap) -> None:
        """One that is there already stays; streams of one encoder share it."""
        if tap not in self._taps:
            self._taps = (*self._taps, tap)

    def remove_tap(self, tap: Tap) -> None:
        self._taps = tuple(it for it in self._taps if it is not tap)

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. An encoder that gives up is left out, see `Encoding.failure`.

        Raises:
            DriverFailed: the capture gave up.
        """
        while not stop.is_set():
            self.turned_ns = time.monotonic_ns()
            encoding = self.encoding
            if encoding is None:
                self._take_for_taps(None)
                continue
            with encoding.in_use:
                if encoding is self.encoding:
                    self._turn(encoding)

    def _turn(self, encoding: Encoding) -> None:
        if not encoding.outlets or encoding.failure is not None:
            self._take_for_taps(encoding)
        elif not self._taps and not encoding.has_room:
            encoding.wait_for_room(_WAIT_S)
        elif (captured := self._next(encoding)) is not None:
            encoding.show(captured)
        else:
            encoding.repeat(time.monotonic_ns())

    def _take_for_taps(self, encoding: Encoding | None) -> None:
        frame = self._read(_WAIT_S, encoding)
        if frame is None:
            return
        if encoding is None:
            frame.release()
        else:
            encoding.skip(frame)

    def _next(self, encoding: Encoding) -> Frame | None:
        """The newest picture, no earlier than the clients' rate allows; None: nothing changed.

        One that comes too early is kept until it is due, not dropped: it may be the last for
        a long time.
        """
        interval_ns = encoding.params.mode.frame_interval_ns
        frame = self._read(interval_ns / 1e9, encoding)
        if frame is None:
            return None
        slack_ns = interval_ns // 2
        while (early_ns := self._due_ns - slack_ns - time.monotonic_ns()) > 0:
            newer = self._read(early_ns / 1e9, encoding)
            if newer is None:
                break
            encoding.skip(frame)
            frame = newer
        # A hair faster than the client asked for, or one late picture would keep all that
        # follow waiting at this gate.
        step_ns = interval_ns - interval_ns // _CATCH_UP
        self._due_ns = max(self._due_ns + step_ns, time.monotonic_ns() + slack_ns)
        return frame

    def _read(self, timeout_s: float, encoding: Encoding | None) -> Frame | None:
        frame = self._source.read(timeout_s)
        if frame is not None:
            for tap in self._taps:
                tap.offer(frame)
            if encoding is not None:
                encoding.saw(frame)
        return frame
