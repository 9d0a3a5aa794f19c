"""Waits for ever when it is asked."""

import threading

from punktfunk.plugin import HostFacts, Manifest, Offer, hookimpl

manifest = Manifest(api=1, title="Hanging probe")


@hookimpl
def encode_offers(host: HostFacts) -> list[Offer]:
    threading.Event().wait()
    return []
