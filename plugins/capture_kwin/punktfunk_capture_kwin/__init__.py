"""KWin as a compositor. In this version it only says what it finds."""

from punktfunk.plugin import Availability, HostFacts, Manifest, hookimpl
from punktfunk_capture_kwin.machine import status

manifest = Manifest(api=1, title="KWin (Plasma)")


@hookimpl
def plugin_status(host: HostFacts) -> Availability:
    return status(host)
