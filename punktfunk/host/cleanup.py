"""Taking back what a worker did not live to take back itself.

The work is done in a child process: it may wait, kill, and load plugins, none of which
belongs on the host's event loop.
"""

import asyncio
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from punktfunk.journal import Journal
from punktfunk.journal.commands import TIMEOUT_S as COMMAND_TIMEOUT_S
from punktfunk.model.offers import HostFacts
from punktfunk.model.plugins import Effect
from punktfunk.registry.discovery import PluginFilter
from punktfunk.session.cleanup import CleanupRequest

log = logging.getLogger(__name__)

_TIMEOUT_S = 20.0
"""Besides the time that the user's own commands may take."""


class Cleaner:
    """Runs `punktfunk.session.cleanup` on journals that still have something open."""

    def __init__(self, folder: Path, facts: HostFacts, wanted: PluginFilter) -> None:
        self._folder = folder
        self._request = CleanupRequest(facts=facts, wanted=wanted).to_json()

    async def clean_all(self) -> None:
        """At start: whatever an earlier host left behind."""
        for journal in _journals(self._folder):
            log.warning("taking back what an earlier session left behind: %s", journal.name)
            await self.clean(journal)

    async def clean(self, journal: Path) -> None:
        """Undo one journal. What cannot be undone stays in it for the next start."""
        if not _left(journal):
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
        if _left(journal):
            log.error(
                "not everything could be taken back; the next start tries again: %s",
                errors.decode(errors="replace").strip(),
                extra={"journal": str(journal)},
            )

    def pending(self) -> Mapping[str, tuple[Effect, ...]]:
        """What every journal still holds, by the journal's name."""
        return {path.stem: Journal(path).pending() for path in _journals(self._folder)}

    def journal(self, name: str) -> Path:
        return self._folder / f"{name}.jsonl"


def _journals(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def _time_for(effects: Sequence[Effect]) -> float:
    return _TIMEOUT_S + COMMAND_TIMEOUT_S * sum(effect.kind == "command" for effect in effects)


def _left(journal: Path) -> bool:
    return journal.exists()
