"""Where to send a stream: learned from the client's pings, and from nothing else.

docs/protocol/gamestream.md, section 4.1. Whoever makes us send to a third party's address
gets an amplifier, so a ping counts only when it carries the session's secret *and* comes
from the address we know the client by.
"""

import hmac
import ipaddress
from typing import Any, TypeAlias

PAYLOAD_BYTES = 16
MAX_PING_BYTES = 64
LEGACY_PING = b"PING"

Address: TypeAlias = tuple[Any, ...]
"""What a socket calls an address: `(host, port)`, and two more members for IPv6."""

_LOCAL_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)


class EndpointLearner:
    """Learns the address of one UDP stream of one session.

    Args:
        payload: The 16 secret bytes given to the client in SETUP.
        allowed_ip: Address of the client's TLS connection.
    """

    def __init__(self, payload: bytes, allowed_ip: str) -> None:
        if len(payload) != PAYLOAD_BYTES:
            raise ValueError("a ping payload has 16 bytes")
        self._payload = payload
        self._first_ip = normalize_ip(allowed_ip)
        self._newest_ip = self._first_ip
        self._legacy = False
        self._address: Address | None = None

    @property
    def address(self) -> Address | None:
        """Where to send, exactly as the socket named it; None before the first ping."""
        return self._address

    def allow_ip(self, ip: str) -> None:
        """The client proved that it lives here too: an authenticated control message came.

        Only the newest such address counts, besides the first one.
        """
        self._newest_ip = normalize_ip(ip)

    def allow_legacy_ping(self) -> None:
        """The client said in ANNOUNCE that it does not know ping payloads."""
        self._legacy = True

    def on_datagram(self, data: bytes, address: Address) -> bool:
        """Take a datagram; return whether it was a ping of this client.

        If so, `address` is from now on where the stream goes.
        """
        if not self._is_ping(data):
            return False
        try:
            ip = normalize_ip(str(address[0]))
        except ValueError:
            return False
        if ip not in (self._first_ip, self._newest_ip):
            return False
        self._address = address
        return True

    def _is_ping(self, data: bytes) -> bool:
        if self._legacy and data == LEGACY_PING:
            return True
        return PAYLOAD_BYTES <= len(data) <= MAX_PING_BYTES and hmac.compare_digest(
            data[:PAYLOAD_BYTES], self._payload
        )


def normalize_ip(ip: str) -> str:
    """Write an address so that two spellings of one address compare equal.

    IPv4 inside IPv6 becomes IPv4, a zone (`%eth0`) is dropped.

    Raises:
        ValueError: not an IP address.
    """
    address = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def is_local_network(ip: str) -> bool:
    """Whether an address belongs to this machine, a home network or a single link."""
    address = ipaddress.ip_address(normalize_ip(ip))
    return any(address in network for network in _LOCAL_NETWORKS)
