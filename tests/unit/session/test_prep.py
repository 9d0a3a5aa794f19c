"""Commands around a session: run in order, taken back in reverse, whatever happens between."""

import asyncio
import os
import signal
from pathlib import Path

import attrs
import pytest

from punktfunk.errors import DriverFailed
from punktfunk.host.cleanup import Cleaner
from punktfunk.journal import Journal, command, undo_core_effect
from punktfunk.journal.commands import CommandFailed, run_command
from punktfunk.journal.effects import COMMAND_MARK, marked_processes
from punktfunk.model.apps import LaunchSpec, PrepCommand
from punktfunk.model.offers import HostFacts
from punktfunk.model.session import StreamEnd
from punktfunk.registry.discovery import PluginFilter

pytestmark = pytest.mark.usefixtures("install_faulty")


@pytest.fixture
def diary(tmp_path):
    return tmp_path / "diary"


@pytest.fixture
def note(diary):
    """`note(word)`: an argv that appends a line to the diary."""
    return lambda word: ("sh", "-c", 'echo "$0 $PUNKTFUNK_WIDTH" >> "$1"', word, str(diary))


@pytest.fixture
def clean_up():
    """`await clean_up(plan)`: what the host does when a worker is gone."""

    async def clean(plan):
        journal = Path(plan.journal)
        await Cleaner(journal.parent, HostFacts(), PluginFilter()).clean(journal)

    return clean


@pytest.fixture
def prepared(make_plan, note):
    """A plan with two commands before its session."""
    prep = tuple(PrepCommand(do=note(f"do-{n}"), undo=note(f"undo-{n}")) for n in (1, 2))
    return attrs.evolve(make_plan(compositor="steady"), prep=prep)


def words(diary: Path) -> list[str]:
    return [line.split()[0] for line in diary.read_text().splitlines()]


async def test_commands_run_before_a_session_and_are_taken_back_after_it(
    spawn, prepared, diary, clean_up
):
    worker = await spawn()
    await worker.prepare(prepared)
    assert words(diary) == ["do-1", "do-2"]

    await worker.quit(StreamEnd.STOPPED)
    await clean_up(prepared)

    assert words(diary) == ["do-1", "do-2", "undo-2", "undo-1"]
    assert diary.read_text().split()[1] == str(prepared.mode.width_px)
    assert not Path(prepared.journal).exists()


async def test_a_command_that_fails_stops_the_launch_and_the_others_are_taken_back(
    spawn, prepared, diary, note, clean_up
):
    wrong = PrepCommand(do=("sh", "-c", "echo no such screen; exit 3"), undo=note("undo-wrong"))
    plan = attrs.evolve(prepared, prep=(prepared.prep[0], wrong, prepared.prep[1]))
    worker = await spawn()

    with pytest.raises(DriverFailed, match="sh ended with status 3: no such screen"):
        await worker.prepare(plan)
    await worker.quit(StreamEnd.FAILED)
    await clean_up(plan)

    assert words(diary) == ["do-1", "undo-wrong", "undo-1"]


async def test_what_a_killed_worker_prepared_is_taken_back(spawn, prepared, diary, clean_up):
    worker = await spawn()
    await worker.prepare(prepared)
    os.kill(worker.pid, signal.SIGKILL)
    await worker.wait()
    assert words(diary) == ["do-1", "do-2"]

    await clean_up(prepared)

    assert words(diary) == ["do-1", "do-2", "undo-2", "undo-1"]
    assert not Path(prepared.journal).exists()


async def test_a_session_ends_with_its_app(spawn, make_plan, processes_of):
    app = LaunchSpec(argv=("sh", "-c", "echo the end; sleep 2"))
    plan = attrs.evolve(
        make_plan(compositor="steady"), launch=app, start_default_app=False, ends_with_app=True
    )
    worker = await spawn()
    heard = []
    worker.on_message = heard.append
    await worker.prepare(plan)

    assert await worker.wait() == ""

    assert [it.last_line for it in heard if hasattr(it, "last_line")] == ["the end"]
    assert processes_of(plan) == []
    assert not Path(plan.journal).exists()


async def test_an_app_is_started_in_its_folder(spawn, make_plan, tmp_path, until):
    app = LaunchSpec(argv=("sh", "-c", "pwd > where"), folder=str(tmp_path))
    worker = await spawn()

    await worker.prepare(attrs.evolve(make_plan(), launch=app, start_default_app=False))

    await until(lambda: (tmp_path / "where").exists() and (tmp_path / "where").read_text())
    assert (tmp_path / "where").read_text().strip() == str(tmp_path)


@pytest.mark.parametrize(
    ("argv", "says", "timeout_s"),
    [
        (
            ["no-such-program"],
            "no-such-program could not be started: No such file or directory",
            60,
        ),
        (["a\0b"], "it holds a NUL", 60),
        (["false"], "false ended with status 1", 60),
        (["sh", "-c", "kill -9 $$"], "sh was ended by signal 9", 60),
        (["sh", "-c", "sleep 300 & sleep 300"], "sh took longer than 0.2 s", 0.2),
    ],
)
def test_a_command_says_in_one_line_why_it_failed(argv, says, timeout_s):
    with pytest.raises(CommandFailed) as caught:
        run_command(argv, {}, timeout_s=timeout_s)

    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_command_that_cannot_be_taken_back_is_not_tried_for_ever(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.record(command(["false"], {}))

    assert journal.undo_all(undo_core_effect) == ()
    assert journal.undo_all(lambda effect: pytest.fail("it was tried again")) == ()

    (told,) = journal.entries()
    assert told.reason == "the command that takes it back failed: false ended with status 1"


async def test_a_command_that_outlives_its_killed_worker_does_nothing_after_it_was_taken_back(
    spawn, make_plan, media, tmp_path, clean_up, until
):
    done, begun = tmp_path / "done", tmp_path / "begun"
    do = ("sh", "-c", 'touch "$0"; sleep 2; touch "$1"', str(begun), str(done))
    prep = (PrepCommand(do=do, undo=("rm", "-f", str(done))),)
    plan = attrs.evolve(make_plan(compositor="steady"), prep=prep)
    worker = await spawn()
    preparing = asyncio.ensure_future(worker.prepare(plan))
    await until(begun.exists)
    os.kill(worker.pid, signal.SIGKILL)
    await worker.wait()
    with pytest.raises(DriverFailed):
        await preparing

    await clean_up(plan)

    assert marked_processes(plan.seat, COMMAND_MARK) == []
    assert not done.exists()
    assert not Path(plan.journal).exists()
