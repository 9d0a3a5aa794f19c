"""May we make devices on this machine? Opens the nodes, makes nothing."""

import os
from pathlib import Path

from punktfunk.plugin import Availability
from punktfunk_gamepad_uinput.rules import INSTALL

_NO_NODE_HINT = (
    "run `sudo modprobe {module}`, and for later starts `echo {module} | sudo tee "
    "/etc/modules-load.d/punktfunk-{module}.conf`; in a container, pass {path} in"
)


def node_availability(path: str) -> Availability:
    """Say whether a node is there and may be written to, and if not, what to do."""
    node = Path(path)
    if not node.exists():
        return Availability.no(
            f"there is no {path}: the kernel module is not loaded, or this is a container",
            hint=_NO_NODE_HINT.format(module=node.name, path=path),
        )
    if not os.access(node, os.R_OK | os.W_OK):
        return Availability.no(f"{path} may not be opened by this user", hint=INSTALL)
    return Availability.yes()
