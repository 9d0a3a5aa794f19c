"""What stands in a store's files becomes arguments, byte by byte, and nothing else."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from punktfunk.library.merging import merged
from punktfunk.library.scanner import scan
from punktfunk.registry.asking import ProbeLimits
from punktfunk.testing import FakeSeat

SOURCE = """
@hookimpl
def library_games(host):
    keys = json.loads(Path(host.environment["HOME"], "keys.json").read_text())
    return [
        entry("alpha", n, "Game " + key, launch=LaunchSpec(argv=(PYTHON, PROGRAM, OUT, key)))
        for n, key in enumerate(keys)
    ]
"""
PROGRAM = """
import sys
from pathlib import Path
Path(sys.argv[1]).write_bytes(Path("/proc/self/cmdline").read_bytes())
"""
HOSTILE = [
    "; touch /tmp/pwned",
    "$(touch /tmp/pwned)",
    "`id`",
    "a\nb",
    "--help",
    "%f %U",
    "'\"\\",
    "\u202egnp.exe",
    "\udcff\udcfe",  # bytes that are no UTF-8, as Python has them
    "*",
    "~",
    "$HOME",
]


@pytest.mark.parametrize("number", range(len(HOSTILE)), ids=[ascii(it) for it in HOSTILE])
async def test_threat_21_what_is_started_is_what_stood_there(
    install_store, facts, home: Path, tmp_path: Path, number: int
) -> None:
    program, out = tmp_path / "program.py", tmp_path / "out"
    program.write_text(PROGRAM)
    head = f"PYTHON, PROGRAM, OUT = {sys.executable!r}, {str(program)!r}, {str(out)!r}\n"
    install_store("alpha", head + SOURCE)
    (home / "keys.json").write_text(json.dumps([HOSTILE[number]]))
    found = await scan(["alpha"], facts, ProbeLimits(plugin_s=40, total_s=50))

    (game,) = merged(found["alpha"].games, [])
    with FakeSeat() as seat:
        process = seat.spawn("game", game.launch.argv)
        async with asyncio.timeout(30):
            while process.exit_status() is None:
                await asyncio.sleep(0.02)

    words = [sys.executable, str(program), str(out), HOSTILE[number]]
    assert out.read_bytes() == b"".join(w.encode(errors="surrogateescape") + b"\0" for w in words)
