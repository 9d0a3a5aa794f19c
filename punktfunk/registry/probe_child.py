"""The probe child as the host holds it: started, listened to, and killed with its family."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress

from punktfunk.errors import PunktfunkError
from punktfunk.registry.report import (
    ProbeAnswer,
    ProbeBegins,
    ProbeRequest,
    from_line,
    to_line,
)

MAX_LINE_BYTES = 1 << 20
_EXIT_TIMEOUT_S = 1.0


class ChildEnded(PunktfunkError):
    """The child will say nothing more; the message says how it ended."""

    code = "probe_ended"


class ProbeChild:
    """One run of `punktfunk.registry.probe`, in a session and process group of its own.

    Use as `async with`: at the end everything in the group is killed and the child is reaped.
    """

    def __init__(self, request: ProbeRequest) -> None:
        self._request = request
        self._exited = asyncio.Event()
        self._last_lines: deque[str] = deque(maxlen=5)

    async def __aenter__(self) -> "ProbeChild":
        # A file in memory rather than a pipe: however long the request, nobody waits.
        stdin = os.memfd_create("probe request")
        try:
            os.write(stdin, to_line(self._request))
            os.lseek(stdin, 0, os.SEEK_SET)
            # -P: a file in the working directory must not pass for a module of ours.
            self._process = subprocess.Popen(  # noqa: ASYNC220 - asyncio reaps too soon
                [sys.executable, "-P", "-m", "punktfunk.registry.probe"],
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
        self._answers, self._answers_transport = await _read_pipe(self._process.stdout)
        errors, self._errors_transport = await _read_pipe(self._process.stderr)
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

    async def next_message(self, timeout_s: float) -> ProbeBegins | ProbeAnswer:
        """Wait for the child's next line.

        Raises:
            TimeoutError: it said nothing in time.
            ChildEnded: it is gone.
            ValueError: what it said makes no sense.
        """
        line = b""
        try:
            line = await asyncio.wait_for(self._answers.readline(), timeout_s)
        except TimeoutError:
            if not self._exited.is_set():
                raise
        if not line.endswith(b"\n"):
            raise await self._end()
        return from_line(line)

    @property
    def last_words(self) -> str:
        """The last line on its standard error."""
        return self._last_lines[-1] if self._last_lines else ""

    async def _end(self) -> ChildEnded:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._exited.wait(), _EXIT_TIMEOUT_S)
        if not self._exited.is_set():
            return ChildEnded("closed the probe's output")
        # Not reaped yet: as long as it is a zombie, its group's number is not given away.
        flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
        status = os.waitid(os.P_PID, self._process.pid, flags)  # noqa: ASYNC222 - WNOHANG
        assert status is not None, "the pidfd said that it has exited"
        if status.si_code == os.CLD_EXITED:
            return ChildEnded(f"ended the probe with exit status {status.si_status}")
        return ChildEnded(f"crashed with {signal.Signals(status.si_status).name} while probing")

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


async def _read_pipe(pipe: object) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    return reader, transport
