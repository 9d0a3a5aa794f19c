"""`ADDRESS:PORT` as people write it."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

import attrs

_FORM = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<name>[^:\[\]]+)):(?P<port>[0-9]{1,5})")


@attrs.frozen
class Bind:
    """Where to listen. Port 0 takes any free one."""

    address: IPv4Address | IPv6Address
    port: int

    @property
    def is_loopback(self) -> bool:
        return self.address.is_loopback

    @property
    def is_wildcard(self) -> bool:
        return self.address.is_unspecified

    def __str__(self) -> str:
        return f"{in_url(self.address)}:{self.port}"


def in_url(address: IPv4Address | IPv6Address) -> str:
    """Write an address the way it stands in a URL."""
    return f"[{address}]" if address.version == 6 else str(address)


def parse_bind(text: str) -> Bind:
    """Read `127.0.0.1:47990`, `[::1]:47990` or `localhost:47990`.

    Raises:
        ValueError: it is nothing of the kind.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None or int(match["port"]) > 65_535:
        raise ValueError("not ADDRESS:PORT")
    name = match["v6"] or match["name"]
    address = ip_address("127.0.0.1" if name == "localhost" else name)
    if (address.version == 6) != (match["v6"] is not None):
        raise ValueError("not ADDRESS:PORT")
    return Bind(address, int(match["port"]))


def is_bind(text: str) -> bool:
    try:
        parse_bind(text)
    except ValueError:
        return False
    return True


def is_address_or_empty(text: str) -> bool:
    try:
        return not text or bool(ip_address(text))
    except ValueError:
        return False
