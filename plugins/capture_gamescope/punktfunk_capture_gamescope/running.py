"""The gamescope that runs here already, such as a Steam Deck's own."""

import re
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

import attrs

from punktfunk.plugin import DriverUnavailable, x11_display_of
from punktfunk_capture_gamescope.nodes import Node, gamescope_nodes
from punktfunk_capture_gamescope.program import POINTER_FLAG
from punktfunk_capture_gamescope.settings import DRIVER

HINT = "start gamescope, or Steam's game mode, as the user who runs the host"
_SOCKET = re.compile(r"gamescope-\d+")


@attrs.frozen
class RunningGamescope:
    """A gamescope of the user's.

    Attributes:
        name: Of its Wayland socket, such as `gamescope-0`.
        x_display: Such as `:1`; None where it has none.
        draws_pointer: Its pictures have the pointer on them.
    """

    runtime: Path
    name: str
    pid: int
    node: Node
    x_display: str | None
    draws_pointer: bool

    def is_alive(self) -> bool:
        """True while the same process listens on its socket."""
        return _listener(self.runtime / self.name) == self.pid


def running_gamescope(environment: Mapping[str, str], wanted: str) -> RunningGamescope:
    """Find the one that someone wants, else the first.

    Args:
        environment: Session variables of whose gamescope it is.
        wanted: Name of its Wayland socket; empty for any.

    Raises:
        DriverUnavailable: none runs, or it gives out no picture.
        DriverFailed: PipeWire does not answer.
    """
    folder = environment.get("XDG_RUNTIME_DIR", "")
    pids = _listening(Path(folder)) if folder else {}
    if wanted:
        pids = {name: pid for name, pid in pids.items() if name == wanted}
    if not pids:
        what = f"no gamescope called {wanted}" if wanted else "no gamescope"
        raise DriverUnavailable(DRIVER, f"{what} runs for this user", hint=HINT)
    nodes = gamescope_nodes(Path(folder), environment.get("PATH"))
    alone = len(pids) == len(nodes) == 1  # then it need not match, as across containers
    for name, pid in sorted(pids.items()):
        for node in nodes:
            if alone or node.pid == pid:
                x_display, draws = x11_display_of(pid), _has_flag(pid, POINTER_FLAG)
                return RunningGamescope(Path(folder), name, pid, node, x_display, draws)
    raise DriverUnavailable(
        DRIVER,
        "gamescope runs, but its picture is not on this user's PipeWire",
        hint="restart gamescope after PipeWire, and use one that is built with PipeWire",
    )


def _listening(folder: Path) -> dict[str, int]:
    """Name and process of each gamescope that answers; sockets outlive those that crash."""
    found = {}
    for path in folder.glob("gamescope-*"):
        if _SOCKET.fullmatch(path.name) and path.is_socket():
            pid = _listener(path)
            if pid:
                found[path.name] = pid
    return found


def _listener(path: Path) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return 0
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int(struct.unpack("=iII", credentials)[0])


def _has_flag(pid: int, flag: str) -> bool:
    try:
        return f"--{flag}".encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:  # it ended while we looked
        return False
