"""A stream of pictures that KWin makes for us, as its side of it."""

import time
from typing import Any

from punktfunk.plugin import DriverFailed, DriverUnavailable
from punktfunk_capture_kwin.settings import DRIVER
from punktfunk_capture_kwin.wayland import Connection

ANSWER_S = 5.0


class Cast:
    """KWin streams as long as this lives.

    Attributes:
        node: PipeWire's number of it.

    Args:
        connection: Where `stream` was asked for.
        stream: What `stream_output` and its like returned.

    Raises:
        DriverUnavailable: KWin says no; its own words are the reason.
    """

    def __init__(self, connection: Connection, stream: Any) -> None:
        self._stream = stream
        self.node = 0
        self._refused = ""
        self._closed = False
        stream.dispatcher["created"] = self._on_created
        stream.dispatcher["failed"] = self._on_failed
        stream.dispatcher["closed"] = self._on_closed
        deadline = time.monotonic() + ANSWER_S
        try:
            while not self.node:
                left_s = deadline - time.monotonic()
                if self._refused or self._closed or left_s <= 0:
                    why = self._refused or ("it closed the stream" if self._closed else "no answer")
                    raise DriverUnavailable(DRIVER, f"KWin refuses to stream: {why}")
                connection.wait(left_s)
        except BaseException:
            self.close()
            raise

    def check(self) -> None:
        """Raise `DriverFailed` when KWin has ended the stream."""
        if self._closed:
            raise DriverFailed("KWin closed the stream of pictures")

    def close(self) -> None:
        if not self._stream.destroyed:
            self._stream.close()

    def _on_created(self, _: Any, node: int) -> None:
        self.node = node

    def _on_failed(self, _: Any, words: str) -> None:
        self._refused = words or "it gives no reason"

    def _on_closed(self, _: Any) -> None:
        self._closed = True
