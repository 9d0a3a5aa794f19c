"""The journal's file: one JSON line an entry, appended and synced before the effect."""

import json
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from punktfunk.model.plugins import Effect

log = logging.getLogger(__name__)

Undo = Callable[[Effect], bool]
"""Reverse one effect. True when it is gone, False to keep it for the next try."""

_MAX_BYTES = 4 << 20


class Journal:
    """Effects that are not undone yet, on disk. Threads of one process may share it.

    The file holds `+ effect` and `- effect` lines. A line that was cut by a crash is
    skipped: the effect it announced had not happened yet. When nothing is left to undo
    the file is removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._open: list[Effect] = _read(path)

    def pending(self) -> tuple[Effect, ...]:
        """Effects to undo, oldest first."""
        with self._lock:
            return tuple(self._open)

    def record(self, effect: Effect) -> None:
        """Remember an effect that is about to happen."""
        with self._lock:
            self._append("+", effect)
            self._open.append(effect)

    def forget(self, effect: Effect) -> None:
        """The effect is gone. Unknown effects are ignored."""
        with self._lock:
            if effect not in self._open:
                return
            self._open.remove(effect)
            if self._open:
                self._append("-", effect)
            else:
                self.path.unlink(missing_ok=True)

    def undo_all(self, undo: Undo) -> tuple[Effect, ...]:
        """Reverse everything, newest first. One that fails does not stop the others.

        Returns:
            What is still there.
        """
        for effect in reversed(self.pending()):
            try:
                gone = undo(effect)
            except Exception:
                log.warning("could not undo an effect", extra={"kind": effect.kind}, exc_info=True)
                gone = False
            if gone:
                self.forget(effect)
        with self._lock:
            if not self._open:  # it may have been cut off before its first line was written
                self.path.unlink(missing_ok=True)
        return self.pending()

    def _append(self, sign: str, effect: Effect) -> None:
        line = json.dumps({"op": sign, "kind": effect.kind, "data": effect.data}) + "\n"
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _read(path: Path) -> list[Effect]:
    """The effects a file leaves open. Damaged lines are skipped, never fatal."""
    try:
        text = path.read_bytes()[:_MAX_BYTES].decode(errors="replace")
    except FileNotFoundError:
        return []
    left: list[Effect] = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
            effect = Effect(kind=str(entry["kind"]), data=dict(entry["data"]))
            sign = entry["op"]
        except (ValueError, KeyError, TypeError):
            continue
        if sign == "+":
            left.append(effect)
        elif effect in left:
            left.remove(effect)
    return left
