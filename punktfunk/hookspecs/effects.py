"""Undoing what a session left behind."""

from punktfunk.hookspecs.markers import hookspec
from punktfunk.model.offers import HostFacts
from punktfunk.model.plugins import Effect


@hookspec
def effect_undo(effect: Effect, host: HostFacts) -> bool:
    """Reverse an effect that one of your drivers recorded and did not live to reverse.

    Called when a session ended and when the host starts, only for effects whose kind
    begins with your plugin's name. Look first whether the thing is still there and still
    ours: then reverse it, otherwise leave it alone. Must be safe to call again.

    Returns:
        True when the effect is gone, by your hand or already before. False to be asked
        again at the next start.

    Raises:
        LeftAlone: the thing was changed by somebody since, and is theirs now. You are not
            asked again; people see your words in `punktfunk undo --list`.
        Anything else: as False; its words are shown.
    """
