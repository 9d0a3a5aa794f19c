"""The host as its user starts it: a process on free ports, with folders of its own."""

import fcntl
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TextIO

import machine
from harness import MoonlightClient

START_LIMIT_S = 40.0
STOP_LIMIT_S = 20.0
PIN = "4821"
LOG_TAIL_LINES = 60
PROGRAM = Path(sys.executable).with_name("punktfunk")

_FIRST_PORT, _LAST_PORT, _PORT_STEP = 20_005, 29_000, 200
_TCP_OFFSETS = (-5, 0, 1, 21)  # the management API is put beside the plain HTTP port
_UDP_OFFSETS = (9, 10, 11, 104, 105, 106)
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "NUMBA_CACHE_DIR")


class HostProcess:
    """One `punktfunk serve`. Use it in a `with` block; it is gone afterwards.

    Attributes:
        folder: Short, as paths of sockets must be; holds everything the host writes.
        base_port: Plain HTTP; a free range begins there.
        paired: Identity folders of the clients that were paired with it.
    """

    def __init__(
        self,
        settings: str = "",
        *,
        command: Sequence[str] = (str(PROGRAM),),
        uid: int | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pf-"))
        self.config = self.folder / "config"
        self.runtime = self.folder / "run"
        self.log_path = self.folder / "host.log"
        for made in (self.config, self.runtime, self.folder / "home"):
            made.mkdir(mode=0o700)
            if uid is not None:
                os.chown(made, uid, uid)
        if uid is not None:
            self.folder.chmod(0o755)
        if settings:
            (self.config / "config.toml").write_text(settings)
        self.base_port, self._claim = _claim_ports()
        self.mgmt_port = self.base_port + 1
        self.paired: set[Path] = set()
        self._command = tuple(command)
        self._environment = {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            "HOME": str(self.folder / "home"),
            "SHELL": "/bin/sh",
            "XDG_RUNTIME_DIR": str(self.runtime),
            **(environment or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> float:
        """Start it, also again after it ended; returns the seconds until it answered."""
        began = time.monotonic()
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *self._command,
                    *("serve", "--config-dir", str(self.config), "--bind", "127.0.0.1"),
                    *("--base-port", str(self.base_port)),
                    *("--mgmt-bind", f"127.0.0.1:{self.mgmt_port}", "--log-level", "debug"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd=self.folder,
                start_new_session=True,
            )
        eventually(self._answers, START_LIMIT_S, lambda: f"the host answers\n{self.log_tail()}")
        return time.monotonic() - began

    def interrupt(self) -> float:
        """Ctrl-C; returns the seconds it took to end. Raises when it ended with an error."""
        assert self._process is not None
        began = time.monotonic()
        self._process.send_signal(signal.SIGINT)
        status = self._process.wait(STOP_LIMIT_S)
        assert status == 0, f"the host ended with {status}\n{self.log_tail()}"
        return time.monotonic() - began

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it somehow and remove its folder."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.kill()
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._claim.close()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    # --- management API -----------------------------------------------------------------------

    def api(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request to the management API with the owner's token; status and JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.mgmt_port, timeout=8)
        try:
            connection.request(
                method,
                f"/api/v1{path}",
                None if body is None else json.dumps(body),
                {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"},
            )
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(data) if data else None

    def token(self) -> str:
        line = (self.config / "mgmt-token").read_text().strip()
        name, _, token = line.partition("=")
        assert name == "PUNKTFUNK_MGMT_TOKEN"
        return token

    def status(self) -> dict[str, Any]:
        status, body = self.api("GET", "/status")
        assert status == 200
        return body

    def enter_pin(self, pin: str) -> None:
        """What a person does: wait until a device asks, then type its PIN."""
        eventually(
            lambda: self.api("GET", "/pair")[1]["pin_pending"], 60, lambda: "a device asks to pair"
        )
        status, body = self.api("POST", "/pair/pin", {"pin": pin})
        assert status == 204, body

    def pair(self, client: MoonlightClient, identity: Path) -> None:
        waiting = client.begin_pair(PIN)
        self.enter_pin(PIN)
        waiting.result(30)
        self.paired.add(identity)

    def end_sessions(self) -> None:
        status, body = self.api("DELETE", "/session")
        assert status == 204, body

    # --- what can be seen from outside --------------------------------------------------------

    def log_text(self) -> str:
        return self.log_path.read_text("utf-8", "replace") if self.log_path.exists() else ""

    def log_tail(self) -> str:
        return "\n".join(self.log_text().splitlines()[-LOG_TAIL_LINES:])

    def seats(self) -> list[Path]:
        """Runtime folders of the sessions that run."""
        return sorted((self.runtime / "punktfunk").glob("pf-*"))

    def worker_of_port(self, port: int) -> int:
        """The process of the session that has this UDP port for its picture, by the log.

        The kernel shows a worker's open files to root only.
        """
        found = re.findall(rf"worker_pid=(\d+) video_port={port}\b", self.log_text())
        assert found, f"no session has had port {port}\n{self.log_tail()}"
        return int(found[-1])

    def processes(self) -> list[int]:
        """Everything that was started by it or on one of its seats, without itself."""
        found = set(machine.processes_with_environment(str(self.runtime)))
        if self._process is not None:
            # Their environment is shown to root only.
            found |= set(machine.workers_of(self._process.pid))
            found.discard(self._process.pid)
        return sorted(found)

    def leftovers(self) -> list[str]:
        """What a host that ended should have taken away; empty when all is well."""
        left = [f"process {machine.describe(pid)}" for pid in self.processes()]
        left += [f"port {port} is taken" for port in _taken(self.base_port)]
        left += [f"folder {path.name}" for path in self.seats()]
        left += [f"journal {path.name}" for path in (self.config / "journal").glob("*.jsonl")]
        return left

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"the host ended at once\n{self.log_tail()}")
        try:
            told = json.loads((self.config / "runtime.json").read_text())
        except FileNotFoundError:
            return False
        return told["pid"] == self.pid and self.api("GET", "/health")[0] == 200


def eventually(
    happened: Callable[[], object], limit_s: float, what: Callable[[], str] | str
) -> float:
    """Look until it is true; returns the seconds it took, fails naming what did not happen."""
    began = time.monotonic()
    while not happened():
        if time.monotonic() - began > limit_s:
            told = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {limit_s} s: {told}")
        time.sleep(0.01)
    return time.monotonic() - began


def _claim_ports() -> tuple[int, TextIO]:
    """A free range of ports, and the lock that keeps it from test runs beside this one."""
    for base in range(_FIRST_PORT, _LAST_PORT, _PORT_STEP):
        claim = (Path(tempfile.gettempdir()) / f"punktfunk-e2e-{os.getuid()}-{base}.lock").open("w")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            claim.close()
            continue
        if not _taken(base):
            return base, claim
        claim.close()
    raise AssertionError("no free range of ports")


def _taken(base: int) -> list[int]:
    wanted = [(socket.SOCK_STREAM, base + offset) for offset in _TCP_OFFSETS]
    wanted += [(socket.SOCK_DGRAM, base + offset) for offset in _UDP_OFFSETS]
    taken = []
    for kind, port in wanted:
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                taken.append(port)
    return taken
