"""Starts the process of a worker, with a link to the host."""

import asyncio
import os
import socket
import sys

import attrs

from punktfunk.errors import DriverFailed
from punktfunk.session import messages
from punktfunk.session.printed import Printed


@attrs.frozen
class WorkerProcess:
    """Attributes:
    link: Our end, non-blocking.
    printed: What it writes on its standard error.
    """

    link: socket.socket
    printed: Printed
    process: asyncio.subprocess.Process


async def start_process() -> WorkerProcess:
    """Start one; it is not ready yet.

    Raises:
        DriverFailed: the system has no more processes.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * messages.MAX_MESSAGE_BYTES)
    ours.setblocking(False)
    printed = Printed()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "punktfunk.session.worker"),
            *(str(theirs.fileno()), str(os.getpid())),
            pass_fds=(theirs.fileno(),),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            # Not asyncio's pipe: whoever inherits that one could keep `wait` waiting.
            stderr=printed.write_end,
            # A Ctrl-C in the terminal is the host's to handle.
            start_new_session=True,
        )
    except BaseException as error:
        ours.close()
        printed.close()
        if isinstance(error, OSError):
            raise DriverFailed(f"no worker could be started: {error.strerror}") from error
        raise
    finally:
        theirs.close()
        printed.close_write_end()
    return WorkerProcess(ours, printed, process)
