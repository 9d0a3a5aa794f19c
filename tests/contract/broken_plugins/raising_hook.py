"""Raises in one hook and answers the other."""

from punktfunk.plugin import Availability, HostFacts, Kind, Manifest, Offer, hookimpl

manifest = Manifest(api=1, title="Raising hook")


@hookimpl
def encode_offers(host: HostFacts) -> list[Offer]:
    raise RuntimeError("the card fell out")


@hookimpl
def capture_offers(host: HostFacts) -> list[Offer]:
    yes = Availability.yes()
    return [Offer(kind=Kind.CAPTURE, driver="raising_hook", title="Fine", availability=yes)]
