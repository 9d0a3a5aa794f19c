"""The user's own commands around a session: no shell, a time limit, and its whole group goes."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence

from punktfunk.errors import PunktfunkError

TIMEOUT_S = 15.0
_SAID_BYTES = 2_000
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - files without a name only


class CommandFailed(PunktfunkError):
    """It could not be started, took too long, or ended with a status that is not 0."""

    code = "command_failed"


def run_command(
    argv: Sequence[str], environment: Mapping[str, str], timeout_s: float = TIMEOUT_S
) -> None:
    """Run it to its end, with this process's environment and these variables.

    What it leaves running in its process group is killed only when it took too long.

    Raises:
        CommandFailed: one line that says what became of it.
    """
    with tempfile.TemporaryFile(dir=_nameless_files()) as output:
        try:
            process = subprocess.Popen(
                list(argv),
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it holds a NUL"
            raise CommandFailed(f"{argv[0]} could not be started: {why}") from error
        try:
            status = process.wait(timeout_s)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise CommandFailed(f"{argv[0]} took longer than {timeout_s:g} s") from None
            raise
        if status != 0:
            output.seek(-min(_SAID_BYTES, output.seek(0, os.SEEK_END)), os.SEEK_END)
            said = output.read().decode(errors="replace").split("\n")
            last = next((line.strip() for line in reversed(said) if line.strip()), "")
            how = f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"
            raise CommandFailed(f"{argv[0]} {how}" + (f": {last}" if last else ""))


def _nameless_files() -> str | None:
    """A folder where a file never has a name, which a crash could leave behind."""
    return _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None
