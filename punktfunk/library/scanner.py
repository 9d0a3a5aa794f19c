"""Has stores list their games, in a child process that may be killed."""

from collections.abc import Iterable

from punktfunk.library.listing import MAX_LINE_BYTES, Listing, check_listing
from punktfunk.model.offers import HostFacts
from punktfunk.registry.asking import Failure, ProbeLimits, ask_plugins
from punktfunk.registry.probe_child import ChildKind

LIMITS = ProbeLimits(plugin_s=20.0, total_s=60.0)

_SCAN = ChildKind(
    module="punktfunk.library.scan_child",
    answer=Listing,
    noun="scan",
    doing="listing games",
    max_line_bytes=MAX_LINE_BYTES,
)


async def scan(
    stores: Iterable[str], facts: HostFacts, limits: ProbeLimits = LIMITS
) -> dict[str, Listing | Failure]:
    """Ask each store once. A store that crashes or hangs costs only its own list.

    Args:
        stores: Names of installed plugins.
        facts: What plugins are told about the machine, their settings included.
        limits: 20 s a store and 60 s in all, unless told otherwise.
    """
    return await ask_plugins(_SCAN, stores, facts, limits, check_listing)
