"""A seat for tests: a real folder and real processes, without the session around it."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from punktfunk.errors import DriverFailed
from punktfunk.model.plugins import Effect
from punktfunk.registry.facts import session_environment

_PASSED_ON = ("LANG", "PATH")
_POLL_S = 0.01
_TAIL_BYTES = 8_192


class FakeSeat:
    """Implements `punktfunk.drivers.seat.Seat`. Use it in a `with` statement.

    Attributes:
        effects: What was recorded and not forgotten, oldest first.
        recorded: Everything that was ever recorded.
        memory: What drivers remember, by their names.
    """

    def __init__(self, name: str = "seat-test", client: str = "") -> None:
        self._name = name
        self._client = client
        # Not below pytest's folder: a socket's path may only have 107 bytes.
        self._root = Path(tempfile.mkdtemp(prefix="pf-"))
        self._runtime_dir = self._make_dir("run")
        self._logs = self._make_dir("log")
        self._home = self._make_dir("home")
        self._processes: list[FakeSeatProcess] = []
        self.effects: list[Effect] = []
        self.recorded: list[Effect] = []
        self.memory: dict[str, dict[str, str]] = {}

    def __enter__(self) -> "FakeSeat":
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

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
        kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return kept | {"HOME": str(self._home), "XDG_RUNTIME_DIR": str(self._runtime_dir)}

    @property
    def host_environment(self) -> Mapping[str, str]:
        return session_environment(os.environ)

    @property
    def processes(self) -> "list[FakeSeatProcess]":
        """Everything that was ever started here, oldest first."""
        return list(self._processes)

    @property
    def running(self) -> "list[FakeSeatProcess]":
        """What was started here and was not stopped."""
        return [process for process in self._processes if not process.stopped]

    def spawn(
        self,
        name: str,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
    ) -> "FakeSeatProcess":
        try:
            with (self._logs / f"{name}.log").open("ab") as log:
                popen = subprocess.Popen(
                    list(argv),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**self.environment, **(environment or {})},
                    cwd=self._home,
                    process_group=0,
                )
        except OSError as error:
            raise DriverFailed(f"{name} could not be started: {error}") from error
        process = FakeSeatProcess(name, popen)
        self._processes.append(process)
        return process

    def recall(self, name: str) -> Mapping[str, str]:
        return self.memory.get(name, {})

    def remember(self, name: str, values: Mapping[str, str]) -> None:
        self.memory[name] = dict(values)

    def log_tail(self, name: str, lines: int = 5) -> str:
        path = self._logs / f"{name}.log"
        if not path.exists():
            return ""
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def record(self, effect: Effect) -> None:
        self.effects.append(effect)
        self.recorded.append(effect)

    def forget(self, effect: Effect) -> None:
        self.effects.remove(effect)

    def close(self) -> None:
        """Stop what still runs and remove the folder. Safe to call twice."""
        for process in reversed(self._processes):
            process.stop()
        shutil.rmtree(self._root, ignore_errors=True)

    def _make_dir(self, name: str) -> Path:
        path = self._root / name
        path.mkdir(mode=0o700)
        return path


class FakeSeatProcess:
    """A real process, leader of its own group.

    It is reaped only by `stop`: until then its number, and its group's, stay its own.
    """

    def __init__(self, name: str, popen: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.stopped = False
        self._popen = popen
        self._status: int | None = None

    @property
    def pid(self) -> int:
        return self._popen.pid

    def exit_status(self) -> int | None:
        if not self.stopped and self._status is None:
            flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
            try:
                result = os.waitid(os.P_PID, self._popen.pid, flags)
            except ChildProcessError:  # another thread is just stopping it
                return self._status
            if result is not None:
                exited = result.si_code == os.CLD_EXITED
                self._status = result.si_status if exited else -result.si_status
        return self._status

    def stop(self, timeout_s: float = 2.0) -> None:
        if self.stopped:
            return
        self._signal_group(signal.SIGTERM)
        deadline = time.monotonic() + timeout_s
        while self.exit_status() is None and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        self._signal_group(signal.SIGKILL)
        self._status = self._popen.wait()
        self.stopped = True

    def _signal_group(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, number)
