"""The host's grip on one worker process: start it, talk to it, outlive it."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum

from punktfunk.errors import DriverFailed, DriverUnavailable, ProtocolError
from punktfunk.model.session import SessionPlan, StreamEnd, StreamPlan
from punktfunk.session import messages
from punktfunk.session.messages import (
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

log = logging.getLogger(__name__)

READY_TIMEOUT_S = 20.0
PREPARE_TIMEOUT_S = 30.0
START_TIMEOUT_S = 10.0
QUIT_TIMEOUT_S = 6.0
SILENCE_LIMIT_S = 8.0

_LAST_LINES = 12


class _Waiting(Enum):
    READY = Ready
    PREPARED = Prepared
    STARTED = StreamStarted


class Worker:
    """One worker process. All methods run on the host's event loop.

    Attributes:
        on_message: Called with every message that answers no request of ours.
        on_exit: Called once when the process is gone, with a sentence that says how.
    """

    def __init__(self, link: socket.socket, process: asyncio.subprocess.Process) -> None:
        self.on_message: Callable[[ToHost], None] = lambda message: None
        self.on_exit: Callable[[str], None] = lambda cause: None
        self._link = link
        self._process = process
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._answers: dict[_Waiting, asyncio.Future[Message]] = {}
        self._quitting = False
        self._loop = asyncio.get_running_loop()
        self._silence: asyncio.TimerHandle | None = None
        self._loop.add_reader(link, self._readable)
        self._watch = asyncio.create_task(self._watch_process())

    @classmethod
    async def spawn(cls, warm: Sequence[str] = ()) -> "Worker":
        """Start a worker and let it load these drivers (`kind:name`).

        Raises:
            DriverFailed: it did not come up.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * messages.MAX_MESSAGE_BYTES)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "punktfunk.session.worker", str(theirs.fileno()), str(os.getpid())),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                # A Ctrl-C in the terminal is the host's to handle.
                start_new_session=True,
            )
        ours.setblocking(False)
        worker = cls(ours, process)
        ready = worker._expect(_Waiting.READY)
        worker._send(Warm(tuple(warm)))
        try:
            await worker._answer(ready, READY_TIMEOUT_S, "start")
        except (DriverFailed, asyncio.CancelledError):
            worker.kill()
            raise
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def prepare(self, plan: SessionPlan, sockets: Sequence[socket.socket]) -> Prepared:
        """Bring the session up.

        Args:
            sockets: Video, control, audio, bound. The caller closes its copies.

        Raises:
            DriverUnavailable: something it needs cannot run here.
            DriverFailed: something started and failed, or took too long.
        """
        answer = self._expect(_Waiting.PREPARED)
        self._send(Prepare(plan), tuple(sock.fileno() for sock in sockets))
        message = await self._answer(answer, PREPARE_TIMEOUT_S, "bring the session up")
        assert isinstance(message, Prepared)
        self._rearm_silence()
        return message

    async def start_stream(self, stream: StreamPlan) -> StreamStarted:
        """Start a stream of the prepared session; one at a time.

        Raises:
            DriverUnavailable, DriverFailed: as for `prepare`. The session lives on.
        """
        answer = self._expect(_Waiting.STARTED)
        self._send(StartStream(stream))
        message = await self._answer(answer, START_TIMEOUT_S, "start the stream")
        assert isinstance(message, StreamStarted)
        return message

    def stop_stream(self, reason: StreamEnd) -> None:
        self._send(StopStream(reason))

    def request_keyframe(self) -> None:
        self._send(messages.RequestKeyframe())

    async def quit(self, reason: StreamEnd) -> None:
        """Ask it to take everything down, wait, and kill it when it takes too long."""
        self._quitting = True
        self._send(Quit(reason))
        try:
            async with asyncio.timeout(QUIT_TIMEOUT_S):
                await asyncio.shield(self._watch)
        except TimeoutError:
            log.warning("worker did not quit in time", extra={"worker_pid": self.pid})
            self.kill()
            await self._watch

    def kill(self) -> None:
        """End it at once; `on_exit` follows, and the journal has what it left behind."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)

    def _send(self, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        try:
            messages.send(self._link, message, descriptors)
        except OSError as error:
            # It is gone or stuck; the watch or the silence timer says so in a moment.
            log.debug("message to worker lost: %s", error, extra={"worker_pid": self.pid})

    def _expect(self, what: _Waiting) -> "asyncio.Future[Message]":
        future: asyncio.Future[Message] = self._loop.create_future()
        self._answers[what] = future
        return future

    async def _answer(
        self, answer: "asyncio.Future[Message]", timeout_s: float, doing: str
    ) -> Message:
        try:
            async with asyncio.timeout(timeout_s):
                message = await answer
        except TimeoutError:
            self.kill()
            raise DriverFailed(f"the session's worker took too long to {doing}") from None
        if isinstance(message, Failed):
            if message.what == "unavailable":
                raise DriverUnavailable(message.driver, message.reason, hint=message.hint)
            raise DriverFailed(message.reason, driver=message.driver)
        return message

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
                self.kill()
                received = None
            if received is None:
                self._loop.remove_reader(self._link)
                return
            self._dispatch(received[0])

    def _dispatch(self, message: Message) -> None:
        if self._silence is not None:
            self._rearm_silence()
        for waiting, future in list(self._answers.items()):
            if isinstance(message, (waiting.value, Failed)):
                del self._answers[waiting]
                if not future.done():
                    future.set_result(message)
                return
        if isinstance(message, ToHost):
            self.on_message(message)

    def _rearm_silence(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
        self._silence = self._loop.call_later(SILENCE_LIMIT_S, self._silent)

    def _silent(self) -> None:
        self._last_lines.append(f"it was silent for {SILENCE_LIMIT_S:g} s")
        self.kill()

    async def _watch_process(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(ValueError):  # a line longer than the reader's limit
            async for line in self._process.stderr:
                text = line.decode(errors="replace").rstrip()
                self._last_lines.append(text)
                log.debug("worker: %s", text, extra={"worker_pid": self.pid})
        status = await self._process.wait()
        self._close()
        cause = self._cause(status)
        for future in self._answers.values():
            if not future.done():
                future.set_result(Failed(what="failed", reason=cause))
        self._answers.clear()
        self.on_exit("" if self._quitting and status == 0 else cause)

    def _close(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
        self._loop.remove_reader(self._link)
        self._link.close()

    def _cause(self, status: int) -> str:
        how = f"ended with status {status}"
        if status < 0:
            with contextlib.suppress(ValueError):
                how = f"was ended by {signal.Signals(-status).name}"
        last = self._last_lines[-1] if self._last_lines else ""
        return f"the session's worker {how}" + (f": {last}" if last else "")


class WorkerPool:
    """Keeps one worker warm, so that a launch need not wait for imports."""

    def __init__(self, drivers_to_warm: Callable[[], Sequence[str]]) -> None:
        self._drivers_to_warm = drivers_to_warm
        self._spare: asyncio.Task[Worker] | None = None
        self._closed = False

    def refill(self) -> None:
        """Begin to warm a spare if there is none."""
        if self._spare is None and not self._closed:
            self._spare = asyncio.create_task(Worker.spawn(self._drivers_to_warm()))

    async def take(self) -> Worker:
        """The spare, or a fresh one. Call `refill` when the machine has a moment.

        Raises:
            DriverFailed: no worker could be started.
        """
        spare, self._spare = self._spare, None
        if spare is not None:
            try:
                worker = await spare
            except DriverFailed:
                log.warning("the warm worker did not come up; starting another", exc_info=True)
            else:
                if worker.alive:
                    return worker
        return await Worker.spawn(self._drivers_to_warm())

    async def close(self) -> None:
        self._closed = True
        spare, self._spare = self._spare, None
        if spare is None:
            return
        if not spare.done():
            spare.cancel()
        with contextlib.suppress(DriverFailed, asyncio.CancelledError):
            worker = await spare
            await worker.quit(StreamEnd.STOPPED)

    @property
    def spare_pid(self) -> int | None:
        """Of the warm worker, when it is up."""
        spare = self._spare
        if spare is None or not spare.done() or spare.cancelled() or spare.exception():
            return None
        return spare.result().pid
