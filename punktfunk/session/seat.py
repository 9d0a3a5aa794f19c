"""The private place a session runs in: own folder, own environment, own process tree."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from punktfunk.errors import DriverFailed, LeftAlone
from punktfunk.journal import MARK, Journal, directory, make_directory, process_tree
from punktfunk.journal.effects import undo_core_effect
from punktfunk.model.plugins import Effect
from punktfunk.session.memory import Memory
from punktfunk.session.scope import GATE, AppScope, manager_runs

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

    def __init__(
        self, name: str, popen: subprocess.Popen[bytes], scope: AppScope | None = None
    ) -> None:
        self.name = name
        self._popen = popen
        self._scope = scope

    @property
    def pid(self) -> int:
        return self._popen.pid

    def exit_status(self) -> int | None:
        return self._popen.poll()

    def has_left_others(self) -> bool:
        """Whether processes are known to be in its scope, also when it has ended itself."""
        return self._scope is not None and self._scope.is_populated()

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
        client: str = "",
        root: Path,
        journal: Journal,
        memory: Memory,
        host_environment: Mapping[str, str],
    ) -> None:
        self._name = name
        self._client = client
        self._journal = journal
        self._memory = memory
        self._host_environment = dict(host_environment)
        self._runtime_dir = root / name
        self._programs: list[SeatProgram] = []
        self._scopes: list[AppScope] = []
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
    def client(self) -> str:
        return self._client

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
        for scope in self._scopes:
            if scope.close():
                self._journal.forget(scope.effect)
        for effect in reversed(self._effects):
            with contextlib.suppress(LeftAlone):  # whoever reads the journal next tells why
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
        return self._start(name, argv, environment, folder, subprocess.DEVNULL)

    def start_app(
        self, argv: Sequence[str], *, environment: Mapping[str, str], folder: str = ""
    ) -> SeatProgram:
        """Start the app, in a systemd scope of its own where the user has a manager.

        Raises:
            DriverFailed: it could not be started.
        """
        if not manager_runs(self._host_environment):
            return self.spawn("app", argv, environment=environment, folder=folder)
        path = {**self._environment, **environment}.get("PATH")
        if shutil.which(argv[0], path=path) is None:
            raise DriverFailed(f"could not start app: {argv[0]}: no such program")
        scope = AppScope(f"{self._name}-{len(self._scopes)}", self._host_environment)
        self._journal.record(scope.effect)
        self._scopes.append(scope)
        reading, writing = os.pipe()
        try:
            program = self._start("app", [*GATE, *argv], environment, folder, reading, scope)
            scope.take(program.pid, writing)
        except Exception:
            os.close(writing)
            raise
        finally:
            os.close(reading)
        return program

    def _start(
        self,
        name: str,
        argv: Sequence[str],
        environment: Mapping[str, str] | None,
        folder: str,
        stdin: int,
        scope: AppScope | None = None,
    ) -> SeatProgram:
        with (self._log_dir / f"{name}.log").open("ab") as output:
            try:
                popen = subprocess.Popen(
                    list(argv),
                    env={**self._environment, **(environment or {})},
                    stdin=stdin,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=folder or self._environment.get("HOME") or "/",
                    start_new_session=True,
                )
            except OSError as error:
                what = error.filename or argv[0]
                why = f"could not start {name}: {what}: {error.strerror}"
                raise DriverFailed(why) from error
        program = SeatProgram(name, popen, scope)
        self._programs.append(program)
        return program

    def recall(self, name: str) -> Mapping[str, str]:
        return self._memory.recall(name)

    def remember(self, name: str, values: Mapping[str, str]) -> None:
        self._memory.remember(name, values)

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
