"""Child process: undo one session's journal. `python -m punktfunk.session.cleanup FILE`.

A `CleanupRequest` comes as JSON on standard input.
"""

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import attrs

from punktfunk.errors import PunktfunkError
from punktfunk.journal import CORE_EFFECTS, Journal, JournalBusy
from punktfunk.model.offers import HostFacts
from punktfunk.model.plugins import Effect
from punktfunk.registry.calls import call_alone
from punktfunk.registry.discovery import PluginFilter
from punktfunk.registry.loading import Plugins, load_plugins
from punktfunk.registry.report import converter
from punktfunk.session.orphans import end_orphaned_worker
from punktfunk.session.scope import SCOPE, undo_scope
from punktfunk.session.seat import reap_orphans

PLUGIN_LIMIT_S = 5.0
"""How long a plugin may take over one effect; the others still have their turn."""
BUSY_S = 10.0
_KILLED_S = 5.0

_OURS: dict[str, Callable[[Effect], bool]] = {**CORE_EFFECTS, SCOPE: undo_scope}


@attrs.frozen(kw_only=True)
class CleanupRequest:
    """What the child has to know.

    Attributes:
        wanted: Plugins whose effects may be undone: none other is imported.
    """

    facts: HostFacts
    wanted: PluginFilter

    def to_json(self) -> bytes:
        return json.dumps(converter.unstructure(self)).encode()


class NotUndone(PunktfunkError):
    """Whoever could reverse it is not here, or takes too long."""

    code = "not_undone"


def undo(
    effect: Effect, plugins: Plugins, facts: HostFacts, limit_s: float = PLUGIN_LIMIT_S
) -> bool:
    """Reverse one effect: ours ourselves, a plugin's by its `effect_undo` hook.

    Raises:
        NotUndone: it cannot be tried.
        Anything: what the plugin raised.
    """
    if effect.kind in _OURS:
        return _OURS[effect.kind](effect)
    owner = effect.kind.partition(".")[0]
    if owner not in plugins.names:
        raise NotUndone(f"plugin {owner} is not here")
    return _in_time(
        lambda: call_alone(plugins.manager, owner, "effect_undo", effect=effect, host=facts),
        NotUndone(f"plugin {owner} took longer than {limit_s:g} s"),
        limit_s,
    )


def _in_time(call: Callable[[], object], late: NotUndone, limit_s: float) -> bool:
    """Wait for a call that may hang; then its thread is left behind."""
    answers: list[bool] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(call() is True)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit_s)
    if errors:
        raise NotUndone(str(errors[0])) if isinstance(errors[0], SystemExit) else errors[0]
    if not answers:
        raise late
    return answers[0]


def undo_journal(path: Path, request: CleanupRequest) -> int:
    """Undo what a journal holds; say on standard error what is left, and why.

    Returns:
        0 when nothing is left to undo.
    """
    journal = Journal(path)
    try:
        _hold(journal)
    except JournalBusy as error:
        print(error, file=sys.stderr)
        return 1
    foreign = any(effect.kind not in _OURS for effect in journal.pending())
    plugins = load_plugins(request.wanted if foreign else PluginFilter(allow=frozenset()))
    left = journal.undo_all(lambda effect: undo(effect, plugins, request.facts))
    for entry in journal.entries():
        if entry.effect in left:
            print(f"{entry.effect.kind}: {entry.reason}", file=sys.stderr)
    journal.release()
    reap_orphans()
    return 1 if left else 0


def _hold(journal: Journal) -> None:
    try:
        journal.hold(BUSY_S)
    except JournalBusy:
        if not end_orphaned_worker(journal.path):
            raise
        journal.hold(_KILLED_S)


def main() -> None:
    request = converter.structure(json.load(sys.stdin), CleanupRequest)
    status = undo_journal(Path(sys.argv[1]), request)
    sys.stderr.flush()
    os._exit(status)  # a plugin that hangs would keep a tidy end waiting


if __name__ == "__main__":
    main()
