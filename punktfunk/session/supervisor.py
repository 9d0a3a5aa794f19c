"""The host's grip on one worker process: start it, talk to it, outlive it."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Sequence

import attrs

from punktfunk.errors import DriverFailed, DriverUnavailable, ProtocolError
from punktfunk.model.session import SessionPlan, StreamEnd, StreamPlan
from punktfunk.session import messages
from punktfunk.session.messages import (
    AppEnded,
    Failed,
    Message,
    Prepare,
    Prepared,
    Quit,
    Ready,
    StartStream,
    StopStream,
    StreamStarted,
    ToHost,
    Warm,
)
from punktfunk.session.worker_process import WorkerProcess, start_process

log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class WorkerLimits:
    """How long a worker may take before it is killed.

    Attributes:
        silence_s: Between two signs of life, once its session is up.
    """

    ready_s: float = 20.0
    prepare_s: float = 30.0
    start_s: float = 10.0
    quit_s: float = 6.0
    silence_s: float = 8.0


class Worker:
    """One worker process. All methods run on the host's event loop.

    Attributes:
        on_message: Called with every message that answers no request of ours.
    """

    def __init__(self, started: WorkerProcess, limits: WorkerLimits) -> None:
        self.on_message: Callable[[ToHost], None] = lambda message: None
        self._link = started.link
        self._printed = started.printed
        self._process = started.process
        self._limits = limits
        # By what the answer will be: its name, or the number of the stream that shall start.
        self._requests: dict[str | int, asyncio.Future[Message]] = {}
        self._quitting = False
        self._reason = ""
        self._loop = asyncio.get_running_loop()
        self._silence: asyncio.TimerHandle | None = None
        self._loop.add_reader(self._link, self._readable)
        self._watch = asyncio.create_task(self._watch_process())

    @classmethod
    async def spawn(cls, warm: Sequence[str] = (), limits: WorkerLimits | None = None) -> "Worker":
        """Start a worker and let it load these drivers (`kind:name`).

        Raises:
            DriverFailed: it did not come up.
        """
        limits = limits or WorkerLimits()
        worker = cls(await start_process(), limits)
        try:
            await worker._ask("Ready", Warm(tuple(warm)), limits.ready_s, "start")
        except BaseException:
            worker.kill()
            await worker.wait()
            raise
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def prepare(self, plan: SessionPlan) -> Prepared:
        """Bring the session up.

        Raises:
            DriverUnavailable: something it needs cannot run here.
            DriverFailed: something started and failed, or took too long.
        """
        message = await self._ask(
            "Prepared", Prepare(plan), self._limits.prepare_s, "bring the session up"
        )
        assert isinstance(message, Prepared)
        self._rearm_silence()
        return message

    async def start_stream(
        self, stream: StreamPlan, sockets: Sequence[socket.socket]
    ) -> StreamStarted:
        """Start a stream of the prepared session; an earlier one of the same place ends.

        Args:
            sockets: Video, control, audio, bound. They stay the caller's.

        Raises:
            DriverUnavailable, DriverFailed: as for `prepare`. The session lives on.
        """
        message = await self._ask(
            stream.stream_id,
            StartStream(stream),
            self._limits.start_s,
            "start the stream",
            tuple(sock.fileno() for sock in sockets),
        )
        assert isinstance(message, StreamStarted)
        return message

    def stop_stream(self, stream_id: int, reason: StreamEnd) -> None:
        self._send(StopStream(stream_id, reason))

    def request_keyframe(self) -> None:
        self._send(messages.RequestKeyframe())

    async def quit(self, reason: StreamEnd) -> None:
        """Ask it to take everything down, wait, and kill it when it takes too long."""
        self._quitting = True
        self._send(Quit(reason))
        if self._requests:
            # It is busy with something that nobody wants any more, and would read this late.
            self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(self._limits.quit_s):
                await self.wait()
        except TimeoutError:
            log.warning("worker did not quit in time", extra={"worker_pid": self.pid})
            self.kill()
            await self.wait()

    async def wait(self) -> str:
        """Wait until the process is gone.

        Returns:
            A sentence that says how it ended; empty when it did what it was asked to.
        """
        return await asyncio.shield(self._watch)

    def kill(self) -> None:
        """End it at once; the journal has what it leaves behind."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _send(self, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        try:
            messages.send(self._link, message, descriptors)
        except OSError as error:
            # It is gone or stuck; the watch or the silence timer says so in a moment.
            log.debug("message to worker lost: %s", error, extra={"worker_pid": self.pid})

    async def _ask(
        self,
        answer: str | int,
        message: Message,
        timeout_s: float,
        doing: str,
        descriptors: tuple[int, ...] = (),
    ) -> Message:
        if self._watch.done():
            raise DriverFailed(self._watch.result() or "the session's worker is gone")
        # Stays until it is answered, even when the caller goes away: the worker is busy with it.
        future: asyncio.Future[Message] = self._loop.create_future()
        self._requests[answer] = future
        try:
            self._send(message, descriptors)
        except ProtocolError as error:
            del self._requests[answer]
            raise DriverFailed(f"the session's worker cannot {doing}: {error}") from error
        try:
            async with asyncio.timeout(timeout_s):
                reply = await future
        except TimeoutError:
            self._reason = f"the session's worker took too long to {doing}"
            self.kill()
            raise DriverFailed(self._reason) from None
        if isinstance(reply, Failed):
            if reply.driver:
                raise DriverUnavailable(reply.driver, reply.reason, reply.available, reply.hint)
            raise DriverFailed(reply.reason)
        return reply

    def _readable(self) -> None:
        while True:
            try:
                received = messages.receive(self._link)
            except BlockingIOError:
                return
            except OSError:
                received = None
            except ProtocolError:
                log.exception("worker talks nonsense", extra={"worker_pid": self.pid})
                self._reason = "the session's worker talked nonsense"
                self.kill()
                received = None
            if received is None:
                self._loop.remove_reader(self._link)
                return
            self._dispatch(received[0])

    def _dispatch(self, message: Message) -> None:
        if self._silence is not None:
            self._rearm_silence()
        match message:
            case Ready() | Prepared():
                self._answer(type(message).__name__, message)
            case StreamStarted(stream_id=stream_id):
                self._answer(stream_id, message)
            case Failed(stream_id=stream_id) if stream_id:
                self._answer(stream_id, message)
            case Failed(reason=reason):
                self._reason = self._reason or reason
                self._answer_all(message)
            case _ if isinstance(message, ToHost):
                self._quitting = self._quitting or isinstance(message, AppEnded)
                self.on_message(message)

    def _answer(self, request: str | int, message: Message) -> None:
        future = self._requests.pop(request, None)
        if future is not None and not future.done():
            future.set_result(message)

    def _answer_all(self, message: Message) -> None:
        for request in list(self._requests):
            self._answer(request, message)

    def _rearm_silence(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
        self._silence = self._loop.call_later(self._limits.silence_s, self._silent)

    def _silent(self) -> None:
        limit_s = self._limits.silence_s
        self._reason = f"the session's worker hung: no sign of life for {limit_s:g} s"
        self.kill()

    async def _watch_process(self) -> str:
        status = await self._process.wait()
        self._readable()  # its last words
        if self._silence is not None:
            self._silence.cancel()
        self._loop.remove_reader(self._link)
        self._link.close()
        self._printed.close()
        cause = self._cause(status)
        self._answer_all(Failed(reason=cause))
        return "" if self._quitting and status == 0 else cause

    def _cause(self, status: int) -> str:
        if self._reason:
            return self._reason
        how = f"ended with status {status}"
        if status < 0:
            with contextlib.suppress(ValueError):
                how = f"was ended by {signal.Signals(-status).name}"
        last = self._printed.last_line
        return f"the session's worker {how}" + (f": {last}" if last else "")
