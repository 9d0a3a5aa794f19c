"""Which folders have to change for the games to change."""

from pathlib import Path

from punktfunk.plugin import HostFacts
from punktfunk_store_roms.plan import read_plan
from punktfunk_store_roms.scanning import Scan

MAX_PATHS = 500


def watched_paths(host: HostFacts) -> list[Path]:
    """Name the folders of the settings first, then those below them."""
    plan = read_plan(host)
    scan = Scan()
    tops = [collection.folder for collection in plan.collections]
    found = dict.fromkeys((*plan.parents, *tops))
    for top in tops:
        for listing in scan.listings(top):
            found.setdefault(listing.folder)
            if len(found) >= MAX_PATHS:
                return list(found)[:MAX_PATHS]
    return list(found)
