"""Where this host is reached, as a person types it in."""

from collections.abc import Sequence

from quart import request

from punktfunk.config.settings import GAMESTREAM_BASE_PORT
from punktfunk.mgmt.requests import backing, host
from punktfunk.mgmt.sites import came_by


def for_moonlight() -> Sequence[str]:
    """For a client that does not find this host by itself; most likely first."""
    info = host().info()
    return [_with_port(it, info.ports.http) for it in info.addresses]


def of_console() -> str:
    """Of the console, for the browser that asks."""
    public = backing().access.public
    if public is not None and came_by(request, public):
        return f"{public.origin}{public.prefix}/"
    return request.host_url


def _with_port(address: str, port: int) -> str:
    """Moonlight looks at the usual port when none is named."""
    if port == GAMESTREAM_BASE_PORT:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
