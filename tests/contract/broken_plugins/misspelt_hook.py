"""Forgot an s."""

from punktfunk.plugin import HostFacts, Manifest, Offer, hookimpl

manifest = Manifest(api=1, title="Misspelt hook")


@hookimpl
def encode_offer(host: HostFacts) -> list[Offer]:
    return []
