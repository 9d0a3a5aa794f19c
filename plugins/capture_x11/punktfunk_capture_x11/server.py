"""An Xvfb on a seat: started on a free display number, and gone with lock and socket."""

import time
from pathlib import Path

import attrs

from punktfunk.plugin import DriverFailed, Effect, Seat, SeatProcess
from punktfunk_capture_x11.authority import write_authority
from punktfunk_capture_x11.connection import Connection
from punktfunk_capture_x11.displays import (
    display_effect,
    free_numbers,
    holder_of,
    remove_leftovers,
)

START_S = 10.0

_MAX_TRIES = 20
_POLL_S = 0.005


@attrs.define
class Server:
    """A running Xvfb.

    Attributes:
        environment: How programs reach it.
    """

    seat: Seat
    number: int
    authority: Path
    process: SeatProcess
    effect: Effect

    @property
    def environment(self) -> dict[str, str]:
        return {"DISPLAY": f":{self.number}", "XAUTHORITY": str(self.authority)}

    @classmethod
    def start(cls, seat: Seat, xvfb: str, width_px: int, height_px: int) -> "Server":
        """Start one whose screen can have at most this size. It may not be ready yet.

        Its lock file decides who gets a number. An X server that picks its own number makes
        none, and takes the socket of another away.

        Raises:
            DriverFailed: it ended.
        """
        for tried, number in enumerate(free_numbers()):
            server = cls._start_on(seat, number, xvfb, f"{width_px}x{height_px}x24")
            if server._is_ready():
                return server
            taken = holder_of(number) not in (None, server.process.pid)
            reason = "" if taken else server.why_ended()
            server.stop()
            if not taken or tried == _MAX_TRIES:
                raise DriverFailed(reason or "every display number is taken")
        raise DriverFailed("every display number is taken")

    @classmethod
    def _start_on(cls, seat: Seat, number: int, xvfb: str, screen: str) -> "Server":
        authority = seat.runtime_dir / f"x11-{number}.authority"
        authority.unlink(missing_ok=True)
        write_authority(authority, number)
        effect = display_effect(number, authority)
        seat.record(effect)
        argv = [xvfb, f":{number}", "-screen", "0", screen, "-auth", str(authority)]
        argv += ["-nolisten", "tcp", "-nolisten", "local"]  # "local": the abstract socket
        argv += ["-noreset", "-s", "0", "-dpi", "96"]
        try:
            process = seat.spawn("xvfb", argv)
        except BaseException:
            seat.forget(effect)
            authority.unlink()
            raise
        return cls(seat, number, authority, process, effect)

    def _is_ready(self) -> bool:
        """Wait until somebody with the cookie is let in; False when it ended instead."""
        deadline = time.monotonic() + START_S
        while self.process.exit_status() is None:
            try:
                Connection(self.environment).close()
            except DriverFailed:
                if time.monotonic() > deadline:
                    self.stop()
                    raise DriverFailed("Xvfb does not become ready") from None
                time.sleep(_POLL_S)
            else:
                return True
        return False

    def why_ended(self) -> str:
        """A sentence with its status and its last words; empty while it runs."""
        status = self.process.exit_status()
        if status is None:
            return ""
        return f"Xvfb ended with status {status}: {self.seat.log_tail('xvfb')}"

    def stop(self) -> None:
        """Take it down and remove every trace."""
        self.process.stop()
        remove_leftovers(self.number, self.process.pid)
        self.authority.unlink(missing_ok=True)
        self.seat.forget(self.effect)
