"""The session's own process. `python -m punktfunk.session.worker LINK_FD HOST_PID`.

The main thread does what must never wait: the link to the host, control and input, pings,
timers. Pictures, sound and sending have threads of their own, see `studio` and `stream`.
"""

import contextlib
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Iterator

from punktfunk.errors import DriverFailed, DriverUnavailable, ProtocolError, PunktfunkError
from punktfunk.model.input import Feedback
from punktfunk.model.offers import Kind
from punktfunk.model.session import SessionPlan, StreamEnd, StreamPlan
from punktfunk.pixels import warm_up
from punktfunk.registry.loading import describe
from punktfunk.session import messages
from punktfunk.session.clients import Clients
from punktfunk.session.connection import Connection
from punktfunk.session.drivers import imported
from punktfunk.session.messages import (
    Alive,
    AppEnded,
    DisplayBack,
    DisplayLost,
    Failed,
    Message,
    Prepare,
    Prepared,
    Quit,
    Ready,
    RequestKeyframe,
    StartStream,
    StopStream,
    StreamStarted,
    Warm,
)
from punktfunk.session.process import settle
from punktfunk.session.stage import Stage
from punktfunk.session.stream import MediaSockets
from punktfunk.wire.rs_isal import load_library

log = logging.getLogger(__name__)

_BEAT_NS = 1_000_000_000
_MAX_WAIT_S = 0.25
_MAX_REASON = 2_000


class Worker:
    """One session's life, from `Prepare` to `Quit` or the end of the link."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._selector = selectors.DefaultSelector()
        self._selector.register(link, selectors.EVENT_READ)
        self._wake_r, self._wake_w = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._wake_r, selectors.EVENT_READ)
        self._running = True
        self._building = False
        self._stage: Stage | None = None
        self._clients: Clients | None = None
        self._next_beat_ns = 0

    def run(self) -> None:
        """Until told to quit, or the host is gone."""
        try:
            while self._running:
                for key, _ in self._selector.select(self._wait_s()):
                    self._on_readable(key)
                self._tick(time.monotonic_ns())
        finally:
            try:
                self._end_streams(StreamEnd.STOPPED)
            finally:
                if self._stage is not None:
                    self._stage.strike()

    def quit(self) -> None:
        """End the loop; for a signal handler. What is being brought up is given up."""
        self._running = False
        self.wake()
        if self._building:
            raise SystemExit

    def wake(self) -> None:
        """Any thread: have the loop look around."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_w, b"\0")

    # -- what arrives

    def _on_readable(self, key: selectors.SelectorKey) -> None:
        if isinstance(key.data, Connection):
            assert isinstance(key.fileobj, socket.socket)
            if key.fileobj.fileno() >= 0:  # else closed by what was read before it
                key.data.on_readable(key.fileobj)
        elif key.fileobj is self._link:
            self._on_link()
        else:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_r, 4_096)

    def _on_link(self) -> None:
        try:
            received = messages.receive(self._link)
        except OSError:
            received = None
        except ProtocolError:
            log.exception("the host talks nonsense")
            return
        if received is None:
            self._running = False
            return
        message, descriptors = received
        sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
        for sock in sockets:
            sock.set_inheritable(False)
        self._on_message(message, sockets)

    def _on_message(self, message: Message, sockets: list[socket.socket]) -> None:
        match message:
            case Warm(drivers=drivers):
                _warm(drivers)
                self._say(Ready())
            case Prepare(plan=plan):
                self._prepare(plan)
            case StartStream(stream=stream):
                self._start_stream(stream, sockets)
            case StopStream(stream_id=stream_id, reason=reason):
                if self._clients is not None:
                    self._clients.end_where(lambda it: it.stream_id == stream_id, reason)
            case RequestKeyframe():
                if self._clients is not None:
                    self._clients.request_keyframe()
            case Quit(reason=reason):
                self._end_streams(reason)
                self._running = False
            case _:
                log.error("not for a worker: %s", type(message).__name__)

    # -- what the host asks for

    def _prepare(self, plan: SessionPlan) -> None:
        try:
            mode = self._set_stage(plan).display.mode
        except Exception as error:
            self._say(_failure(error))
            return
        self._say(Prepared(mode))

    def _set_stage(self, plan: SessionPlan) -> Stage:
        if self._stage is not None:
            raise DriverFailed("a worker serves one session")
        try:
            with self._interruptible():
                stage = self._stage = Stage(plan, self.wake)
                stage.screen.on_lost = lambda why: self._say(DisplayLost(why[:_MAX_REASON]))
                stage.screen.on_back = lambda after_s: self._say(DisplayBack(int(after_s * 1_000)))
                stage.set(self._take_feedback)
                self._clients = Clients(stage, self._selector, self._say, self.wake)
        except Exception:
            failed, self._stage = self._stage, None
            if failed is not None:
                failed.strike()  # out here no signal cuts it short
            raise
        return stage

    def _start_stream(self, plan: StreamPlan, sockets: list[socket.socket]) -> None:
        try:
            if self._clients is None or len(sockets) != messages.MAX_DESCRIPTORS:
                raise DriverFailed("a stream needs a session that is up, and three sockets")
            with self._interruptible():
                stream = self._clients.start(plan, MediaSockets(*sockets))
        except Exception as error:
            for sock in sockets:
                sock.close()
            self._say(_failure(error, plan.stream_id))
            return
        self._say(StreamStarted(plan.stream_id, stream.encoder_name))

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Drivers may take long to open. A signal to quit does not wait for them."""
        if not self._running:
            raise SystemExit
        self._building = True
        try:
            yield
        finally:
            self._building = False

    def _take_feedback(self, feedback: Feedback) -> None:
        """Any thread."""
        if self._clients is not None:
            self._clients.take_feedback(feedback)

    # -- what time does

    def _wait_s(self) -> float:
        deadline_ns = self._clients.next_deadline_ns() if self._clients is not None else None
        if deadline_ns is None:
            return _MAX_WAIT_S
        return min(_MAX_WAIT_S, max(0.0, (deadline_ns - time.monotonic_ns()) / 1e9))

    def _tick(self, now_ns: int) -> None:
        stage, clients = self._stage, self._clients
        if stage is None or clients is None:
            return
        clients.tend(now_ns)
        try:
            stage.tend(now_ns / 1e9)
        except DriverFailed as error:
            clients.failure = clients.failure or error
        if clients.failure is not None:
            self._fail(clients.failure)
        elif stage.app_ended:
            self._end_streams(StreamEnd.APP_ENDED)
            self._say(AppEnded(stage.seat.log_tail("app", lines=1)))
            self._running = False
        if now_ns >= self._next_beat_ns:
            self._next_beat_ns = now_ns + _BEAT_NS
            self._beat(stage, clients)

    def _beat(self, stage: Stage, clients: Clients) -> None:
        self._say(Alive(clients.samples()))
        try:
            stage.check()
            clients.check(time.monotonic_ns())
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """A driver gave up, and the session cannot go on without it."""
        failure = _failure(error)
        self._end_streams(StreamEnd.FAILED, failure.reason)
        self._say(failure)
        self._running = False

    def _end_streams(self, reason: StreamEnd, detail: str = "") -> None:
        if self._clients is not None:
            self._clients.end_all(reason, detail)

    def _say(self, message: messages.ToHost) -> None:
        with contextlib.suppress(OSError):  # the host is gone; the link's end says so too
            messages.send(self._link, message)


def _warm(drivers: tuple[str, ...]) -> None:
    """Do ahead of time what takes time and touches nothing outside this process."""
    warm_up()
    load_library()
    for entry in drivers:
        kind, _, name = entry.partition(":")
        with contextlib.suppress(DriverUnavailable, ValueError):
            imported(Kind(kind), name)


def _failure(error: Exception, stream_id: int = 0) -> Failed:
    if isinstance(error, DriverUnavailable):
        return Failed(
            stream_id=stream_id,
            driver=error.driver,
            reason=error.reason[:_MAX_REASON],
            hint=error.hint[:_MAX_REASON],
            available=error.available,
        )
    if isinstance(error, PunktfunkError):
        return Failed(stream_id=stream_id, reason=str(error)[:_MAX_REASON])
    log.error("a driver raised what it may not", exc_info=error)
    return Failed(stream_id=stream_id, reason=describe(error)[:_MAX_REASON])


def main() -> None:
    link = socket.socket(fileno=int(sys.argv[1]))
    link.set_inheritable(False)
    settle(int(sys.argv[2]))
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    worker = Worker(link)
    signal.signal(signal.SIGTERM, lambda *_: worker.quit())
    worker.run()
    logging.shutdown()
    # Taking down an interpreter full of native libraries takes a good part of a second.
    os._exit(0)


if __name__ == "__main__":
    main()
