"""Commands of the user that run before a session and are taken back after it."""

from collections.abc import Mapping

from punktfunk.errors import DriverFailed
from punktfunk.journal import Journal, command
from punktfunk.journal.commands import CommandFailed, run_command
from punktfunk.journal.effects import undo_core_effect
from punktfunk.model.plugins import Effect
from punktfunk.model.session import SessionPlan


class Preparation:
    """They run in the host's surroundings, not in the session's: that is what they are for."""

    def __init__(self, plan: SessionPlan, journal: Journal) -> None:
        self._commands = plan.prep
        self._environment = told_to_commands(plan)
        self._journal = journal
        self._effects: list[Effect] = []

    def run(self) -> None:
        """Run them in order.

        Raises:
            DriverFailed: one did not do its work; those before it must still be undone.
        """
        for prep in self._commands:
            if prep.undo:
                effect = command(prep.undo, self._environment)
                self._effects.append(effect)
                self._journal.record(effect)
            if prep.do:
                try:
                    run_command(prep.do, self._environment)
                except CommandFailed as error:
                    raise DriverFailed(f"a command before the session failed: {error}") from error

    def undo(self) -> None:
        """Run what takes them back, the last one first. Safe to call twice."""
        while self._effects:
            effect = self._effects.pop()
            undo_core_effect(effect)
            self._journal.forget(effect)


def told_to_commands(plan: SessionPlan) -> Mapping[str, str]:
    """What commands learn of the session."""
    return {
        "PUNKTFUNK_SESSION_ID": str(plan.session_id),
        "PUNKTFUNK_APP_TITLE": plan.app_title,
        "PUNKTFUNK_WIDTH": str(plan.mode.width_px),
        "PUNKTFUNK_HEIGHT": str(plan.mode.height_px),
        "PUNKTFUNK_FPS": f"{plan.mode.refresh_mhz / 1_000:g}",
    }
