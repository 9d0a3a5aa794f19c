"""What is true of this machine, read once for every plugin."""

import os
from collections.abc import Mapping
from pathlib import Path

from punktfunk.model.offers import HostFacts

_ALLOWED = frozenset(
    {"DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "HOME", "LANG", "PATH", "PULSE_SERVER"}
    | {"HYPRLAND_INSTANCE_SIGNATURE", "SWAYSOCK", "WAYLAND_DISPLAY", "XAUTHORITY"}
)


def gather_facts(
    settings: Mapping[str, Mapping[str, object]] | None = None,
    environment: Mapping[str, str] | None = None,
    dev: Path = Path("/dev"),
) -> HostFacts:
    """Look at the machine.

    Args:
        settings: Each plugin's table, by plugin name.
        environment: The host's own by default; cut down to the session variables.
        dev: Where device nodes are.
    """
    return HostFacts(
        kernel=os.uname().release,
        uid=os.getuid(),
        environment=session_environment(os.environ if environment is None else environment),
        render_nodes=tuple(
            str(node)
            for node in sorted(dev.glob("dri/renderD*"))
            if os.access(node, os.R_OK | os.W_OK)
        ),
        settings=settings or {},
    )


def session_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Keep only what says how to reach the user's session."""
    return {
        name: value
        for name, value in sorted(environment.items())
        if name in _ALLOWED or name.startswith("XDG_")
    }
