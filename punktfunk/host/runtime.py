"""One host per configuration folder, and where a running one is found."""

import contextlib
import fcntl
import json
import os
import time
from pathlib import Path
from types import TracebackType

import attrs
import cattrs

from punktfunk.errors import AlreadyRunning, ConfigError, StateDamaged
from punktfunk.trust.files import make_private_folder, read_private, write_atomically

LOCK_FILE = "host.lock"
RUNTIME_FILE = "runtime.json"

_MAX_FILE_BYTES = 16_384
_TRIES, _BETWEEN_TRIES_S = 10, 0.02


@attrs.frozen(kw_only=True)
class Runtime:
    """What other programs of this user need to talk to a running host. Holds no secret.

    Attributes:
        tls_fingerprint: SHA-256 of the certificate that `mgmt_url` must show; None for HTTP.
    """

    pid: int
    mgmt_url: str
    tls_fingerprint: str | None = None
    http_port: int
    started_at_unix: int = attrs.field(factory=lambda: int(time.time()))


class RuntimeFile:
    """Held for as long as the host runs. The kernel lets go of the lock with the process.

    Raises:
        AlreadyRunning: another host has this folder; the message names its process.
    """

    def __init__(self, folder: Path) -> None:
        make_private_folder(folder)
        self._path = folder / RUNTIME_FILE
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._lock = os.open(folder / LOCK_FILE, flags, 0o600)
        except OSError as error:
            raise ConfigError(
                f"{folder / LOCK_FILE} cannot be written: {error.strerror}"
            ) from error
        try:
            self._take(folder)
        except BaseException:
            os.close(self._lock)
            raise
        self._path.unlink(missing_ok=True)  # of a host that was killed

    def publish(self, runtime: Runtime) -> None:
        """Say where the host is, once it answers there."""
        write_atomically(self._path, json.dumps(cattrs.unstructure(runtime), indent=1).encode())

    def close(self) -> None:
        """Let the next host in. Closing twice is fine."""
        if self._lock < 0:
            return
        self._path.unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = -1

    def _take(self, folder: Path) -> None:
        for _ in range(_TRIES):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(self._lock, 0)
                os.pwrite(self._lock, b"%d\n" % os.getpid(), 0)
                return
            time.sleep(_BETWEEN_TRIES_S)  # whoever only looks holds it for a moment
        pid = os.pread(self._lock, 20, 0).decode("ascii", errors="replace").strip()
        process = f"process {pid}" if pid.isdigit() else "another process"
        raise AlreadyRunning(
            f"a host already runs with {folder} ({process}); "
            "stop it, or give this one a folder of its own with --config-dir",
            folder=str(folder),
        )

    def __enter__(self) -> "RuntimeFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read_runtime(folder: Path) -> Runtime | None:
    """Find the host that runs with this folder; None when there is none, or not yet.

    Raises:
        StateDamaged: there is one, but its file makes no sense.
        ConfigError: others could have changed the file.
    """
    if not _is_locked(folder / LOCK_FILE):
        return None
    path = folder / RUNTIME_FILE
    try:
        return cattrs.structure(json.loads(read_private(path, _MAX_FILE_BYTES)), Runtime)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, cattrs.BaseValidationError) as error:
        raise StateDamaged(f"{path} makes no sense: restart the host") from error


def _is_locked(path: Path) -> bool:
    """Ask the lock, not the process number: those are used again."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
