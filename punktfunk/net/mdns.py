"""Telling the network that we are here (docs/protocol/gamestream.md, section 1.2)."""

import asyncio
import contextlib
import logging
import re
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import attrs
import ifaddr
from zeroconf import IPVersion, NonUniqueNameException, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

SERVICE_TYPE = "_nvstream._tcp.local."
MAX_LABEL_BYTES = 63

_EMPTY_TXT = b"\x00"
"""One empty string. No string at all is not legal, and Apple's resolvers mind."""

_ANY = ("0.0.0.0", "::")

log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Announcement:
    """Attributes: `addresses` are those of the interfaces to speak on, never loopback."""

    name: str
    hostname: str
    port: int
    addresses: tuple[str, ...]


class Announcer:
    """Announces the host while it runs. Trouble is a warning: clients can type an address."""

    def __init__(self) -> None:
        self._zeroconf: AsyncZeroconf | None = None
        self._info: ServiceInfo | None = None

    @property
    def running(self) -> bool:
        return self._info is not None

    async def start(self, name: str, port: int, listening: Sequence[str]) -> None:
        """Announce `name`, unless the host listens on loopback only.

        Args:
            name: What clients show; made safe for DNS here.
            port: Of plain nvhttp.
            listening: Addresses nvhttp is bound to, such as `0.0.0.0`.
        """
        addresses = await asyncio.to_thread(announced_addresses, listening)
        if not addresses:
            return
        announcement = Announcement(
            name=name, hostname=socket.gethostname(), port=port, addresses=addresses
        )
        await self.announce(announcement)

    async def announce(self, announcement: Announcement) -> None:
        """Announce exactly this, on exactly these interfaces."""
        try:
            self._zeroconf = AsyncZeroconf(
                interfaces=list(announcement.addresses),
                ip_version=_ip_version(announcement.addresses),
            )
            self._info = service_info(announcement)
            await self._zeroconf.async_register_service(self._info, allow_name_change=True)
        except (OSError, RuntimeError, NonUniqueNameException) as error:
            log.warning(
                "the network cannot be told about this host; clients have to type its address",
                extra={"reason": str(error)},
            )
            await self.stop()

    async def stop(self) -> None:
        """Say goodbye to the network. Twice is fine."""
        zeroconf, info = self._zeroconf, self._info
        self._zeroconf = self._info = None
        if zeroconf is None:
            return
        with contextlib.suppress(OSError, RuntimeError):
            if info is not None:
                await zeroconf.async_unregister_service(info)
            await zeroconf.async_close()


def service_info(announcement: Announcement) -> ServiceInfo:
    """The records. The server name is not the machine's own: a daemon may announce that."""
    return ServiceInfo(
        SERVICE_TYPE,
        f"{label(announcement.name)}.{SERVICE_TYPE}",
        port=announcement.port,
        properties=_EMPTY_TXT,
        server=f"{label(announcement.hostname.partition('.')[0], '-stream')}.local.",
        parsed_addresses=list(announcement.addresses),
    )


def label(text: str, suffix: str = "") -> str:
    """A DNS label of at most 63 safe bytes, ending in `suffix`."""
    safe = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-") or "punktfunk"
    return safe[: MAX_LABEL_BYTES - len(suffix)].rstrip("-") + suffix


def announced_addresses(
    listening: Sequence[str], of_this_machine: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Which addresses clients can reach: those listened on, `any` spelled out, no loopback.

    Args:
        of_this_machine: All addresses of all interfaces; looked up when not given.
    """
    if not set(listening).isdisjoint(_ANY) and of_this_machine is None:
        ips = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips]
        of_this_machine = [ip if isinstance(ip, str) else ip[0] for ip in ips]
    found: dict[str, None] = {}
    for address in listening:
        for candidate in (of_this_machine or ()) if address in _ANY else (address,):
            if _reachable(candidate, within=address):
                found[candidate] = None
    return tuple(found)


def _reachable(candidate: str, within: str) -> bool:
    try:
        parsed = ip_address(candidate)
        same_family = within not in _ANY or parsed.version == ip_address(within).version
    except ValueError:
        return False
    needs_scope = parsed.version == 6 and parsed.is_link_local  # which DNS cannot say
    return same_family and not (parsed.is_loopback or parsed.is_unspecified or needs_scope)


def _ip_version(addresses: Sequence[str]) -> IPVersion:
    kinds = {type(ip_address(address)) for address in addresses}
    if kinds == {IPv4Address}:
        return IPVersion.V4Only
    return IPVersion.V6Only if kinds == {IPv6Address} else IPVersion.All
