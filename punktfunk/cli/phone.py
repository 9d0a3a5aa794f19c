"""The console on a phone: an address it can reach, and a picture of it to point its camera at."""

import io
from collections.abc import Mapping
from typing import Any

import segno

from punktfunk.config.addresses import in_url, parse_bind
from punktfunk.errors import ConfigError

ONLY_HERE = (
    "the console listens on this machine only; start the host with "
    "--mgmt-bind 0.0.0.0:47990 --mgmt-tls, or set mgmt.bind and mgmt.tls_own"
)


def address_for_phones(settings: Mapping[str, Any], host: Mapping[str, Any]) -> str:
    """Where another device finds the console, without a slash at its end.

    Args:
        settings: Values by key, as the running host has them.
        host: What `GET /host` says.

    Raises:
        ConfigError: nothing but this machine can reach it.
    """
    if settings["mgmt.public_url"]:
        return str(settings["mgmt.public_url"]).rstrip("/")
    bind = parse_bind(settings["mgmt.bind"])
    if bind.is_loopback:
        raise ConfigError(ONLY_HERE)
    address = host["local_ip"] if bind.is_wildcard else in_url(bind.address)
    return f"https://{address}:{host['ports']['mgmt']}"


def code_picture(link: str) -> str:
    """A QR code for a terminal, in lines of text."""
    out = io.StringIO()
    segno.make(link, error="l", micro=False).terminal(out=out, compact=True)
    return out.getvalue()
