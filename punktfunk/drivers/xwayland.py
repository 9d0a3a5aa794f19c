"""Which X11 display a compositor opened. It tells its children only, so look at its sockets."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_X_SOCKET = re.compile(r"@?/tmp/\.X11-unix/X(\d+)")
_DESCRIPTOR = re.compile(r"socket:\[(\d+)\]")


def x11_display_of(pid: int) -> str | None:
    """Return such as `:0`, or None when the process listens on no X11 socket.

    Reads /proc only: connecting to the socket would start Xwayland.
    """
    try:
        inodes = set(_socket_inodes(pid))
        table = Path("/proc/net/unix").read_text()
    except OSError:
        return None
    for line in table.splitlines()[1:]:
        # Num RefCount Protocol Flags Type St Inode Path
        columns = line.split(maxsplit=7)
        if len(columns) == 8 and columns[6] in inodes:
            found = _X_SOCKET.fullmatch(columns[7])
            if found is not None:
                return f":{found[1]}"
    return None


def remove_x11_display(name: str, pid: int) -> None:
    """Remove lock and socket of a display whose compositor has ended without doing it.

    Args:
        name: Such as `:0`.
        pid: Of the compositor. A display that somebody else has by now is left alone.
    """
    number = name.removeprefix(":")
    lock = Path(f"/tmp/.X{number}-lock")  # noqa: S108 - where X servers say whose a number is
    try:
        holder = int(lock.read_text().strip("\0 \n"))  # some end with a zero byte
    except (OSError, ValueError):
        return
    if holder == pid and not Path(f"/proc/{pid}").exists():
        Path(f"/tmp/.X11-unix/X{number}").unlink(missing_ok=True)  # noqa: S108
        lock.unlink(missing_ok=True)


def _socket_inodes(pid: int) -> Iterator[str]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found = _DESCRIPTOR.fullmatch(os.readlink(descriptor))  # noqa: PTH115  no path
            if found is not None:
                yield found[1]
