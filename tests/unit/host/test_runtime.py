import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from punktfunk.errors import AlreadyRunning, StateDamaged
from punktfunk.host.runtime import LOCK_FILE, RUNTIME_FILE, Runtime, RuntimeFile, read_runtime

HOLD = """
import os, sys
from pathlib import Path
from punktfunk.errors import AlreadyRunning
from punktfunk.host.runtime import Runtime, RuntimeFile
try:
    held = RuntimeFile(Path(sys.argv[1]))
except AlreadyRunning as error:
    print("no", error, flush=True)
    sys.exit(1)
held.publish(Runtime(pid=os.getpid(), mgmt_url="http://127.0.0.1:1", http_port=2))
print("held", flush=True)
sys.stdin.read()
"""


def start(folder: Path) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-c", HOLD, str(folder)]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_running_host_is_found_by_its_file(tmp_path: Path) -> None:
    with RuntimeFile(tmp_path) as held:
        assert read_runtime(tmp_path) is None  # it does not answer yet

        url = "http://127.0.0.1:47990"
        held.publish(Runtime(pid=os.getpid(), mgmt_url=url, http_port=47989, tls_fingerprint="ab"))
        runtime = read_runtime(tmp_path)

        assert runtime is not None
        assert (runtime.pid, runtime.mgmt_url) == (os.getpid(), url)
        assert (runtime.http_port, runtime.tls_fingerprint) == (47989, "ab")
        for name in (RUNTIME_FILE, LOCK_FILE):
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o600

    assert read_runtime(tmp_path) is None
    assert not (tmp_path / RUNTIME_FILE).exists()


def test_of_two_processes_at_once_one_gets_the_folder_and_the_other_names_it(
    tmp_path: Path,
) -> None:
    processes = [start(tmp_path) for _ in range(4)]
    said = {process.pid: process.stdout.readline() for process in processes}  # type: ignore[union-attr]

    (winner,) = (pid for pid, line in said.items() if line == "held\n")
    for pid, line in said.items():
        assert pid == winner or f"process {winner}" in line
    for process in processes:
        process.communicate()
        assert process.returncode == (0 if process.pid == winner else 1)


def test_what_a_killed_host_left_behind_keeps_nobody_out(tmp_path: Path) -> None:
    process = start(tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    found = read_runtime(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()

    assert found is not None
    assert found.pid == process.pid
    assert (tmp_path / RUNTIME_FILE).exists()
    assert read_runtime(tmp_path) is None
    with RuntimeFile(tmp_path):
        assert read_runtime(tmp_path) is None  # not the dead one's file


def test_the_lock_tells_not_the_process_number(tmp_path: Path) -> None:
    (tmp_path / RUNTIME_FILE).write_text(json.dumps({"pid": os.getpid(), "mgmt_url": "http://x"}))
    (tmp_path / LOCK_FILE).write_text(f"{os.getpid()}\n")

    assert read_runtime(tmp_path) is None


def test_a_child_process_does_not_inherit_the_lock(tmp_path: Path) -> None:
    with RuntimeFile(tmp_path):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        RuntimeFile(tmp_path).close()
    finally:
        child.kill()
        child.wait()


def test_a_second_host_in_this_process_is_refused_too(tmp_path: Path) -> None:
    with RuntimeFile(tmp_path), pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"):
        RuntimeFile(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x"}', "\xff"])
def test_a_file_that_makes_no_sense_is_said_to_be_so(tmp_path: Path, text: str) -> None:
    with RuntimeFile(tmp_path):
        (tmp_path / RUNTIME_FILE).write_bytes(text.encode("latin1"))
        (tmp_path / RUNTIME_FILE).chmod(0o600)

        with pytest.raises(StateDamaged):
            read_runtime(tmp_path)


def test_closing_twice_is_fine(tmp_path: Path) -> None:
    held = RuntimeFile(tmp_path)
    held.close()
    held.close()
