"""A child that asks plugins, as the host holds it: started, listened to, killed with its family."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import Generic, TypeVar

import attrs

from punktfunk.errors import PunktfunkError
from punktfunk.registry.report import ProbeBegins, ProbeRequest, from_line, to_line

_EXIT_TIMEOUT_S = 1.0
_LONG_LINE_BYTES = 65_536

A = TypeVar("A")


@attrs.frozen(kw_only=True)
class ChildKind(Generic[A]):
    """A program that asks plugins something.

    Attributes:
        module: What `python -m` runs; see `punktfunk.registry.child`.
        answer: What it answers for each plugin.
        noun, doing: How people call it: "probe", "probing".
        max_line_bytes: The longest answer that is read.
    """

    module: str
    answer: type[A]
    noun: str
    doing: str
    max_line_bytes: int = 1 << 20


class ChildEnded(PunktfunkError):
    """The child will say nothing more; the message says how it ended."""

    code = "probe_ended"


class ProbeChild(Generic[A]):
    """One run of such a program, in a session and process group of its own.

    Use as `async with`: at the end everything in the group is killed and the child is reaped.
    """

    def __init__(self, kind: ChildKind[A], request: ProbeRequest) -> None:
        self._kind = kind
        self._request = request
        self._exited = asyncio.Event()
        self._last_lines: deque[str] = deque(maxlen=5)

    async def __aenter__(self) -> "ProbeChild[A]":
        # A file in memory rather than a pipe: however long the request, nobody waits.
        stdin = os.memfd_create("request")
        try:
            os.write(stdin, to_line(self._request))
            os.lseek(stdin, 0, os.SEEK_SET)
            # -P: a file in the working directory must not pass for a module of ours.
            self._process = subprocess.Popen(  # noqa: ASYNC220 - asyncio reaps too soon
                [sys.executable, "-P", "-m", self._kind.module],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        finally:
            os.close(stdin)
        loop = asyncio.get_running_loop()
        self._pidfd = os.pidfd_open(self._process.pid)
        loop.add_reader(self._pidfd, self._on_exit)
        self._answers, self._answers_transport = await self._read_pipe(self._process.stdout)
        errors, self._errors_transport = await self._read_pipe(self._process.stderr)
        self._listener = asyncio.create_task(self._keep_last_lines(errors))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._kill_group()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._exited.wait(), _EXIT_TIMEOUT_S)
        self._listener.cancel()
        await asyncio.gather(self._listener, return_exceptions=True)
        self._answers_transport.close()
        self._errors_transport.close()
        if not self._exited.is_set():
            # Stuck inside the kernel. The kill is pending: let a thread wait for it.
            asyncio.get_running_loop().remove_reader(self._pidfd)
            threading.Thread(target=self._process.wait, daemon=True).start()
        else:
            self._process.wait()
        os.close(self._pidfd)

    async def next_message(self, timeout_s: float) -> ProbeBegins | A:
        """Wait for the child's next line.

        Raises:
            TimeoutError: it said nothing in time.
            ChildEnded: it is gone.
            ValueError: what it said makes no sense.
        """
        line = b""
        try:
            async with asyncio.timeout(timeout_s):
                line = await self._answers.readline()
        except TimeoutError:
            if not self._exited.is_set():
                raise
        if not line.endswith(b"\n"):
            raise await self._end()
        if len(line) < _LONG_LINE_BYTES:
            return from_line(line, self._kind.answer)
        return await asyncio.to_thread(from_line, line, self._kind.answer)

    @property
    def last_words(self) -> str:
        """The last line on its standard error."""
        return self._last_lines[-1] if self._last_lines else ""

    async def _end(self) -> ChildEnded:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._exited.wait(), _EXIT_TIMEOUT_S)
        if not self._exited.is_set():
            return ChildEnded(f"closed the {self._kind.noun}'s output")
        # Not reaped yet: as long as it is a zombie, its group's number is not given away.
        flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
        status = os.waitid(os.P_PID, self._process.pid, flags)  # noqa: ASYNC222 - WNOHANG
        assert status is not None, "the pidfd said that it has exited"
        if status.si_code == os.CLD_EXITED:
            return ChildEnded(f"ended the {self._kind.noun} with exit status {status.si_status}")
        name = signal.Signals(status.si_status).name
        return ChildEnded(f"crashed with {name} while {self._kind.doing}")

    def _on_exit(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        self._exited.set()
        # Whatever a plugin forked still holds our pipes open; without it, they end.
        self._kill_group()

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def _keep_last_lines(self, errors: asyncio.StreamReader) -> None:
        # Plugins print what they like, in lines of any length.
        while chunk := await errors.read(65_536):
            lines = chunk.decode(errors="replace").splitlines()
            self._last_lines.extend(line.strip()[:500] for line in lines[-5:] if line.strip())

    async def _read_pipe(self, pipe: object) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
        reader = asyncio.StreamReader(limit=self._kind.max_line_bytes)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        return reader, transport
