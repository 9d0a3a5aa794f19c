"""Ends its process without a word when it is asked."""

import os

from punktfunk.plugin import HostFacts, Manifest, Offer, hookimpl

manifest = Manifest(api=1, title="Exiting probe")


@hookimpl
def encode_offers(host: HostFacts) -> list[Offer]:
    os._exit(3)
