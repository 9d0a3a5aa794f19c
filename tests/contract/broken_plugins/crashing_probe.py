"""Crashes natively when it is asked."""

import ctypes

from punktfunk.plugin import HostFacts, Manifest, Offer, hookimpl

manifest = Manifest(api=1, title="Crashing probe")


@hookimpl
def encode_offers(host: HostFacts) -> list[Offer]:
    ctypes.string_at(0)
    return []
