"""Wants an argument that the hook does not have."""

from punktfunk.plugin import HostFacts, Manifest, Offer, hookimpl

manifest = Manifest(api=1, title="Wrong arguments")


@hookimpl
def encode_offers(host: HostFacts, moon_phase: str) -> list[Offer]:
    return []
