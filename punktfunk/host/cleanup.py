"""Taking back what a worker did not live to take back itself.

The work is done in a child process: it may wait, kill, and load plugins, none of which
belongs on the host's event loop.
"""

import asyncio
import logging
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from punktfunk.journal import CORE_EFFECTS, Entry, Journal, State, is_held
from punktfunk.journal.commands import TIMEOUT_S as COMMAND_TIMEOUT_S
from punktfunk.model.offers import HostFacts
from punktfunk.model.plugins import Effect
from punktfunk.registry.discovery import PluginFilter
from punktfunk.session.cleanup import BUSY_S, PLUGIN_LIMIT_S, CleanupRequest

log = logging.getLogger(__name__)

_TIMEOUT_S = 20.0
"""Besides the time that waiting, plugins, and the user's own commands may take."""


class Cleaner:
    """Runs `punktfunk.session.cleanup` on journals that still have something open."""

    def __init__(self, folder: Path, facts: HostFacts, wanted: PluginFilter) -> None:
        self._folder = folder
        self._request = CleanupRequest(facts=facts, wanted=wanted).to_json()

    async def clean_all(self) -> None:
        """At start: whatever an earlier host left behind."""
        for journal in filter(_has_work, _journals(self._folder)):
            log.warning("taking back what an earlier session left behind: %s", journal.name)
            await self.clean(journal)

    async def clean(self, journal: Path) -> None:
        """Undo one journal. What cannot be undone stays in it for the next start."""
        if not _has_work(journal):
            return
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", "punktfunk.session.cleanup", str(journal)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_time_for(Journal(journal).pending())):
                _, errors = await process.communicate(self._request)
        except TimeoutError:
            process.kill()
            await process.wait()
            errors = b"it took too long"
        for entry in Journal(journal).entries():
            if entry.state is State.LEFT_ALONE:
                log.warning("left as it is: %s", entry.reason, extra={"kind": entry.effect.kind})
        if _has_work(journal):
            log.error(
                "not everything could be taken back; the next start tries again: %s",
                errors.decode(errors="replace").strip(),
                extra={"journal": str(journal)},
            )

    async def clean_but(self, running: Collection[str]) -> None:
        """Undo every journal but those of these seats, and of workers that are at work."""
        for journal in _journals(self._folder):
            if journal.stem not in running and not is_held(journal):
                await self.clean(journal)

    def entries(self) -> tuple[Entry, ...]:
        """What all journals have to tell."""
        return tuple(it for path in _journals(self._folder) for it in Journal(path).entries())

    def give_up(self, entry: Entry) -> None:
        """Forget an effect, whether it is there or not.

        Raises:
            JournalBusy: it is being undone, or its session runs.
        """
        journal = Journal(self._folder / f"{entry.journal}.jsonl")
        journal.hold(0)
        try:
            journal.give_up(entry.id)
        finally:
            journal.release()


def _journals(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def _time_for(effects: Sequence[Effect]) -> float:
    commands = sum(effect.kind == "command" for effect in effects)
    foreign = sum(effect.kind not in CORE_EFFECTS for effect in effects)
    return _TIMEOUT_S + BUSY_S + COMMAND_TIMEOUT_S * commands + PLUGIN_LIMIT_S * foreign


def _has_work(journal: Path) -> bool:
    """Not when it only tells of what was left alone. An empty file is to be removed."""
    if not journal.exists():
        return False
    entries = Journal(journal).entries()
    return not entries or any(it.state is State.PENDING for it in entries)
