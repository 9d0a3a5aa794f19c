"""Child process: undo one session's journal. `python -m punktfunk.session.cleanup FILE`.

A `CleanupRequest` comes as JSON on standard input.
"""

import json
import sys
from pathlib import Path

import attrs

from punktfunk.journal import CORE_EFFECTS, Journal, undo_core_effect
from punktfunk.model.offers import HostFacts
from punktfunk.model.plugins import Effect
from punktfunk.registry.calls import call_alone
from punktfunk.registry.discovery import PluginFilter
from punktfunk.registry.loading import Plugins, load_plugins
from punktfunk.registry.report import converter
from punktfunk.session.seat import reap_orphans


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


def undo(effect: Effect, plugins: Plugins, facts: HostFacts) -> bool:
    """Reverse one effect: ours ourselves, a plugin's by its `effect_undo` hook."""
    if effect.kind in CORE_EFFECTS:
        return undo_core_effect(effect)
    owner = effect.kind.partition(".")[0]
    if owner not in plugins.names:
        print(f"{effect.kind}: plugin {owner} is not here", file=sys.stderr)
        return False
    return bool(call_alone(plugins.manager, owner, "effect_undo", effect=effect, host=facts))


def main() -> int:
    """Exit with 0 when nothing is left to undo."""
    request = converter.structure(json.load(sys.stdin), CleanupRequest)
    journal = Journal(Path(sys.argv[1]))
    foreign = any(effect.kind not in CORE_EFFECTS for effect in journal.pending())
    plugins = load_plugins(request.wanted if foreign else PluginFilter(allow=frozenset()))
    left = journal.undo_all(lambda effect: undo(effect, plugins, request.facts))
    reap_orphans()
    return 1 if left else 0


if __name__ == "__main__":
    raise SystemExit(main())
