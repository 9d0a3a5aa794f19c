"""Devices that were told to wait before they try to pair again: for showing, not for deciding."""

from collections.abc import Callable

import attrs

MAX_HELD_OFF = 8

_S_NS = 1_000_000_000


@attrs.frozen(kw_only=True)
class HeldOff:
    """Attributes:
    client_name: What the device calls itself; it may say anything.
    """

    address: str
    client_name: str
    seconds_left: int


class HeldOffTable:
    """One entry an address. A flood of them is noted no more than in part.

    Args:
        now_ns: A monotonic clock that also counts while the machine sleeps.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._until_ns: dict[str, tuple[str, int]] = {}

    def note(self, address: str, client_name: str, wait_s: int) -> HeldOff | None:
        """Returns None when that was known, or there are too many to tell of."""
        self._expire()
        if address in self._until_ns or len(self._until_ns) >= MAX_HELD_OFF:
            return None
        self._until_ns[address] = (client_name, self._now_ns() + wait_s * _S_NS)
        return HeldOff(address=address, client_name=client_name, seconds_left=wait_s)

    def devices(self) -> tuple[HeldOff, ...]:
        """Whoever came first comes first."""
        self._expire()
        now_ns = self._now_ns()
        return tuple(
            HeldOff(address=address, client_name=name, seconds_left=-(-(until - now_ns) // _S_NS))
            for address, (name, until) in self._until_ns.items()
        )

    def _expire(self) -> None:
        now_ns = self._now_ns()
        self._until_ns = {key: it for key, it in self._until_ns.items() if it[1] > now_ns}
