"""Where webhooks may go: names become addresses once, and only those are connected to."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

import attrs

from punktfunk.errors import Refused

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Finds the addresses of a name. Raises OSError."""

_GLOBAL_IPV6 = IPv6Network("2000::/3")
_CARRY_IPV4 = (IPv6Network("2001::/32"), IPv6Network("2002::/16"))
_PORTS = {"http": 80, "https": 443}


@attrs.frozen
class Target:
    """A web address, taken apart.

    Attributes:
        host: As it stands in the URL: a name or an address.
        path: With the query. As secret as a password.
    """

    scheme: str
    host: str
    port: int
    path: str = attrs.field(repr=False)

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}"

    @property
    def origin(self) -> str:
        """What a log may say of it."""
        return f"{self.scheme}://{self.host_header}"


def target_of(url: str) -> Target:
    """Take apart what `punktfunk.config.web_addresses` has accepted."""
    parts = urlsplit(url)
    path = parts.path or "/"
    return Target(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port or _PORTS[parts.scheme],
        path=f"{path}?{parts.query}" if parts.query else path,
    )


async def addresses_of(target: Target, resolve: Resolve, *, allow_private: bool) -> list[str]:
    """Look the name up, and keep the addresses that may be connected to.

    Raises:
        Refused: all of them lead into this machine or a private network.
        OSError: the name has none.
    """
    found = await resolve(target.host, target.port)
    allowed = [address for address in found if allow_private or is_public(address)]
    if not allowed:
        raise Refused(
            f"{target.origin} is in this machine or a private network; "
            "if that is meant, set allow_private"
        )
    return allowed


def is_public(text: str) -> bool:
    """Say whether an address is one of the open Internet, and no way around to another."""
    address: IPv4Address | IPv6Address = ip_address(text)
    if isinstance(address, IPv6Address) and (
        address not in _GLOBAL_IPV6 or any(address in network for network in _CARRY_IPV4)
    ):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system. In a thread that keeps nobody from exiting: an answer may take minutes."""
    answer: Future[Sequence[str]] = Future()
    answer.set_running_or_notify_cancel()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            answer.set_exception(OSError(f"the name {host} cannot be found: {error}"))
        else:
            answer.set_result(list(dict.fromkeys(str(address[0]) for *_, address in found)))

    threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
    return await asyncio.wrap_future(answer)
