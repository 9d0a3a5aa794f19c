"""Steam as a store. In this version it only says what it finds."""

from punktfunk.plugin import Availability, HostFacts, Manifest, hookimpl
from punktfunk_store_steam.roots import status

manifest = Manifest(api=1, title="Steam")


@hookimpl
def plugin_status(host: HostFacts) -> Availability:
    return status(host)
