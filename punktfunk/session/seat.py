"""The private place a session runs in: own folder, own environment, own process tree."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from punktfunk.errors import DriverFailed
from punktfunk.journal import MARK, Journal, directory, make_directory, process_tree
from punktfunk.journal.effects import undo_core_effect
from punktfunk.model.plugins import Effect

_PASSED_ON = ("PATH", "LANG", "LANGUAGE", "TZ", "HOME", "USER", "LOGNAME", "SHELL", "TERM")
_PASSED_ON_PREFIXES = ("LC_", "XKB_", "MESA_", "LIBGL_", "VK_", "DRI_", "NUMBA_")
_LOG_TAIL_BYTES = 8_192


def allowed_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What of the host's environment a session's programs get. Never a token or a bus."""
    return {
        name: value
        for name, value in environment.items()
        if name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)
    }


class SeatProgram:
    """A program started on a seat, leader of its own process group."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes]) -> None:
        self.name = name
        self._popen = popen

    @property
    def pid(self) -> int:
        return self._popen.pid

    def exit_status(self) -> int | None:
        return self._popen.poll()

    def stop(self, timeout_s: float = 2.0) -> None:
        if self._popen.poll() is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._popen.wait(timeout_s)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, number)


class SessionSeat:
    """Implements `punktfunk.drivers.seat.Seat`. Leaving it takes everything away again."""

    def __init__(
        self,
        name: str,
        *,
        root: Path,
        journal: Journal,
        host_environment: Mapping[str, str],
    ) -> None:
        self._name = name
        self._journal = journal
        self._host_environment = dict(host_environment)
        self._runtime_dir = root / name
        self._programs: list[SeatProgram] = []
        self._effects = (directory(self._runtime_dir, name), process_tree(name))
        self._environment = {
            **allowed_environment(host_environment),
            "XDG_RUNTIME_DIR": str(self._runtime_dir),
            "XDG_SESSION_TYPE": "wayland",
            MARK: name,
        }

    @property
    def name(self) -> str:
        return self._name

    @property
    def runtime_dir(self) -> Path:
        return self._runtime_dir

    @property
    def environment(self) -> Mapping[str, str]:
        return self._environment

    @property
    def host_environment(self) -> Mapping[str, str]:
        return self._host_environment

    def enter(self) -> None:
        for effect in self._effects:
            self._journal.record(effect)
        make_directory(self._runtime_dir, self._name)
        self._log_dir.mkdir(mode=0o700)

    def leave(self) -> None:
        """End every process of the session and remove its folder. Safe to call twice."""
        for program in reversed(self._programs):
            program.stop()
        self._programs.clear()
        for effect in reversed(self._effects):
            if effect in self._journal.pending() and undo_core_effect(effect):
                self._journal.forget(effect)
        reap_orphans()

    def spawn(
        self,
        name: str,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        folder: str = "",
    ) -> SeatProgram:
        with (self._log_dir / f"{name}.log").open("ab") as output:
            try:
                popen = subprocess.Popen(
                    list(argv),
                    env={**self._environment, **(environment or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=folder or self._environment.get("HOME") or "/",
                    start_new_session=True,
                )
            except OSError as error:
                what = error.filename or argv[0]
                why = f"could not start {name}: {what}: {error.strerror}"
                raise DriverFailed(why) from error
        program = SeatProgram(name, popen)
        self._programs.append(program)
        return program

    def log_tail(self, name: str, lines: int = 5) -> str:
        try:
            data = (self._log_dir / f"{name}.log").read_bytes()[-_LOG_TAIL_BYTES:]
        except FileNotFoundError:
            return ""
        return "\n".join(data.decode(errors="replace").splitlines()[-lines:])

    def record(self, effect: Effect) -> None:
        self._journal.record(effect)

    def forget(self, effect: Effect) -> None:
        self._journal.forget(effect)

    @property
    def _log_dir(self) -> Path:
        return self._runtime_dir / "log"


def reap_orphans(timeout_s: float = 0.2) -> None:
    """Collect children that other programs left to us, so that no zombie stays."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            time.sleep(0.01)
