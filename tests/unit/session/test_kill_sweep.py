"""Killed with -9 at every single step, and the world afterwards is the world before."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import attrs
import pytest

from punktfunk.model.apps import LaunchSpec, PrepCommand
from punktfunk.session import messages
from punktfunk.session.messages import Prepare

pytestmark = [pytest.mark.usefixtures("install_faulty"), pytest.mark.timeout(580)]

SWEEP = Path(__file__).with_name("kill_sweep.py")
LAUNCHER = ("sh", "-c", "setsid sleep 300 & exit")


@pytest.fixture
def root():
    # Not below pytest's folder: a socket's path may only have 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="pf-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def sweep(root, tmp_path, make_plan):
    """`sweep(how, **drivers)`: what is told of each step."""

    def run(*how, **drivers):
        switch = root / "switched on"
        plan = attrs.evolve(
            make_plan(**drivers),
            runtime_root=str(root / "run"),
            journal=str(root / "journal" / "any.jsonl"),
            launch=LaunchSpec(argv=LAUNCHER),
            start_default_app=False,
            prep=(PrepCommand(do=("touch", str(switch)), undo=("rm", "-f", str(switch))),),
        )
        for folder in (plan.runtime_root, Path(plan.journal).parent):
            Path(folder).mkdir(mode=0o700)
        file = tmp_path / "plan"
        file.write_bytes(messages.encode(Prepare(plan)))
        done = subprocess.run(
            [sys.executable, SWEEP, file, root, *how],
            capture_output=True,
            text=True,
            check=False,
            timeout=570,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(root)},
        )
        assert done.returncode == 0, done.stderr[-3_000:]
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def wrong(told):
    return [it for it in told if it["different"]]


def test_threat_32_a_worker_that_is_killed_at_any_step_leaves_nothing(sweep):
    told = sweep("worker", compositor="marking")

    assert wrong(told) == []
    assert len(told) > 15
    names = {it["next"].split()[0] for it in told}
    assert {"open", "os.mkdir", "subprocess.Popen", "os.rmdir"} <= names


def test_threat_32_undoing_that_is_killed_at_any_step_is_finished_by_the_next(sweep):
    told = sweep("cleaner", compositor="marking")

    assert wrong(told) == []
    assert len(told) > 8


DESKTOPS = {
    "sway": {"compositor": "wlroots", "capture": "wlroots", "input": "wlroots", "audio": "pulse"},
    "x11": {"compositor": "x11", "capture": "x11", "input": "x11"},
}


@pytest.mark.desktop
@pytest.mark.skipif(
    os.environ.get("PUNKTFUNK_DESKTOPS") != "1", reason="slower: ./dev test --desktops"
)
@pytest.mark.parametrize("desktop", DESKTOPS)
@pytest.mark.parametrize("who", ["worker", "cleaner"])
def test_threat_32_a_desktop_that_is_killed_at_any_step_leaves_nothing(sweep, who, desktop):
    told = sweep(who, **DESKTOPS[desktop])

    assert wrong(told) == []
    assert len(told) > 8
