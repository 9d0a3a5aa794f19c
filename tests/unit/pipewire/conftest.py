"""A PipeWire of the test's own, and a program that makes pictures on it."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from punktfunk.pipewire import PipeWireServer
from punktfunk.testing import FakeSeat
from punktfunk.testing.seat import FakeSeatProcess

NEEDED = ("pipewire", "wireplumber", "pw-cli", "gst-launch-1.0")
PRODUCER = Path(__file__).with_name("gpu_producer.py")
WAIT_S = 120.0


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
def start_node(seat: FakeSeat, server: PipeWireServer) -> Callable[..., FakeSeatProcess]:
    """Start a program whose node is called `source`."""

    def start(argv: list[str], **environment: str) -> FakeSeatProcess:
        process = seat.spawn("source", argv, environment={**server.environment, **environment})
        ask = ["pw-cli", "ls", "Node"]
        surroundings = {**os.environ, **server.environment}
        deadline = time.monotonic() + WAIT_S
        while True:
            listed = subprocess.run(ask, env=surroundings, capture_output=True, text=True)
            if '"source"' in listed.stdout:
                return process
            assert time.monotonic() < deadline, seat.log_tail("source")
            time.sleep(0.05)

    return start


@pytest.fixture
def start_source(start_node: Callable[..., FakeSeatProcess]) -> Callable[..., FakeSeatProcess]:
    """Start a program that shows a moving ball."""

    def start(caps: str = "format=BGRx,width=640,height=360,framerate=60/1") -> FakeSeatProcess:
        argv = ["gst-launch-1.0", "-q", "videotestsrc", "is-live=true", "pattern=ball", "!"]
        argv += [f"video/x-raw,{caps}", "!", "pipewiresink", "mode=provide"]
        argv.append("stream-properties=p,media.class=Video/Source,node.name=source")
        return start_node(argv)

    return start


@pytest.fixture
def start_gpu(start_node: Callable[..., FakeSeatProcess]) -> Callable[..., FakeSeatProcess]:
    """Start a program that shows pictures in GPU memory, see `gpu_producer.py`."""

    def start(**wanted: object) -> FakeSeatProcess:
        argv = [sys.executable, str(PRODUCER), json.dumps({"memory": "memfd", **wanted})]
        return start_node(argv, PYTHONPATH=os.pathsep.join(filter(None, sys.path)))

    return start
