"""Display numbers: which are free, whose they are, and giving one back."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from punktfunk.plugin import Effect

EFFECT = "x11.display"

FIRST_NUMBER, LAST_NUMBER = 100, 599
"""Above those that login screens and ssh take."""

_STOP_S = 2.0
_POLL_S = 0.01


def socket_path(number: int) -> Path:
    return Path(f"/tmp/.X11-unix/X{number}")  # noqa: S108 - where X servers listen


def lock_path(number: int) -> Path:
    return Path(f"/tmp/.X{number}-lock")  # noqa: S108 - where X servers say whose a number is


def free_numbers() -> Iterator[int]:
    """Numbers that nobody has; somebody may take one before you do."""
    for number in range(FIRST_NUMBER, LAST_NUMBER + 1):
        if not lock_path(number).exists() and not socket_path(number).exists():
            yield number


def holder_of(number: int) -> int | None:
    """The process that has locked a number, also when it has ended; None when none has."""
    try:
        return int(lock_path(number).read_text())
    except (OSError, ValueError):
        return None


def display_effect(number: int, authority: Path) -> Effect:
    """What to write down before a server is started. The authority's path tells it is ours."""
    return Effect(kind=EFFECT, data={"number": number, "authority": str(authority)})


def undo_display(effect: Effect) -> bool:
    """Stop the server of an effect, if it still runs, and remove its lock and socket.

    A number that somebody else has by now is left alone.
    """
    number, authority = effect.data.get("number"), effect.data.get("authority")
    if not isinstance(number, int) or not isinstance(authority, str):
        return True  # damaged beyond use; asking again would not help
    holder = holder_of(number)
    if holder is None:
        return True
    if _is_alive(holder):
        if authority.encode() not in _arguments(holder):
            return True
        if not _stop(holder):
            return False
    remove_leftovers(number, holder)
    return True


def remove_leftovers(number: int, server: int) -> None:
    """Remove lock and socket of a server that has ended without doing it itself."""
    if holder_of(number) == server and not _is_alive(server):
        socket_path(number).unlink(missing_ok=True)
        lock_path(number).unlink(missing_ok=True)


def _stop(pid: int) -> bool:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + _STOP_S
        while _is_alive(pid) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
    return not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def _arguments(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []
