"""A D-Bus of the session's own: programs that want one neither fail nor find the user's."""

import shutil
import time

from punktfunk.drivers.seat import Seat

_START_S = 2.0
_POLL_S = 0.005


class SessionBus:
    """Started early and waited for late, so that it costs a launch nothing."""

    def __init__(self, seat: Seat) -> None:
        self._socket = seat.runtime_dir / "bus"
        self._daemon = shutil.which("dbus-daemon", path=seat.environment.get("PATH"))
        if self._daemon is not None:
            argv = [self._daemon, "--session", "--nofork", "--nopidfile", "--nosyslog"]
            seat.spawn("bus", [*argv, f"--address=unix:path={self._socket}"])

    def environment(self) -> dict[str, str]:
        """For programs on the seat; empty on a machine without D-Bus."""
        if self._daemon is None:
            return {}
        deadline = time.monotonic() + _START_S
        while not self._socket.is_socket() and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        return {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={self._socket}"}
