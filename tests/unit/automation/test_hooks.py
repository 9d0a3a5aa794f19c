"""Hooks, with real programs."""

import asyncio
import json
import logging
import os
import sys
from pathlib import Path

import attrs
import pytest

from punktfunk.automation import Automation
from punktfunk.automation.hooks import PASSED_ON, Hook
from punktfunk.automation.programs import run_program
from punktfunk.config.settings import HookSettings, Settings
from punktfunk.events import EventBus
from punktfunk.model.events import Event

TELL = """
import json, os, sys
told = {"argv": sys.argv[1:], "env": dict(os.environ), "stdin": sys.stdin.read()}
open(sys.argv[1], "w").write(json.dumps(told))
"""
LIMIT_S = 30


def hook(*command: str, timeout_s: int = 30, **environment: str) -> Hook:
    settings = HookSettings(on=("client.*",), command=command, timeout_s=timeout_s)
    return Hook("hook[0]", settings, {**os.environ, **environment}, asyncio.Semaphore(4))


def python(code: str, *arguments: object) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *map(str, arguments))


async def appears(path: Path) -> str:
    async with asyncio.timeout(LIMIT_S):
        while not path.exists() or not path.read_text().endswith("\n"):
            await asyncio.sleep(0.01)
    return path.read_text().strip()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def gone(pid: int) -> None:
    async with asyncio.timeout(LIMIT_S):
        while is_alive(pid):
            await asyncio.sleep(0.01)


async def test_a_program_gets_the_event_on_its_input_and_in_its_environment(
    tmp_path: Path, paired: Event
) -> None:
    file = tmp_path / "told"

    await hook(*python(TELL, file)).handle(paired)

    told = json.loads(file.read_text())
    event = json.loads(told["stdin"])
    assert event == json.loads(told["env"]["PUNKTFUNK_EVENT_JSON"])
    assert event["data"]["name"] == paired.data["name"]
    assert told["env"]["PUNKTFUNK_EVENT_TYPE"] == "client.paired"
    assert told["env"]["PUNKTFUNK_EVENT_ID"] == "1"


async def test_threat_18_what_a_client_calls_itself_is_data_and_never_an_argument(
    tmp_path: Path, paired: Event
) -> None:
    file = tmp_path / "told"

    await hook(*python(TELL, file, "$PUNKTFUNK_EVENT_JSON", "{name}", "%s", "~", "*")).handle(
        paired
    )

    assert json.loads(file.read_text())["argv"][1:] == [
        *("$PUNKTFUNK_EVENT_JSON", "{name}", "%s", "~", "*")
    ]


async def test_only_a_few_variables_of_the_hosts_environment_are_passed_on(
    tmp_path: Path, paired: Event
) -> None:
    file = tmp_path / "told"
    secrets = {
        "PUNKTFUNK_MGMT_TOKEN": "s3cret",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "LD_PRELOAD": "",
    }

    await hook(*python(TELL, file), **secrets, XDG_RUNTIME_DIR="/run/x").handle(paired)

    environment = json.loads(file.read_text())["env"]
    ours = {name for name in environment if name.startswith("PUNKTFUNK_EVENT_")}
    assert environment.keys() - ours - {"LC_CTYPE"} <= set(PASSED_ON)
    assert environment["XDG_RUNTIME_DIR"] == "/run/x"
    assert "s3cret" not in file.read_text()


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("print('one'); print('two\\n\\n')", ("INFO", "hook[0] ran", "two")),
        (
            "import sys; print('no tv', file=sys.stderr); sys.exit(3)",
            ("WARNING", "status 3", "no tv"),
        ),
        ("import os; os.kill(os.getpid(), 9)", ("WARNING", "status -9", "")),
        ("print('x' * 10_000_000)", ("INFO", "hook[0] ran", "x" * 300)),
    ],
)
async def test_how_it_ended_is_in_the_log(
    code: str, says: tuple[str, str, str], paired: Event, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await hook(*python(code)).handle(paired)

    (record,) = caplog.records
    level, message, printed = says
    assert record.levelname == level
    assert message in record.getMessage()
    assert record.printed == printed  # type: ignore[attr-defined]


@pytest.mark.parametrize("program", ["/nonexistent/tv", "no-such-program-here", "/etc"])
async def test_a_program_that_is_not_there_is_one_line(
    program: str, paired: Event, caplog: pytest.LogCaptureFixture
) -> None:
    await hook(program).handle(paired)

    (record,) = caplog.records
    assert "could not be started" in record.getMessage()


async def test_when_its_time_is_over_the_program_and_what_it_started_are_ended(
    tmp_path: Path, paired: Event, caplog: pytest.LogCaptureFixture
) -> None:
    script = f"trap '' TERM; sleep 600 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/me; wait"

    await hook("sh", "-c", script, timeout_s=1).handle(paired)

    assert "was ended after 1 s" in caplog.text
    for name in ("child", "me"):
        await gone(int((tmp_path / name).read_text()))


async def test_what_a_program_leaves_running_ends_with_it_and_is_not_waited_for(
    tmp_path: Path, paired: Event, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with asyncio.timeout(LIMIT_S):
            await hook("sh", "-c", f"sleep 600 & echo $! > {tmp_path}/child", timeout_s=600).handle(
                paired
            )

    await gone(int((tmp_path / "child").read_text()))
    assert "hook[0] ran" in caplog.text


async def test_nothing_stays_of_a_program_neither_zombie_nor_descriptor(paired: Event) -> None:
    await hook("true").handle(paired)
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    before = sorted(Path("/proc/self/fd").iterdir()), children.read_text()

    for _ in range(5):
        await hook("sh", "-c", "cat; sleep 0").handle(paired)

    assert (sorted(Path("/proc/self/fd").iterdir()), children.read_text()) == before


async def test_cancelling_ends_the_program(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    running = asyncio.create_task(
        run_program(
            ("sh", "-c", f"echo $$ > {file}; exec sleep 600"),
            environment={"PATH": os.environ["PATH"]},
            standard_input=b"",
            timeout_s=600,
        )
    )
    pid = int(await appears(file))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    await gone(pid)


# --- all of them together ---------------------------------------------------------------------


async def test_each_hook_hears_what_it_asked_for_in_order(tmp_path: Path) -> None:
    write = f'printf "%s %s\\n" "$0" "$PUNKTFUNK_EVENT_TYPE" >> {tmp_path}/$0'
    settings = Settings(
        hook=[
            HookSettings(on=("host.*",), command=("sh", "-c", write, "first")),
            HookSettings(on=("host.stopping", "stats.*"), command=("sh", "-c", write, "second")),
            HookSettings(on=("library.*",), command=("sh", "-c", write, "third")),
        ]
    )
    bus = EventBus()
    automation = Automation(settings, tmp_path, os.environ)
    bus.listeners.append(automation.hear)

    bus.publish("host.started", name="box", version="1")
    bus.publish("stats.started")
    bus.publish("host.stopping")
    await automation.close(grace_s=LIMIT_S)

    assert (tmp_path / "first").read_text() == "first host.started\nfirst host.stopping\n"
    assert (tmp_path / "second").read_text() == "second stats.started\nsecond host.stopping\n"
    assert not (tmp_path / "third").exists()


async def test_a_hook_that_hangs_delays_no_other_and_ends_with_the_host(tmp_path: Path) -> None:
    hang = HookSettings(
        on=("*",), command=("sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 600"), timeout_s=600
    )
    quick = attrs.evolve(hang, command=("sh", "-c", f"echo done > {tmp_path}/quick"))
    automation = Automation(Settings(hook=[hang, quick]), tmp_path, os.environ)
    event = Event(id=1, time_unix_ms=0, type="host.stopping", data={})

    for _ in range(10_000):
        automation.hear(event)
    pid = int(await appears(tmp_path / "pid"))
    await appears(tmp_path / "quick")
    await automation.close(grace_s=0)

    await gone(pid)
