"""Runs a program for a limited time, in a process group of its own."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

import attrs

_TAIL_BYTES = 4_096
_KILLED_LIMIT_S = 1.0


@attrs.frozen
class Outcome:
    """Attributes:
    status: Of its exit, negative for a signal; None when its time was over.
    last_line: Of what it printed, standard error included.
    """

    status: int | None
    last_line: str


async def run_program(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    standard_input: bytes,
    timeout_s: float,
) -> Outcome:
    """Run it, then end whatever is left of its process group, also when cancelled.

    Raises:
        OSError: it cannot be started.
    """
    process = _start(command, environment, standard_input)
    assert process.stdout is not None
    exited = _Ready(os.pidfd_open(process.pid))
    tail = _Tail(process.stdout.fileno())
    in_time = False
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await exited.wait()
                in_time = True
    finally:
        # It was not waited for yet, so its number cannot be another group's by now.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_KILLED_LIMIT_S):
                await exited.wait()
        status = process.poll()
        tail.close()
        exited.close()
        process.stdout.close()
    return Outcome(status if in_time else None, tail.last_line)


def _start(
    command: Sequence[str], environment: Mapping[str, str], standard_input: bytes
) -> "subprocess.Popen[bytes]":
    """The input is a file: a program that does not read it blocks nobody."""
    descriptor = os.memfd_create("event", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, standard_input)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return subprocess.Popen(
            list(command),
            stdin=descriptor,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


class _Ready:
    """A descriptor, and the wait until it can be read; closes it in the end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._event = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, self._event.set)

    async def wait(self) -> None:
        await self._event.wait()

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)


class _Tail:
    """Keeps the end of what comes through a pipe, however much that is."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._end = b""
        os.set_blocking(descriptor, False)
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    @property
    def last_line(self) -> str:
        lines = self._end.decode("utf-8", "replace").split("\n")
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")

    def close(self) -> None:
        """Take what is in the pipe by now; what escaped the group may hold its other end."""
        self._read()
        asyncio.get_running_loop().remove_reader(self._descriptor)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            asyncio.get_running_loop().remove_reader(self._descriptor)
        self._end = (self._end + data)[-_TAIL_BYTES:]
