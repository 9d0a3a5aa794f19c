"""What the journal's lines say, and how they are read back after a crash."""

import json
import time
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import attrs

from punktfunk.model.plugins import Effect

MADE, DONE, FAILED, LEFT = "+", "-", "!", "="
"""About to happen; gone; a try did not reverse it; left alone for good."""

_MAX_BYTES = 4 << 20
_MAX_REASON = 500
_TELL_FOR_S = 30 * 86_400
"""How long we tell of what was left alone."""


class State(StrEnum):
    """What becomes of an effect at the next try."""

    PENDING = "pending"
    LEFT_ALONE = "left_alone"


@attrs.frozen(kw_only=True)
class Entry:
    """One effect, and how far undoing it came.

    Attributes:
        journal: Name of the journal: the session's seat.
        reason: Why the last try did not reverse it, or why it is left alone; empty before
            the first try.
    """

    journal: str
    effect: Effect
    state: State = State.PENDING
    reason: str = ""

    @property
    def id(self) -> str:
        """The same for as long as the effect is known."""
        told = json.dumps([self.journal, self.effect.kind, self.effect.data], sort_keys=True)
        return sha256(told.encode()).hexdigest()[:8]


def to_line(sign: str, effect: Effect, reason: str = "") -> bytes:
    line: dict[str, object] = {"op": sign, "kind": effect.kind, "data": effect.data}
    if effect.until_reboot:
        line["boot"] = this_boot()
    if reason:
        line |= {"reason": reason[:_MAX_REASON], "at": int(time.time())}
    return json.dumps(line).encode() + b"\n"


def read(path: Path, now_s: Callable[[], float] = time.time) -> tuple[list[Entry], bool]:
    """Read what a file leaves open, oldest first. Damaged lines are skipped, never fatal.

    Returns:
        Also whether the last line was cut: what comes next needs a line of its own.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES)
    except FileNotFoundError:
        return [], False
    entries: list[Entry] = []
    for line in data.decode(errors="replace").splitlines():
        try:
            told = json.loads(line)
            effect = Effect(
                kind=str(told["kind"]), data=dict(told["data"]), until_reboot="boot" in told
            )
            _take(entries, told["op"], effect, told, path.stem, now_s)
        except (ValueError, KeyError, TypeError):
            continue
    return entries, bool(data) and not data.endswith(b"\n")


def _take(
    entries: list[Entry],
    sign: str,
    effect: Effect,
    told: dict[str, Any],
    journal: str,
    now_s: Callable[[], float],
) -> None:
    if sign == MADE:
        if not effect.until_reboot or told["boot"] == this_boot():
            entries.append(Entry(journal=journal, effect=effect))
        return
    index = next((i for i, it in enumerate(entries) if it.effect == effect), None)
    if index is None:
        return
    if sign == FAILED:
        entries[index] = attrs.evolve(entries[index], reason=str(told["reason"]))
    elif sign == LEFT and now_s() - float(told["at"]) < _TELL_FOR_S:
        entries[index] = attrs.evolve(
            entries[index], state=State.LEFT_ALONE, reason=str(told["reason"])
        )
    elif sign in (DONE, LEFT):
        del entries[index]


@cache
def this_boot() -> str:
    """What the kernel calls the time since it was started; empty where it does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
