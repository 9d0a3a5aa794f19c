"""What a worker process is, and what becomes of it when its host dies."""

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from punktfunk.errors import DriverFailed, DriverUnavailable
from punktfunk.session import messages
from punktfunk.session import worker as worker_module
from punktfunk.session.messages import Failed, Prepare

pytestmark = pytest.mark.usefixtures("install_faulty")

HOST = Path(__file__).parent / "host_stand_in.py"


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def status_of(pid: int, field: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith(field)), 16)


@pytest.fixture
def start_host(tmp_path):
    """Starts the stand-in for a host; returns it and the pid of its worker."""
    hosts = []

    def start(plan):
        file = tmp_path / "plan"
        file.write_bytes(messages.encode(Prepare(plan)))
        host = subprocess.Popen([sys.executable, HOST, file], stdout=subprocess.PIPE, text=True)
        hosts.append(host)
        return host, int(host.stdout.readline())

    yield start
    for host in hosts:
        host.kill()
        host.wait()
        host.stdout.close()


def kill(host) -> None:
    host.kill()
    host.wait()


async def test_the_worker_of_a_killed_host_cleans_up_within_two_seconds(
    start_host, make_plan, processes_of, until
):
    plan = make_plan(compositor="steady")
    host, worker = start_host(plan)
    assert host.stdout.readline() == "ready\n"
    assert processes_of(plan)

    kill(host)

    await until(lambda: not is_alive(worker), timeout_s=2)
    assert processes_of(plan) == []
    assert not (Path(plan.runtime_root) / plan.seat).exists()
    assert not Path(plan.journal).exists()


@pytest.mark.timeout(180)
async def test_a_killed_host_is_noticed_while_a_driver_is_still_opening(
    start_host, make_plan, processes_of, until
):
    plan = make_plan(compositor="slow")
    host, worker = start_host(plan)
    await until(lambda: processes_of(plan), timeout_s=60)

    kill(host)

    await until(lambda: not is_alive(worker), timeout_s=60)  # it opens for much longer
    assert processes_of(plan) == []
    assert not Path(plan.journal).exists()


async def test_sigterm_takes_everything_down(spawn, make_plan, processes_of):
    worker, plan = await spawn(), make_plan(compositor="steady")
    await worker.prepare(plan)
    os.kill(worker.pid, signal.SIGTERM)

    async with asyncio.timeout(2):
        await worker.wait()

    assert processes_of(plan) == []
    assert not Path(plan.journal).exists()


async def test_a_ctrl_c_in_the_hosts_terminal_is_none_of_the_workers_business(spawn, make_plan):
    worker = await spawn()
    assert os.getsid(worker.pid) == worker.pid
    os.kill(worker.pid, signal.SIGINT)

    await worker.prepare(make_plan())


async def test_programs_of_a_session_can_be_stopped_with_ctrl_c(spawn, make_plan, app_of):
    worker, plan = await spawn(), make_plan(compositor="steady")
    await worker.prepare(plan)

    program = app_of(plan)

    ignored, blocked = status_of(program, "SigIgn"), status_of(program, "SigBlk")
    assert not ignored & 1 << (signal.SIGINT - 1)
    assert blocked == 0


async def test_programs_of_a_session_get_no_descriptor_of_ours(spawn, make_plan, app_of):
    worker, plan = await spawn(), make_plan(compositor="steady")
    await worker.prepare(plan)

    program = app_of(plan)

    assert {int(path.name) for path in Path(f"/proc/{program}/fd").iterdir()} == {0, 1, 2}


async def test_keys_are_not_where_other_processes_could_read_them(
    spawn, make_plan, make_stream, media
):
    worker, stream = await spawn(), make_stream(7)
    await worker.prepare(make_plan())
    await worker.start_stream(stream, media)
    proc = Path(f"/proc/{worker.pid}")

    public = (proc / "cmdline").read_bytes()
    if os.access(proc / "environ", os.R_OK):
        public += (proc / "environ").read_bytes()

    for secret in (stream.key, stream.ping_payload):
        assert secret not in public
        assert secret.hex().encode() not in public


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become someone else")
def test_a_worker_cannot_be_traced_or_read_by_other_programs_of_its_user():
    code = (
        "import ctypes, os\n"
        "from punktfunk.session.process import settle\n"
        "os.setuid(65534)\n"
        "ctypes.CDLL(None).prctl(4, 1)\n"  # becoming someone else alone had the same effect
        "owner = lambda: os.stat('/proc/self/mem').st_uid\n"
        "before = owner()\n"
        "settle(os.getppid())\n"
        "print(before, owner())\n"
    )

    assert subprocess.check_output([sys.executable, "-c", code]) == b"65534 0\n"


def test_settling_forbids_core_dumps():
    code = (
        "import ctypes, os\n"
        "from punktfunk.session.process import settle\n"
        "settle(os.getppid())\n"
        "print(ctypes.CDLL(None).prctl(3))\n"
    )
    assert ctypes.CDLL(None).prctl(3) == 1

    assert subprocess.check_output([sys.executable, "-c", code]) == b"0\n"


def test_a_worker_whose_host_died_before_it_began_ends_at_once():
    began = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-c", "from punktfunk.session.process import settle; settle(1)"],
        capture_output=True,
        text=True,
    )

    assert "the host is gone" in run.stderr
    assert time.monotonic() - began < 5


def test_a_signal_does_not_cut_the_way_back_of_what_failed_short(make_plan, monkeypatch):
    struck = []

    class FailingStage(worker_module.Stage):
        def set(self, send_feedback):
            raise DriverFailed("no display")

        def strike(self):
            signal.raise_signal(signal.SIGTERM)
            super().strike()
            struck.append(True)

    monkeypatch.setattr(worker_module, "Stage", FailingStage)
    host, link = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    before = signal.getsignal(signal.SIGTERM)
    with host, link:
        worker = worker_module.Worker(link)
        signal.signal(signal.SIGTERM, lambda *_: worker.quit())
        try:
            worker._prepare(make_plan(compositor="steady"))
        finally:
            signal.signal(signal.SIGTERM, before)
        told, _ = messages.receive(host)

    assert struck == [True]
    assert told == Failed(reason="no display")


@pytest.mark.parametrize(
    "error",
    [
        DriverFailed("\0" * 200_000),
        DriverUnavailable("talkative", "\0" * 200_000, (), "\0" * 200_000),
        LookupError("\0" * 200_000),
    ],
)
def test_a_driver_that_gives_endless_reasons_is_cut_short(error):
    failed = worker_module._failure(error)

    assert messages.decode(messages.encode(failed)) == failed
    assert len(failed.reason) <= 2_000
