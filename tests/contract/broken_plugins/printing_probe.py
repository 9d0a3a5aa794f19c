"""Prints where the answers go."""

import os
import sys

from punktfunk.plugin import Availability, HostFacts, Kind, Manifest, Offer, hookimpl

print('{"begins": "healthy", "step": "import"}')

manifest = Manifest(api=1, title="Printing probe")


@hookimpl
def encode_offers(host: HostFacts) -> list[Offer]:
    print("{}" * 100_000)
    sys.stdout.flush()
    os.write(1, b"not an answer\n")
    assert sys.stdin.read() == ""
    yes = Availability.yes()
    return [Offer(kind=Kind.ENCODE, driver="printing_probe", title="Prints", availability=yes)]
