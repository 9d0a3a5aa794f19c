"""One host per configuration folder, and how the command line finds it."""

import fcntl
import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs
import cattrs

from punktfunk.errors import AlreadyRunning
from punktfunk.trust.files import make_private_folder, write_atomically

LOCK_FILE = "host.lock"
RUNTIME_FILE = "runtime.json"

_MAX_BYTES = 65_536


@attrs.frozen(kw_only=True)
class Runtime:
    """Where the running host of a folder can be reached.

    Attributes:
        mgmt_url: Such as `http://127.0.0.1:47990`.
        http_port: Of nvhttp: what a person types into a client, with the address.
    """

    pid: int
    mgmt_url: str
    http_port: int
    started_at_unix: int


class RuntimeFile:
    """Held by the host while it runs; the kernel lets go of it however the host ends.

    Raises:
        AlreadyRunning: on entering, when another host has the folder.
    """

    def __init__(self, config_dir: Path) -> None:
        self._folder = config_dir
        self._lock: int | None = None

    def __enter__(self) -> Self:
        make_private_folder(self._folder)
        lock = os.open(self._folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(lock, 32).decode(errors="replace").strip() or "unknown"
            os.close(lock)
            raise AlreadyRunning(
                f"another host (process {pid}) uses {self._folder}; stop it, or give this one "
                "a folder of its own with --config-dir"
            ) from None
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        self._lock = lock
        return self

    def publish(self, mgmt_url: str, *, http_port: int) -> None:
        """The host can be reached from now on."""
        runtime = Runtime(
            pid=os.getpid(),
            mgmt_url=mgmt_url,
            http_port=http_port,
            started_at_unix=int(time.time()),
        )
        text = json.dumps(attrs.asdict(runtime), indent=2) + "\n"
        write_atomically(self._folder / RUNTIME_FILE, text.encode())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._lock is not None
        (self._folder / RUNTIME_FILE).unlink(missing_ok=True)
        os.close(self._lock)


def read_runtime(config_dir: Path) -> Runtime | None:
    """Find the running host of a folder; None when there is none.

    A file that a killed host left behind does not count: nobody holds the lock.
    """
    try:
        lock = os.open(config_dir / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pass  # held by a host: its file is true
    else:
        return None
    finally:
        os.close(lock)
    try:
        text = (config_dir / RUNTIME_FILE).read_bytes()[:_MAX_BYTES]
        return cattrs.structure(json.loads(text), Runtime)
    except (OSError, ValueError, TypeError, KeyError, cattrs.BaseValidationError):
        return None
