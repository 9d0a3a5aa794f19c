"""A stand-in for gamescope, and a server for emulated input, as programs of their own."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from desk import wait_until
from newer_libei import use_newer_libei
from punktfunk_capture_gamescope import eis
from punktfunk_capture_gamescope.eis import EisConnection

from punktfunk.testing import FakeSeat

HERE = Path(__file__).parent
NEEDED = ("pipewire", "wireplumber", "pw-dump", "gst-launch-1.0", "Xvfb", "Xwayland")


@attrs.define
class Events:
    """What a server for emulated input was told."""

    path: Path

    def all(self) -> list[dict[str, Any]]:
        lines = self.path.read_text().splitlines(keepends=True) if self.path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.all() if event["kind"] == kind]

    def wait_for(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        wait_until(lambda: len(self.of(kind)) >= count, lambda: f"{kind}; saw {self.all()}")
        return self.of(kind)


@attrs.define
class EisServer:
    socket: Path
    events: Events
    process: subprocess.Popen[str]

    def tell(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()


@pytest.fixture(scope="session", autouse=True)
def newer_libei(tmp_path_factory: pytest.TempPathFactory) -> None:
    use_newer_libei(tmp_path_factory.mktemp("libei"))


@pytest.fixture(scope="session")
def libei(newer_libei: None) -> None:
    """Skip without the libraries."""
    if not eis.is_installed():
        pytest.skip(f"{eis.LIBRARY} is not installed; Debian 13 and newer have it")
    from libei import eis as server

    if not server.is_available():
        pytest.skip("libeis.so.1 is not installed; Debian 13 and newer have it")


@pytest.fixture
def wait() -> Callable[..., None]:
    return wait_until


@pytest.fixture
def seat() -> Iterator[FakeSeat]:
    with FakeSeat() as seat:
        yield seat


@pytest.fixture
def gamescope(tmp_path: Path) -> Callable[..., dict[str, object]]:
    """Make settings that start the stand-in; arguments go to it."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")

    def settings(*arguments: str, **more: object) -> dict[str, object]:
        program = tmp_path / "gamescope"
        libraries = shlex.quote(os.environ.get("LD_LIBRARY_PATH", ""))
        command = shlex.join([sys.executable, str(HERE / "fake_gamescope.py")])
        program.write_text(f'#!/bin/sh\nexport LD_LIBRARY_PATH={libraries}\nexec {command} "$@"\n')
        program.chmod(0o755)
        return {"gamescope": str(program), "need_gpu": False, "arguments": arguments, **more}

    return settings


@pytest.fixture
def eis_server(libei: None, seat: FakeSeat) -> Iterator[Callable[..., EisServer]]:
    processes = []

    def start(kind: str = "one") -> EisServer:
        path = seat.runtime_dir / "gamescope-0-ei"
        events = Events(seat.runtime_dir / "events")
        argv = [sys.executable, str(HERE / "eis_server.py"), str(path), str(events.path), kind]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, text=True)
        processes.append(process)
        events.wait_for("listening")
        return EisServer(path, events, process)

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def connect(request: pytest.FixtureRequest) -> Callable[[EisServer], EisConnection]:
    def open_connection(server: EisServer) -> EisConnection:
        connection = EisConnection(server.socket, "test")
        request.addfinalizer(connection.close)
        return connection

    return open_connection
