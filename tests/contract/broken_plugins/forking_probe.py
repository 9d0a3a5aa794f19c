"""Leaves a process behind that holds on to everything it inherited."""

import os
import signal
from pathlib import Path

from punktfunk.plugin import (
    Availability,
    HostFacts,
    Kind,
    Manifest,
    Offer,
    Setting,
    hookimpl,
)

manifest = Manifest(
    api=1,
    title="Forking probe",
    settings=(
        Setting(name="pid_file", type=str, default="", doc="Where to write the process number."),
        Setting(name="crash", type=bool, default=False, doc="Crash after having forked."),
    ),
)


@hookimpl
def encode_offers(host: HostFacts) -> list[Offer]:
    settings = host.settings["forking_probe"]
    pid = os.fork()
    if not pid:
        signal.pause()
        os._exit(0)
    if settings["pid_file"]:
        Path(str(settings["pid_file"])).write_text(str(pid))
    if settings["crash"]:
        os.abort()
    yes = Availability.yes()
    return [Offer(kind=Kind.ENCODE, driver="forking_probe", title="Forks", availability=yes)]
