"""What a worker prints: passed on to the log, and the last line kept for the epitaph."""

import asyncio
import contextlib
import logging
import os

log = logging.getLogger(__name__)

_READ_BYTES = 65_536
_MAX_LINE_BYTES = 2_048
_INFORMATION = "INFO "
"""How such a line of the worker's log begins."""


class Printed:
    """A pipe for a child's standard error. Never full: it is read as it comes.

    Runs on the event loop.

    Attributes:
        write_end: For the child; close ours with `close_write_end`.
        last_line: The last one that was not empty, and no mere information.
    """

    def __init__(self) -> None:
        self.last_line = ""
        self._read_end, self.write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(self.write_end, True)
        self._partial = b""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._read_end, self._read)

    def close_write_end(self) -> None:
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1

    def close(self) -> None:
        """Take what is there and stop reading. Closing twice is fine."""
        self.close_write_end()
        if self._read_end < 0:
            return
        self._read()
        self._take_line(self._partial)
        self._loop.remove_reader(self._read_end)
        os.close(self._read_end)
        self._read_end = -1

    def _read(self) -> None:
        data = b""
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._read_end, _READ_BYTES)
            if not data:
                self._loop.remove_reader(self._read_end)
        *lines, self._partial = (self._partial + data).split(b"\n")
        self._partial = self._partial[-_MAX_LINE_BYTES:]
        for line in lines:
            self._take_line(line)

    def _take_line(self, line: bytes) -> None:
        text = line[:_MAX_LINE_BYTES].decode(errors="replace").strip()
        if text.startswith(_INFORMATION):
            log.info("worker: %s", text.removeprefix(_INFORMATION))
        elif text:
            self.last_line = text
            log.debug("worker: %s", text)
