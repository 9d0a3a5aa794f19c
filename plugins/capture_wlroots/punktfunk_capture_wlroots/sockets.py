"""Who listens on a Unix socket."""

import socket
import struct
from pathlib import Path

import attrs

_CREDENTIALS = struct.Struct("=iII")  # pid, uid, gid


@attrs.frozen
class Listener:
    pid: int
    uid: int


def listener(path: Path, timeout_s: float = 1.0) -> Listener | None:
    """The process that listens on a socket; None when none does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(timeout_s)
        try:
            probe.connect(str(path))
            told = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        except OSError:
            return None
    pid, uid, _ = _CREDENTIALS.unpack(told)
    return Listener(pid, uid)
