"""A PipeWire of the test's own, and a program that makes pictures on it."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from punktfunk.pipewire import PipeWireServer
from punktfunk.testing import FakeSeat
from punktfunk.testing.seat import FakeSeatProcess

NEEDED = ("pipewire", "wireplumber", "pw-cli", "gst-launch-1.0")
WAIT_S = 20.0


@pytest.fixture
def seat() -> Iterator[FakeSeat]:
    with FakeSeat() as seat:
        yield seat


@pytest.fixture
def server(seat: FakeSeat) -> Iterator[PipeWireServer]:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    server = PipeWireServer(seat)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def start_source(seat: FakeSeat, server: PipeWireServer) -> Callable[..., FakeSeatProcess]:
    """Start a program whose node is called `source` and shows a moving ball."""

    def start(caps: str = "format=BGRx,width=640,height=360,framerate=60/1") -> FakeSeatProcess:
        argv = ["gst-launch-1.0", "-q", "videotestsrc", "is-live=true", "pattern=ball", "!"]
        argv += [f"video/x-raw,{caps}", "!", "pipewiresink", "mode=provide"]
        argv.append("stream-properties=p,media.class=Video/Source,node.name=source")
        process = seat.spawn("source", argv, environment=server.environment)
        ask = ["pw-cli", "ls", "Node"]
        environment = {**os.environ, **server.environment}
        deadline = time.monotonic() + WAIT_S
        while True:
            listed = subprocess.run(ask, env=environment, capture_output=True, text=True)
            if '"source"' in listed.stdout:
                return process
            assert time.monotonic() < deadline, seat.log_tail("source")
            time.sleep(0.05)

    return start
