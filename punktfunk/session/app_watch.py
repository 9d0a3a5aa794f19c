"""Whether the app of a session still runs, whatever its launcher does."""

import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

from punktfunk.journal import marked_processes
from punktfunk.session.seat import SeatProgram

APP_MARK = "PUNKTFUNK_APP"
"""Environment variable that only the app and what it started carry."""

LOOK_EVERY_S = 1.0
PATIENCE_S = 600.0
"""How long a game may take to appear after its launcher has ended: some build shaders first."""
_LOOKS_WITHOUT = 3


class AppWatch:
    """Looks once a second, in a thread of its own: it reads much of /proc.

    A launcher that forks twice and exits is no trouble, because everything it started carries
    the mark or, where the app has a systemd scope, is in that. One that hands over to a program
    which runs already (Steam) is why there are signs, see `punktfunk.model.apps.LaunchSpec`.

    Args:
        mark: Value of `APP_MARK` in the app's environment.
        sign: `LaunchSpec.process_sign`.
        on_end: Called once, from the thread.

    Attributes:
        ended: The app came and went.
    """

    def __init__(
        self,
        program: SeatProgram,
        mark: str,
        sign: str,
        on_end: Callable[[], None],
        *,
        look_every_s: float = LOOK_EVERY_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.ended = False
        self._program = program
        self._mark = mark
        self._sign = _as_word(sign) if sign else None
        self._on_end = on_end
        self._look_every_s = look_every_s
        self._patience_s = patience_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="app watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        wait_for_end = self._wait_for_family if self._sign is None else self._wait_for_sign
        if wait_for_end():
            self.ended = True
            self._on_end()

    def _wait_for_family(self) -> bool:
        while not self._stop.wait(self._look_every_s):
            if has_ended(self._program, self._mark):
                return True
        return False

    def _wait_for_sign(self) -> bool:
        """The sign has to come first, and then to stay away for a few looks."""
        seen = False
        without = 0
        alone_since_s: float | None = None
        while not self._stop.wait(self._look_every_s):
            if self._has_sign():
                seen, without, alone_since_s = True, 0, None
                continue
            without += 1
            if seen and without >= _LOOKS_WITHOUT:
                return True
            if not seen and has_ended(self._program, self._mark):
                now_s = time.monotonic()
                alone_since_s = now_s if alone_since_s is None else alone_since_s
                if now_s - alone_since_s >= self._patience_s:
                    return True
        return False

    def _has_sign(self) -> bool:
        assert self._sign is not None
        return any(self._sign.search(line) for line in _command_lines())


def has_ended(program: SeatProgram, mark: str) -> bool:
    """Is the app gone, with all that it started?"""
    return (
        program.exit_status() is not None
        and not program.has_left_others()
        and not marked_processes(mark, APP_MARK)
    )


def _as_word(sign: str) -> re.Pattern[bytes]:
    return re.compile(rb"(?<![A-Za-z0-9])" + re.escape(sign.encode()) + rb"(?![A-Za-z0-9])")


def _command_lines() -> list[bytes]:
    """Of this user's processes."""
    lines = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if entry.stat().st_uid == os.getuid():
                lines.append((entry / "cmdline").read_bytes())
        except OSError:  # gone meanwhile
            continue
    return lines
