"""The session's own process. `python -m punktfunk.session.worker LINK_FD HOST_PID`.

The main thread does what must never wait: the link to the host, control and input, pings,
timers. Pictures, sound and sending have a thread each, see `stream`.
"""

import contextlib
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator

from punktfunk.errors import DriverFailed, DriverUnavailable, ProtocolError, PunktfunkError
from punktfunk.model.input import Feedback, InputEvent
from punktfunk.model.offers import Kind
from punktfunk.model.session import SessionPlan, StreamEnd, StreamPlan
from punktfunk.pixels import warm_up
from punktfunk.registry.loading import describe
from punktfunk.session import control_socket, messages
from punktfunk.session.control import ControlPlane
from punktfunk.session.drivers import imported
from punktfunk.session.messages import (
    Alive,
    AppEnded,
    Connected,
    Failed,
    Message,
    Prepare,
    Prepared,
    Quit,
    Ready,
    RequestKeyframe,
    StartStream,
    StopStream,
    StreamEnded,
    StreamStarted,
    Warm,
)
from punktfunk.session.process import settle
from punktfunk.session.stage import Stage
from punktfunk.session.stream import MediaSockets, Stream
from punktfunk.session.watch import ClientWatch
from punktfunk.wire.rs_isal import load_library

log = logging.getLogger(__name__)

_BEAT_NS = 1_000_000_000
_MAX_WAIT_S = 0.25
_MAX_DATAGRAM_BYTES = 2_048
_MAX_WAITING_FEEDBACK = 64


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
        self._sockets: MediaSockets | None = None
        self._stream: Stream | None = None
        self._control: ControlPlane | None = None
        self._watch: ClientWatch | None = None
        self._told_connected = False
        self._feedback: deque[Feedback] = deque(maxlen=_MAX_WAITING_FEEDBACK)
        self._next_beat_ns = 0

    def run(self) -> None:
        """Until told to quit, or the host is gone."""
        try:
            while self._running:
                for key, _ in self._selector.select(self._wait_s()):
                    self._on_readable(key.fileobj)
                self._tick(time.monotonic_ns())
        finally:
            try:
                self._end_stream(StreamEnd.STOPPED)
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

    def _on_readable(self, source: object) -> None:
        if source is self._link:
            self._on_link()
        elif source == self._wake_r:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_r, 4_096)
        elif self._sockets is not None:
            self._on_socket(source, self._sockets)

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
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        self._on_message(message, descriptors)

    def _on_message(self, message: Message, descriptors: list[int]) -> None:
        match message:
            case Warm(drivers=drivers):
                _warm(drivers)
                self._say(Ready())
            case Prepare(plan=plan):
                self._prepare(plan, descriptors)
            case StartStream(stream=stream):
                self._start_stream(stream)
            case StopStream(reason=reason):
                self._end_stream(reason)
            case RequestKeyframe():
                if self._stream is not None:
                    self._stream.request_keyframe()
            case Quit(reason=reason):
                self._end_stream(reason)
                self._running = False
            case _:
                log.error("not for a worker: %s", type(message).__name__)

    def _on_socket(self, source: object, sockets: MediaSockets) -> None:
        if source is sockets.control:
            control_socket.receive(sockets.control, self._control)
            return
        stream, watch = self._stream, self._watch
        if stream is None or watch is None:
            _discard(source)
        elif source is sockets.audio:
            stream.audio.drain()
        elif stream.video.drain() and not watch.video_known:
            watch.pinged()
            stream.start_picture()

    # -- what the host asks for

    def _prepare(self, plan: SessionPlan, descriptors: list[int]) -> None:
        sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
        try:
            self._set_stage(plan, sockets)
        except Exception as error:
            for sock in sockets:
                sock.close()
            self._say(_failure(error))
            return
        assert self._stage is not None
        self._sockets = MediaSockets(*sockets)
        for sock in sockets:
            sock.setblocking(False)
            self._selector.register(sock, selectors.EVENT_READ)
        self._say(Prepared(self._stage.display.mode))

    def _set_stage(self, plan: SessionPlan, sockets: list[socket.socket]) -> None:
        if self._stage is not None or len(sockets) != messages.MAX_DESCRIPTORS:
            raise DriverFailed("a worker serves one session, with three sockets")
        with self._interruptible():
            self._stage = Stage(plan)
            try:
                self._stage.set(self._take_feedback, self.wake)
            except Exception:
                stage, self._stage = self._stage, None
                stage.strike()
                raise

    def _start_stream(self, plan: StreamPlan) -> None:
        self._end_stream(StreamEnd.REPLACED)
        try:
            stream = self._open_stream(plan)
        except Exception as error:
            self._say(_failure(error, plan.stream_id))
            return
        self._stream = stream
        self._control = ControlPlane(plan, stream, self._handle_input)
        self._watch = ClientWatch(time.monotonic_ns())
        self._told_connected = False
        stream.start_sound()
        self._say(StreamStarted(plan.stream_id, stream.encoder_name))

    def _open_stream(self, plan: StreamPlan) -> Stream:
        if self._stage is None or self._sockets is None:
            raise DriverFailed("the session is not up")
        with self._interruptible():
            self._stage.resize(plan.request.mode)
            return Stream(plan, self._stage, self._sockets, self.wake)

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

    def _handle_input(self, event: InputEvent) -> None:
        assert self._stage is not None
        try:
            self._stage.input.handle(event)
        except Exception as error:
            if self._stream is not None:
                self._stream.failure = error

    def _take_feedback(self, feedback: Feedback) -> None:
        """Any thread."""
        self._feedback.append(feedback)
        self.wake()

    # -- what time does

    def _wait_s(self) -> float:
        if self._control is None:
            return _MAX_WAIT_S
        deadline_ns = self._control.next_deadline_ns()
        if deadline_ns is None:
            return _MAX_WAIT_S
        return min(_MAX_WAIT_S, max(0.0, (deadline_ns - time.monotonic_ns()) / 1e9))

    def _tick(self, now_ns: int) -> None:
        self._tend_stream(now_ns)
        if self._stage is not None and self._stage.app_ended:
            self._end_stream(StreamEnd.APP_ENDED)
            self._say(AppEnded(self._stage.seat.log_tail("app", lines=1)))
            self._running = False
        if now_ns >= self._next_beat_ns and self._stage is not None:
            self._next_beat_ns = now_ns + _BEAT_NS
            self._beat()

    def _tend_stream(self, now_ns: int) -> None:
        stream, control, watch = self._stream, self._control, self._watch
        if stream is None or control is None or watch is None:
            return
        assert self._sockets is not None
        control.poll(now_ns)
        while self._feedback:
            control.send(self._feedback.popleft())
        control_socket.flush(self._sockets.control, control, now_ns)
        if control.heard_ns is not None:
            watch.heard(control.heard_ns)
        if watch.connected and not self._told_connected:
            self._told_connected = True
            self._say(Connected(stream.plan.stream_id))
        if stream.failure is not None:
            self._fail(stream.failure)
        elif (end := control.ended or watch.verdict(now_ns)) is not None:
            self._end_stream(end)

    def _beat(self) -> None:
        stream, control = self._stream, self._control
        if stream is None or control is None:
            self._say(Alive())
        else:
            stream.meter.rejected_messages = control.rejected
            stream.meter.client_frames_lost = control.frames_lost
            stream.meter.client_packets_missing = control.packets_missing
            stream.meter.client_packets_recovered = control.packets_recovered
            self._say(Alive((stream.sample(),)))
        assert self._stage is not None
        try:
            self._stage.check()
            if stream is not None:
                stream.check(time.monotonic_ns())
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """A driver gave up, and the session cannot go on without it."""
        failure = _failure(error)
        self._end_stream(StreamEnd.FAILED, failure.reason)
        self._say(failure)
        self._running = False

    def _end_stream(self, reason: StreamEnd, detail: str = "") -> None:
        """Say goodbye to the client, stop the threads, let go of every key and button."""
        stream, control = self._stream, self._control
        if stream is None or control is None:
            return
        self._stream = self._control = self._watch = None
        assert self._stage is not None
        assert self._sockets is not None
        if reason is not StreamEnd.CLIENT_LEFT:
            control_socket.say_goodbye(self._sockets.control, control)
        stuck = stream.close()
        try:
            self._stage.input.release_all()
        except Exception:
            log.warning("keys could not be released", exc_info=True)
        self._say(StreamEnded(stream.plan.stream_id, reason, detail))
        if stuck:
            self._say(Failed(reason=f"the {stuck} thread hangs"))
            self._running = False

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
            reason=error.reason,
            hint=error.hint,
            available=error.available,
        )
    if isinstance(error, PunktfunkError):
        return Failed(stream_id=stream_id, reason=str(error))
    log.error("a driver raised what it may not", exc_info=error)
    return Failed(stream_id=stream_id, reason=describe(error))


def _discard(source: object) -> None:
    assert isinstance(source, socket.socket)
    with contextlib.suppress(OSError):
        source.recvfrom(_MAX_DATAGRAM_BYTES)


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
