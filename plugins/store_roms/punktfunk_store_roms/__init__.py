"""ROMs as a store."""

from punktfunk.plugin import Availability, HostFacts, Manifest, hookimpl

manifest = Manifest(api=1, title="ROMs")


@hookimpl
def plugin_status(host: HostFacts) -> Availability:
    return Availability.no("listing games is not in this version")
