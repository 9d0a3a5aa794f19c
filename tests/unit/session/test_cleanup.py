"""Everybody is killed; the cleaning child takes back what is left."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from punktfunk.host.cleanup import Cleaner
from punktfunk.journal import Journal
from punktfunk.model.offers import HostFacts
from punktfunk.model.plugins import Effect
from punktfunk.registry.discovery import PluginFilter
from punktfunk.session.cleanup import CleanupRequest

pytestmark = pytest.mark.usefixtures("install_faulty")


@pytest.fixture
async def killed(spawn, make_plan, processes_of):
    """The plan of a session whose worker was killed, so that all of it is still there."""
    worker, plan = await spawn(), make_plan(compositor="marking")
    await worker.prepare(plan)
    os.kill(worker.pid, signal.SIGKILL)
    await worker.wait()
    assert processes_of(plan)
    assert outside(plan).exists()
    yield plan
    for pid in processes_of(plan):
        os.kill(pid, signal.SIGKILL)


def outside(plan) -> Path:
    return Path(plan.runtime_root) / "outside"


def cleaner(plan, wanted: PluginFilter | None = None) -> Cleaner:
    return Cleaner(Path(plan.journal).parent, HostFacts(), wanted or PluginFilter())


async def test_threat_32_what_a_killed_worker_left_is_taken_back(killed, processes_of):
    await cleaner(killed).clean(Path(killed.journal))

    assert processes_of(killed) == []
    assert not outside(killed).exists()
    assert not (Path(killed.runtime_root) / killed.seat).exists()
    assert not Path(killed.journal).exists()


async def test_threat_32_the_next_start_takes_back_what_a_killed_host_left(killed, processes_of):
    journals = Path(killed.journal).parent
    Journal(journals / "another.jsonl").record(
        Effect(kind="directory", data={"path": str(journals / "never-made"), "mark": "x"})
    )

    await cleaner(killed).clean_all()

    assert processes_of(killed) == []
    assert list(journals.iterdir()) == []


async def test_cleaning_up_that_is_killed_in_the_middle_is_done_again(killed, processes_of):
    request = CleanupRequest(facts=HostFacts(), wanted=PluginFilter()).to_json()
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-m", "punktfunk.session.cleanup", killed.journal],
            stdin=subprocess.PIPE,
        )
        child.stdin.write(request)
        child.stdin.close()
        child.send_signal(signal.SIGKILL)
        child.wait()

    await cleaner(killed).clean_all()

    assert processes_of(killed) == []
    assert not Path(killed.journal).exists()


async def test_what_belongs_to_a_plugin_that_is_not_allowed_stays_for_later(
    killed, processes_of, caplog
):
    await cleaner(killed, PluginFilter(deny=frozenset({"faulty"}))).clean_all()

    assert processes_of(killed) == []
    assert outside(killed).exists()
    assert [effect.kind for effect in Journal(Path(killed.journal)).pending()] == ["faulty.file"]
    assert "plugin faulty is not here" in caplog.text

    await cleaner(killed).clean_all()

    assert not outside(killed).exists()


async def test_a_plugin_that_hangs_does_not_keep_the_rest_from_being_undone(killed, processes_of):
    journal = Path(killed.journal)
    Journal(journal).record(Effect(kind="faulty.hang", data={}))

    await cleaner(killed).clean(journal)

    assert processes_of(killed) == []
    assert not outside(killed).exists()
    (entry,) = Journal(journal).entries()
    assert entry.reason == "plugin faulty took longer than 5 s"


async def test_nothing_to_take_back_starts_no_process(tmp_path, caplog):
    await Cleaner(tmp_path / "nowhere", HostFacts(), PluginFilter()).clean_all()
    await Cleaner(tmp_path, HostFacts(), PluginFilter()).clean(tmp_path / "gone.jsonl")

    assert caplog.text == ""
