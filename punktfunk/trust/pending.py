"""Unpaired native devices that knocked, waiting for a person to say yes or no."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import attrs

from punktfunk.model.clients import Fingerprint, readable_name

MAX_PENDING = 32
MAX_PER_ADDRESS = 4
LIFETIME_NS = 600_000_000_000
"""Counted from the last knock."""

_IDS = 2**31

Address = IPv4Address | IPv6Address


@attrs.frozen(kw_only=True)
class PendingDevice:
    """Attributes:
    id: Names the request for as long as it waits; an int32.
    name: What the device calls itself, made readable.
    age_s: Since it knocked last.
    """

    id: int
    name: str
    fingerprint: Fingerprint
    address: str
    age_s: int


@attrs.frozen(kw_only=True)
class _Knock:
    id: int
    name: str
    address: Address
    at_ns: int


class PendingTable:
    """One entry a fingerprint, few an address, few altogether; whoever knocked longest ago goes.

    Args:
        now_ns: A monotonic clock that also counts while the machine sleeps.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._next_id = 0
        self._knocks: dict[Fingerprint, _Knock] = {}  # the latest comes last

    def knock(self, fingerprint: Fingerprint, name: str, address: Address) -> PendingDevice:
        """Note a device. Knocking again keeps its number and renews everything else."""
        self._expire()
        known = self._knocks.pop(fingerprint, None)
        neighbours = [key for key, it in self._knocks.items() if it.address == address]
        if len(neighbours) >= MAX_PER_ADDRESS:
            del self._knocks[neighbours[0]]
        elif len(self._knocks) >= MAX_PENDING:
            del self._knocks[next(iter(self._knocks))]
        self._knocks[fingerprint] = _Knock(
            id=known.id if known else self._new_id(),
            name=readable_name(name, fingerprint),
            address=address,
            at_ns=self._now_ns(),
        )
        return self._device(fingerprint)

    def devices(self) -> tuple[PendingDevice, ...]:
        """Who waits; who knocked longest ago comes first."""
        self._expire()
        return tuple(map(self._device, self._knocks))

    def get(self, device_id: int) -> PendingDevice | None:
        return next((it for it in self.devices() if it.id == device_id), None)

    def drop(self, fingerprint: Fingerprint) -> None:
        """Forget a device; it may knock again."""
        self._knocks.pop(fingerprint, None)

    def _device(self, fingerprint: Fingerprint) -> PendingDevice:
        knock = self._knocks[fingerprint]
        return PendingDevice(
            id=knock.id,
            name=knock.name,
            fingerprint=fingerprint,
            address=str(knock.address),
            age_s=(self._now_ns() - knock.at_ns) // 1_000_000_000,
        )

    def _new_id(self) -> int:
        taken = {it.id for it in self._knocks.values()}
        while self._next_id in taken:
            self._next_id = (self._next_id + 1) % _IDS
        found, self._next_id = self._next_id, (self._next_id + 1) % _IDS
        return found

    def _expire(self) -> None:
        oldest_ns = self._now_ns() - LIFETIME_NS
        self._knocks = {key: it for key, it in self._knocks.items() if it.at_ns > oldest_ns}
