"""The Plasma session that runs here already, if one does."""

import socket
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

_NAMES = ("kwin_wayland", "kwin_wayland_wr")
"""As the kernel cuts them off: the wrapper holds the socket from Plasma 5.24 on."""


def running_session(environment: Mapping[str, str]) -> dict[str, str] | None:
    """How to reach the KWin of whoever `environment` belongs to; None when none runs.

    A host that is a service has no `WAYLAND_DISPLAY`, so sockets are asked who listens.
    """
    folder = environment.get("XDG_RUNTIME_DIR", "")
    if not folder:
        return None
    wanted = environment.get("WAYLAND_DISPLAY", "")
    for path in _sockets(Path(folder), wanted):
        pid = _listener(path)
        if pid and _name_of(pid) in _NAMES:
            return {"XDG_RUNTIME_DIR": folder, "WAYLAND_DISPLAY": path.name}
    return None


def _sockets(folder: Path, wanted: str) -> Iterator[Path]:
    if wanted:
        yield folder / wanted
    yield from sorted(path for path in folder.glob("wayland-*") if path.is_socket())


def _listener(path: Path) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return 0
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int(struct.unpack("=iII", credentials)[0])


def _name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:  # it ended while we looked
        return ""
