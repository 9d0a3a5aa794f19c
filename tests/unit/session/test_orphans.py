"""A worker that hangs and has lost its host holds its journal for nobody."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from punktfunk.journal import Journal, is_held
from punktfunk.session import messages, orphans
from punktfunk.session.messages import Prepare
from punktfunk.session.orphans import end_orphaned_worker

pytestmark = pytest.mark.usefixtures("install_faulty")

HOST = Path(__file__).with_name("host_stand_in.py")


@pytest.fixture
def hung(make_plan, tmp_path):
    """The journal of a worker that hears nothing any more, and its host."""
    plan = make_plan(compositor="steady")
    file = tmp_path / "plan"
    file.write_bytes(messages.encode(Prepare(plan)))
    with subprocess.Popen([sys.executable, HOST, file], stdout=subprocess.PIPE, text=True) as host:
        worker = int(host.stdout.readline())
        assert host.stdout.readline() == "ready\n"
        os.kill(worker, signal.SIGSTOP)
        yield Path(plan.journal), host
        host.kill()
    with contextlib.suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)


async def test_a_worker_whose_host_lives_is_left_alone(hung):
    journal, _ = hung

    assert not end_orphaned_worker(journal)

    assert is_held(journal)


async def test_a_worker_that_hangs_without_its_host_is_ended(hung, until):
    journal, host = hung
    host.kill()
    host.wait()
    await until(lambda: end_orphaned_worker(journal))

    await until(lambda: not is_held(journal))
    assert not end_orphaned_worker(journal)
    assert not end_orphaned_worker(journal.with_name("never.jsonl"))


async def test_somebody_else_who_holds_a_journal_is_left_alone(tmp_path):
    journal = tmp_path / "j.jsonl"
    script = (
        "import sys\nfrom pathlib import Path\nfrom punktfunk.journal import Journal\n"
        "Journal(Path(sys.argv[1])).hold()\nprint('held', flush=True)\nsys.stdin.read()"
    )
    words = [sys.executable, "-c", script, str(journal)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()

        assert not end_orphaned_worker(journal)

        assert holder.poll() is None


def test_a_lock_on_another_device_is_not_the_journals(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "j.jsonl")
    journal.hold()
    assert orphans._holder_of(journal.path) == os.getpid()

    elsewhere = [[mount, above, b"250:250"] for mount, above, *_ in orphans.mount_table()]
    monkeypatch.setattr(orphans, "mount_table", lambda: elsewhere)

    assert orphans._holder_of(journal.path) is None
    journal.release()
