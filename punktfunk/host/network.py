"""This machine's addresses and network cards."""

import errno
import socket
from ipaddress import ip_address
from pathlib import Path

import ifaddr

from punktfunk.gamestream.nvhttp import NO_MAC

_CARDS = Path("/sys/class/net")
_ALL_ADDRESSES = ("0.0.0.0", "::")


def mac_of(address: str) -> str:
    """The hardware address behind one of our IP addresses, for wake-on-LAN.

    Returns:
        Six pairs of hex digits; all zero when the address belongs to no card.
    """
    for adapter in ifaddr.get_adapters():
        ips = [ip.ip if isinstance(ip.ip, str) else ip.ip[0] for ip in adapter.ips]
        if address in ips:
            try:
                return (_CARDS / adapter.name / "address").read_text().strip() or NO_MAC
            except OSError:
                return NO_MAC
    return NO_MAC


def local_ip() -> str:
    """The address this machine would speak from; nothing is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            address: str = probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"
    return address


def client_addresses(bind: str) -> tuple[str, ...]:
    """Where clients can reach this machine, most likely first; link-local ones are left out.

    Args:
        bind: The only address it listens on; empty for all.
    """
    if bind and bind not in _ALL_ADDRESSES:
        return (bind,)
    found = [
        ip_address(it.ip if isinstance(it.ip, str) else it.ip[0])
        for adapter in ifaddr.get_adapters()
        for it in adapter.ips
    ]
    ours = [
        str(it)
        for it in sorted(found, key=lambda it: (it.version, int(it)))
        if not (it.is_loopback or it.is_link_local or (it.version == 6 and bind == "0.0.0.0"))
    ]
    return tuple(dict.fromkeys([local_ip(), *ours]))


def usable_addresses() -> list[str]:
    """What to listen on for everybody: all addresses of the kinds that this machine has."""
    return [address for address in _ALL_ADDRESSES if ":" not in address or _has_ipv6()]


def why_no_port(error: OSError) -> str:
    """Why a port could not be opened, for a person."""
    if error.errno == errno.EADDRINUSE:
        return "a port is taken; another host may be running (--base-port moves all ports)"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine does not have that address"
    return error.strerror or str(error)


def _has_ipv6() -> bool:
    return Path("/proc/net/if_inet6").exists()
