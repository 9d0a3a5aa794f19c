"""Which X11 display a compositor opened. It tells its children only, so look at its sockets."""

import re
from pathlib import Path

_X_SOCKET = re.compile(r"@?/tmp/\.X11-unix/X(\d+)")


def display_of(pid: int) -> str | None:
    """Return such as `:0`, or None when the process listens on no X11 socket.

    Reads /proc only: connecting to the socket would start Xwayland.
    """
    try:
        inodes = {
            str(link.readlink()).removeprefix("socket:[").removesuffix("]")
            for link in Path(f"/proc/{pid}/fd").iterdir()
            if str(link.readlink()).startswith("socket:[")
        }
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
