"""Notices changes of files and folders, in a thread of its own."""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from watchfiles._rust_notify import RustNotify

MAX_ROOTS = 1_000
LOOK_AGAIN_S = 30.0
_QUIET_MS = 200
_LONGEST_MS = 2_000
_AGAIN_S = 1.0

log = logging.getLogger(__name__)


class Watcher:
    """Says when something may have changed at the paths it was given.

    A path need not exist: the nearest folder above it is watched then. What is deleted and
    comes back is watched again. Says so now and then also without an event, for changes that
    cause none (a network file system, a limit of the system); see `fingerprint`.

    Args:
        on_change: Called in the watcher's thread; it must not take long.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._paths: frozenset[str] = frozenset()
        self._changed = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="library watcher", daemon=True)

    def watch(self, paths: Iterable[str]) -> None:
        """Watch these and no others. The thread starts with the first call."""
        self._paths = frozenset(paths)
        self._changed.set()
        if self._thread.ident is None:
            self._thread.start()

    def close(self) -> None:
        """Stop. The thread ends soon afterwards; see `join`."""
        self._closed = True
        self._changed.set()

    def join(self, timeout_s: float) -> None:
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._closed:
            self._changed.clear()
            paths = self._paths
            if self._closed:
                return
            try:
                self._follow(paths)
            except FileNotFoundError:  # gone since we looked
                self._changed.wait(_AGAIN_S)
            except (OSError, ValueError) as error:  # a limit, or a name that is no UTF-8
                log.warning("cannot watch the library's files, looking now and then: %s", error)
                self._changed.wait(LOOK_AGAIN_S)
                self._on_change()

    def _follow(self, paths: frozenset[str]) -> None:
        """Wait for changes until the folders to watch are others."""
        roots = watched_roots(paths)
        above = {str(folder) for path in paths for folder in Path(path).parents}
        notify = RustNotify(
            list(roots),
            debug=False,
            force_polling=False,
            poll_delay_ms=0,
            recursive=False,
            ignore_permission_denied=True,
        )
        with notify:
            self._on_change()  # for what happened before the watch stood
            while not self._changed.is_set() and watched_roots(paths) == roots:
                found = notify.watch(
                    _LONGEST_MS, _QUIET_MS, int(LOOK_AGAIN_S * 1_000), self._changed
                )
                if found == "timeout" or any(
                    path in paths or path in above or os.path.dirname(path) in paths  # noqa: PTH120
                    for _, path in (found if isinstance(found, set) else ())
                ):
                    self._on_change()


def watched_roots(paths: Iterable[str]) -> Mapping[str, tuple[int, int]]:
    """Which folders to watch, with what tells one from its successor of the same name.

    A folder and the one it is in; of a file or of something that is not there, the nearest
    folder above it.
    """
    roots: dict[str, tuple[int, int]] = {}
    for path in sorted(paths):
        folder = Path(path)
        if identity := _identity(folder):
            roots[path] = identity
        for above in folder.parents:
            if identity := _identity(above):
                roots[str(above)] = identity
                break
        if len(roots) >= MAX_ROOTS:
            break
    return roots


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if folder.is_dir() else None
