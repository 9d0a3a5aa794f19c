"""Putting what arrives on one ENet channel back in order.

See docs/protocol/gamestream.md, sections 7.3 and 7.4.
"""

from typing import TypeVar

import attrs

MAX_HELD_RELIABLE = 1_024
MAX_HELD_UNRELIABLE = 32

_Key = TypeVar("_Key")
_MODULUS = 1 << 16
_ACCEPT_AHEAD = 7 * 4_096
_HALF = _MODULUS // 2
# A held message costs more than its bytes.
_OVERHEAD_BYTES = 64


@attrs.define
class HoldingBudget:
    """How much out-of-order data one peer may make us keep, over all its channels."""

    limit_bytes: int
    held_bytes: int = 0

    def take(self, data: bytes) -> bool:
        cost = len(data) + _OVERHEAD_BYTES
        if self.held_bytes + cost > self.limit_bytes:
            return False
        self.held_bytes += cost
        return True

    def give_back(self, data: bytes) -> None:
        self.held_bytes -= len(data) + _OVERHEAD_BYTES


@attrs.frozen
class Arrival:
    """What one command brought.

    Attributes:
        ready: Messages to deliver now, in order.
        acknowledge: False when there was no room: let the peer send it again.
    """

    ready: tuple[bytes, ...] = ()
    acknowledge: bool = True


class IncomingChannel:
    """Order and duplicates on one channel. Reliable messages start at number 1."""

    def __init__(self, budget: HoldingBudget) -> None:
        self._budget = budget
        self._reliable = 0
        self._unreliable = 0
        self._held_reliable: dict[int, bytes] = {}
        self._held_unreliable: dict[tuple[int, int], bytes] = {}

    def receive_reliable(self, sequence: int, data: bytes) -> Arrival:
        ahead = (sequence - self._reliable) % _MODULUS
        if ahead == 0 or ahead >= _HALF or sequence in self._held_reliable:
            return Arrival()  # a duplicate: its acknowledgement was lost
        if ahead > _ACCEPT_AHEAD:
            return Arrival(acknowledge=False)
        if ahead > 1:
            return Arrival(
                acknowledge=self._hold(self._held_reliable, sequence, data, MAX_HELD_RELIABLE)
            )
        ready = [data]
        self._advance(sequence, ready)
        while (following := (self._reliable + 1) % _MODULUS) in self._held_reliable:
            held = self._held_reliable.pop(following)
            self._budget.give_back(held)
            ready.append(held)
            self._advance(following, ready)
        return Arrival(tuple(ready))

    def receive_unreliable(self, reliable: int, sequence: int, data: bytes) -> Arrival:
        """Take a message that belongs after the reliable one with number `reliable`."""
        ahead = (reliable - self._reliable) % _MODULUS
        if ahead == 0:
            # Compared round the corner: sensors send for minutes without a reliable message.
            if not 0 < (sequence - self._unreliable) % _MODULUS < _HALF:
                return Arrival()
            self._unreliable = sequence
            return Arrival((data,))
        if ahead <= _ACCEPT_AHEAD and (reliable, sequence) not in self._held_unreliable:
            self._hold(self._held_unreliable, (reliable, sequence), data, MAX_HELD_UNRELIABLE)
        return Arrival()

    def _hold(self, table: dict[_Key, bytes], key: _Key, data: bytes, most: int) -> bool:
        if len(table) >= most or not self._budget.take(data):
            return False
        table[key] = data
        return True

    def _advance(self, sequence: int, ready: list[bytes]) -> None:
        """A reliable message was delivered: deliver or drop the unreliable ones behind it."""
        self._reliable, self._unreliable = sequence, 0
        if not self._held_unreliable:
            return
        for key in sorted(self._held_unreliable):
            reliable, number = key
            ahead = (reliable - sequence) % _MODULUS
            if 0 < ahead <= _ACCEPT_AHEAD:
                continue
            held = self._held_unreliable.pop(key)
            self._budget.give_back(held)
            if ahead == 0:
                self._unreliable = number
                ready.append(held)
