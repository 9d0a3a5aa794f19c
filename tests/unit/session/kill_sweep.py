"""Kills a session's worker at every step, undoes what it left, and compares the world.

`python kill_sweep.py PLAN_FILE ROOT HOW`: the plan as a message; everything it names is below
ROOT. Tells of each step in a line of JSON: its number, what would have come next, and what is
different from before. HOW is one of

- `worker`: killed at each of its steps, from the plan to the end of a whole session;
- `cleaner`: a session is killed when it is up, then whoever undoes it at each of its steps,
  and then it is undone again;
- `every N worker`, `every N cleaner`: only each Nth step.

A step is anything that Python does to the world: it is known by Python's audit events, before
it happens. Workers are forked from this process, which so need not import everything again, and
which adopts whatever they leave behind.
"""

import ctypes
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from punktfunk.model.offers import HostFacts, Kind
from punktfunk.model.session import SessionPlan, StreamEnd
from punktfunk.pixels import warm_up
from punktfunk.registry.discovery import PluginFilter
from punktfunk.session import messages
from punktfunk.session.cleanup import CleanupRequest, undo_journal
from punktfunk.session.drivers import imported
from punktfunk.session.messages import Prepare, Prepared, Quit
from punktfunk.session.process import settle
from punktfunk.session.worker import Worker
from punktfunk.wire.rs_isal import load_library

_STEPS = frozenset(
    {"os.mkdir", "os.rmdir", "os.remove", "os.rename", "os.chmod", "os.symlink", "os.truncate"}
    | {"os.kill", "os.killpg", "os.posix_spawn", "subprocess.Popen", "socket.connect"}
    | {"socket.bind", "shutil.rmtree"}
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_PR_SET_CHILD_SUBREAPER = 36
_LIMIT_S = 40.0


class Steps:
    """Counts this process's steps; at the wanted one it is killed. 0 counts only."""

    def __init__(self, told: int, wanted: int) -> None:
        self._told, self._wanted, self._count = told, wanted, 0
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not flags & _WRITING or str(path).startswith(("/dev/", "/proc/")):
                return
        elif event not in _STEPS:
            return
        self._count += 1
        os.write(self._told, f"{event} {arguments[0]}"[:150].replace("\n", " ").encode() + b"\n")
        if self._count == self._wanted:
            signal.raise_signal(signal.SIGKILL)


def forked(work: Callable[[], None], wanted: int) -> tuple[int, int]:
    """Do it in a process of its own; returns that and where it tells its steps."""
    told, tell = os.pipe()
    parent, pid = os.getpid(), os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(told)
            os.setsid()
            settle(parent)
            Steps(tell, wanted)
            work()
            status = 0
        finally:
            os._exit(status)
    os.close(tell)
    return pid, told


def steps_of(told: int) -> list[str]:
    with open(told, encoding="utf-8", errors="replace") as lines:
        return lines.read().splitlines()


def run_session(plan: SessionPlan, wanted: int, up: Callable[[int], None]) -> list[str]:
    """A session from launch to quit, unless its worker is killed before."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(_LIMIT_S)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * messages.MAX_MESSAGE_BYTES)

    def work() -> None:
        ours.close()
        Worker(theirs).run()

    pid, told = forked(work, wanted)
    theirs.close()
    try:
        messages.send(ours, Prepare(plan))
        if is_up(ours):
            up(pid)
            messages.send(ours, Quit(StreamEnd.STOPPED))
            while messages.receive(ours) is not None:
                pass
    except OSError:
        pass
    ours.close()
    steps = steps_of(told)
    os.waitpid(pid, 0)
    return steps


def is_up(link: socket.socket) -> bool:
    while (received := messages.receive(link)) is not None:
        if isinstance(received[0], Prepared):
            return True
        if type(received[0]).__name__ == "Failed":
            raise SystemExit(f"the session does not start: {received[0]}")
    return False


def undo(journals: Path, wanted: int = 0) -> list[str]:
    """What the host does at its next start."""
    request = CleanupRequest(facts=HostFacts(uid=os.getuid()), wanted=PluginFilter())

    def work() -> None:
        for journal in sorted(journals.glob("*.jsonl")):
            undo_journal(journal, request)

    pid, told = forked(work, wanted)
    steps = steps_of(told)
    os.waitpid(pid, 0)
    return steps


def world(root: Path) -> set[str]:
    """All that a session could change."""
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.name != "cookie"}
    found |= {f"X11 display of the dead {it.name}" for it in x11_locks() if not is_alive(it)}
    for line in Path("/proc/net/unix").read_text().splitlines():
        if str(root) in line:
            found.add(f"socket {line.split()[-1]}")
    return found | {f"process {it}" for it in children()}


def x11_locks() -> list[Path]:
    return list(Path("/tmp").glob(".X[1-5][0-9][0-9]-lock"))


def is_alive(lock: Path) -> bool:
    """Whether the process that has this display lives; other tests have displays, too."""
    try:
        return Path(f"/proc/{int(lock.read_text())}").exists()
    except (OSError, ValueError):  # it went while we looked
        return True


def children() -> list[str]:
    """Whatever this process has adopted and still lives; the dead are buried."""
    deadline = time.monotonic() + 1.0
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return []
        if pid == 0:
            if time.monotonic() > deadline:
                pids = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
                return [Path(f"/proc/{it}/cmdline").read_bytes().decode() for it in pids]
            time.sleep(0.01)


def make_warm(plan: SessionPlan) -> None:
    """As the host has its spare worker do, before there is a session."""
    warm_up()
    load_library()
    tempfile.gettempdir()
    for kind in (Kind.COMPOSITOR, Kind.CAPTURE, Kind.AUDIO, Kind.INPUT):
        imported(kind, getattr(plan, kind.value).name)


def tell(step: int, name: str, root: Path, before: set[str]) -> None:
    different = world(root) ^ before
    print(json.dumps({"step": step, "next": name, "different": sorted(different)}), flush=True)


def main() -> None:
    plan_file, root, *how = sys.argv[1:]
    plan = messages.decode(Path(plan_file).read_bytes()).plan
    every = int(how[1]) if how[0] == "every" else 1
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    make_warm(plan)
    folder, journals = Path(root), Path(plan.journal).parent
    numbers = iter(range(1, 10_000))

    def session(wanted: int = 0, up: Callable[[int], None] = lambda pid: None) -> list[str]:
        seat = f"{plan.seat}-{next(numbers)}"
        journal = str(journals / f"{seat}.jsonl")
        return run_session(attrs.evolve(plan, seat=seat, journal=journal), wanted, up)

    session()  # what only the first one makes
    undo(journals)
    before = world(folder)
    if how[-1] == "worker":
        steps = session()
        undo(journals)
        tell(0, "nothing", folder, before)
        for step in range(1, len(steps) + 1, every):
            came = session(step)
            undo(journals)
            tell(step, came[-1], folder, before)
    else:

        def kill(pid: int) -> None:
            os.kill(pid, signal.SIGKILL)

        session(up=kill)
        steps = undo(journals)
        tell(0, "nothing", folder, before)
        for step in range(1, len(steps) + 1, every):
            session(up=kill)
            came = undo(journals, step)
            undo(journals)
            tell(step, came[-1], folder, before)


if __name__ == "__main__":
    main()
