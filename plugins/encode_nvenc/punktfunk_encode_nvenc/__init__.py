"""NVENC as an encoder. In this version it only says what it finds."""

from punktfunk.plugin import Availability, HostFacts, Manifest, hookimpl
from punktfunk_encode_nvenc.machine import status

manifest = Manifest(api=1, title="NVIDIA NVENC")


@hookimpl
def plugin_status(host: HostFacts) -> Availability:
    return status(host)
