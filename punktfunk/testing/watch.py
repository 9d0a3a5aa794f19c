"""Notices what a piece of code writes, starts, or asks of the network, in this process."""

import os
import sys
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_EVENTS = {
    "os.exec": "started a program",
    "os.fork": "started a process",
    "os.forkpty": "started a process",
    "os.link": "made a link",
    "os.mkdir": "made a folder",
    "os.posix_spawn": "started a program",
    "os.remove": "removed a file",
    "os.rename": "renamed a file",
    "os.rmdir": "removed a folder",
    "os.symlink": "made a link",
    "os.system": "started a program",
    "os.truncate": "cut a file",
    "os.utime": "changed a file's time",
    "socket.connect": "connected",
    "socket.getaddrinfo": "asked for an address",
    "socket.gethostbyname": "asked for an address",
    "socket.sendto": "sent a packet",
    "subprocess.Popen": "started a program",
}


class Watch:
    """Use as `with`. Python can add such a listener but not remove it: one serves all.

    Attributes:
        seen: What was done meanwhile, in words.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __enter__(self) -> "Watch":
        if not _installed:
            _installed.append(True)
            sys.addaudithook(_notice)
        _watching.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _watching.remove(self)


_installed: list[bool] = []
_watching: list[Watch] = []


def _notice(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    what = _EVENTS.get(event, "")
    if event == "open":
        path, _, flags = arguments
        if flags & _WRITING and path != os.devnull:
            what = "opened for writing"
    if what:
        for watch in _watching:
            watch.seen.append(f"{what}: {arguments[0]!r}")
