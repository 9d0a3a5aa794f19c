"""This machine's addresses and network cards."""

import socket
from pathlib import Path

import ifaddr

from punktfunk.gamestream.nvhttp import NO_MAC

_CARDS = Path("/sys/class/net")


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
