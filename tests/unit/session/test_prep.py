"""Commands around a session: run in order, taken back in reverse, whatever happens between."""

import os
import signal
from pathlib import Path

import attrs
import pytest

from punktfunk.errors import DriverFailed
from punktfunk.host.cleanup import Cleaner
from punktfunk.journal import Journal, command, undo_core_effect
from punktfunk.journal.commands import CommandFailed, run_command
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
    spawn, prepared, media, diary, clean_up
):
    worker = await spawn()
    await worker.prepare(prepared, media)
    assert words(diary) == ["do-1", "do-2"]

    await worker.quit(StreamEnd.STOPPED)
    await clean_up(prepared)

    assert words(diary) == ["do-1", "do-2", "undo-2", "undo-1"]
    assert diary.read_text().split()[1] == str(prepared.mode.width_px)
    assert not Path(prepared.journal).exists()


async def test_a_command_that_fails_stops_the_launch_and_the_others_are_taken_back(
    spawn, prepared, media, diary, note, clean_up
):
    wrong = PrepCommand(do=("sh", "-c", "echo no such screen; exit 3"), undo=note("undo-wrong"))
    plan = attrs.evolve(prepared, prep=(prepared.prep[0], wrong, prepared.prep[1]))
    worker = await spawn()

    with pytest.raises(DriverFailed, match="sh ended with status 3: no such screen"):
        await worker.prepare(plan, media)
    await worker.quit(StreamEnd.FAILED)
    await clean_up(plan)

    assert words(diary) == ["do-1", "undo-wrong", "undo-1"]


async def test_what_a_killed_worker_prepared_is_taken_back(spawn, prepared, media, diary, clean_up):
    worker = await spawn()
    await worker.prepare(prepared, media)
    os.kill(worker.pid, signal.SIGKILL)
    await worker.wait()
    assert words(diary) == ["do-1", "do-2"]

    await clean_up(prepared)

    assert words(diary) == ["do-1", "do-2", "undo-2", "undo-1"]
    assert not Path(prepared.journal).exists()


async def test_a_session_ends_with_its_app(spawn, make_plan, media, processes_of):
    app = LaunchSpec(argv=("sh", "-c", "echo the end; sleep 2"))
    plan = attrs.evolve(
        make_plan(compositor="steady"), launch=app, start_default_app=False, ends_with_app=True
    )
    worker = await spawn()
    heard = []
    worker.on_message = heard.append
    await worker.prepare(plan, media)

    assert await worker.wait() == ""

    assert [it.last_line for it in heard if hasattr(it, "last_line")] == ["the end"]
    assert processes_of(plan) == []
    assert not Path(plan.journal).exists()


async def test_an_app_is_started_in_its_folder(spawn, make_plan, media, tmp_path, until):
    app = LaunchSpec(argv=("sh", "-c", "pwd > where"), folder=str(tmp_path))
    worker = await spawn()

    await worker.prepare(attrs.evolve(make_plan(), launch=app, start_default_app=False), media)

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
    assert not journal.path.exists()
