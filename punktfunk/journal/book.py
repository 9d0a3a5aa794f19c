"""The journal's file: one JSON line an entry, appended and synced before the effect."""

import contextlib
import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

from punktfunk.errors import LeftAlone, PunktfunkError
from punktfunk.journal.lines import DONE, FAILED, LEFT, MADE, Entry, State, read, to_line
from punktfunk.model.plugins import Effect

log = logging.getLogger(__name__)

Undo = Callable[[Effect], bool]
"""Reverse one effect. True when it is gone, False to keep it for the next try; an error of ours
is kept with its words, and `LeftAlone` is the last word."""

_POLL_S = 0.05
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class JournalBusy(PunktfunkError):
    """Another process is at work on what the journal holds."""

    code = "journal_busy"


class Journal:
    """Effects that are not undone yet, on disk. Threads of one process may share it.

    A line that was cut by a crash is skipped: the effect it announced had not happened yet.
    When there is nothing left to tell the file is removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._held = -1
        self._load()

    def entries(self) -> tuple[Entry, ...]:
        """Everything there is to tell, oldest first."""
        with self._lock:
            return tuple(self._entries)

    def pending(self) -> tuple[Effect, ...]:
        """Effects to undo, oldest first."""
        return tuple(it.effect for it in self.entries() if it.state is State.PENDING)

    def record(self, effect: Effect) -> None:
        """Remember an effect that is about to happen."""
        with self._lock:
            self._append(to_line(MADE, effect))
            self._entries.append(Entry(journal=self.path.stem, effect=effect))

    def replace(self, old: Effect, new: Effect) -> None:
        """Remember the one instead of the other, with nothing in between."""
        with self._lock:
            found = self._find(old)
            if found is not None:
                self._append(to_line(MADE, new) + to_line(DONE, old))
                self._entries[self._entries.index(found)] = attrs.evolve(found, effect=new)

    def forget(self, effect: Effect) -> None:
        """The effect is gone. Unknown effects are ignored."""
        with self._lock:
            found = self._find(effect)
            if found is not None:
                self._drop(found)

    def give_up(self, entry_id: str) -> bool:
        """Forget an effect although it may be there. False when no entry has this id."""
        with self._lock:
            found = [it for it in self._entries if it.id == entry_id]
            for entry in found:
                self._drop(entry)
            return bool(found)

    def undo_all(self, undo: Undo) -> tuple[Effect, ...]:
        """Reverse everything, newest first. One that fails does not stop the others.

        Returns:
            What is still there and will be tried again.
        """
        for effect in reversed(self.pending()):
            try:
                if undo(effect):
                    self.forget(effect)
                else:
                    self._tell(effect, FAILED, "it is still there")
            except LeftAlone as error:
                log.warning("left alone: %s", error, extra={"kind": effect.kind})
                self._tell(effect, LEFT, str(error))
            except Exception as error:
                log.warning("could not undo an effect", extra={"kind": effect.kind}, exc_info=True)
                self._tell(effect, FAILED, str(error) or type(error).__name__)
        with self._lock:
            if not self._entries:  # it may have been cut off before its first line was written
                self._clear()
        return self.pending()

    def hold(self, timeout_s: float = 1.0) -> None:
        """Keep others from undoing this, until `release` or the end of this process.

        What another process wrote until now is read again.

        Raises:
            JournalBusy: another process holds it, and did so for all of the time.
        """
        deadline = time.monotonic() + timeout_s
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            descriptor = os.open(self.path, _FLAGS, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                if time.monotonic() >= deadline:
                    message = f"another process is at work on {self.path.name}"
                    raise JournalBusy(message) from None
                time.sleep(_POLL_S)
                continue
            if _is_at(descriptor, self.path):
                break
            os.close(descriptor)  # its holder has removed the file meanwhile
        with self._lock:
            self._held = descriptor
            self._load()

    def release(self) -> None:
        """Let others have it. Safe to call twice."""
        with self._lock:
            if self._held < 0:
                return
            if not self._entries:
                self.path.unlink(missing_ok=True)
            os.close(self._held)
            self._held = -1

    def _load(self) -> None:
        self._entries, self._torn = read(self.path)

    def _find(self, effect: Effect) -> Entry | None:
        return next((it for it in self._entries if it.effect == effect), None)

    def _drop(self, entry: Entry) -> None:
        self._entries.remove(entry)
        if self._entries:
            self._append(to_line(DONE, entry.effect))
        else:
            self._clear()

    def _tell(self, effect: Effect, sign: str, reason: str) -> None:
        with self._lock:
            found = self._find(effect)
            if found is None:
                return
            state = State.LEFT_ALONE if sign == LEFT else State.PENDING
            self._append(to_line(sign, effect, reason))
            told = attrs.evolve(found, state=state, reason=reason)
            self._entries[self._entries.index(found)] = told

    def _clear(self) -> None:
        self._torn = False
        if self._held < 0:
            self.path.unlink(missing_ok=True)
        else:
            os.ftruncate(self._held, 0)

    def _append(self, line: bytes) -> None:
        with self._opened() as descriptor:
            if self._torn:
                line = b"\n" + line
            self._torn = True
            if os.write(descriptor, line) != len(line):
                raise OSError(f"{self.path} could not be written to its end")
            self._torn = False
            os.fsync(descriptor)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        if self._held >= 0:
            yield self._held
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, _FLAGS, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a process is at work on this journal now."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
