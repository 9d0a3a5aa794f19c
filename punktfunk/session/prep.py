"""Commands of the user that run before a session and are taken back after it."""

from collections.abc import Mapping

from punktfunk.errors import DriverFailed
from punktfunk.journal import Journal, command
from punktfunk.journal.commands import CommandFailed, run_command
from punktfunk.journal.effects import COMMAND_MARK
from punktfunk.model.session import SessionPlan


def prepare(plan: SessionPlan, journal: Journal) -> None:
    """Run them in order, in the host's surroundings and not in the session's.

    What takes them back stays in the journal: the host has it run when the worker is gone, as
    it does after a crash. A worker that took its time over it would pass for one that hangs.

    Raises:
        DriverFailed: one did not do its work; those before it are still taken back.
    """
    environment = told_to_commands(plan)
    for prep in plan.prep:
        begun = command(prep.undo, environment, running=plan.seat)
        if prep.undo:
            journal.record(begun)
        if prep.do:
            try:
                run_command(prep.do, {**environment, COMMAND_MARK: plan.seat})
            except CommandFailed as error:
                raise DriverFailed(f"a command before the session failed: {error}") from error
        # From here on it may have left something running, which the other one knows how to end.
        journal.replace(begun, command(prep.undo, environment))


def told_to_commands(plan: SessionPlan) -> Mapping[str, str]:
    """What commands learn of the session."""
    return {
        "PUNKTFUNK_SESSION_ID": str(plan.session_id),
        "PUNKTFUNK_APP_TITLE": plan.app_title,
        "PUNKTFUNK_WIDTH": str(plan.mode.width_px),
        "PUNKTFUNK_HEIGHT": str(plan.mode.height_px),
        "PUNKTFUNK_FPS": f"{plan.mode.refresh_mhz / 1_000:g}",
    }
