"""How often somebody may try to pair: a bucket per address and one for everybody."""

import attrs

PER_ADDRESS_BURST, PER_ADDRESS_REFILL_NS = 10, 6_000_000_000
GLOBAL_BURST, GLOBAL_REFILL_NS = 30, 2_000_000_000
MAX_ADDRESSES = 256


@attrs.define
class Bucket:
    """Tries left. A full bucket holds `burst`; one comes back every `refill_ns`."""

    burst: int
    refill_ns: int
    tries: float
    updated_ns: int

    def refill(self, now_ns: int) -> None:
        gained = max(0, now_ns - self.updated_ns) / self.refill_ns
        self.tries = min(float(self.burst), self.tries + gained)
        self.updated_ns = now_ns

    def wait_ns(self) -> int:
        """Until the next try is there; 0 when one is."""
        return 0 if self.tries >= 1 else int((1 - self.tries) * self.refill_ns) + 1


class PairingLimits:
    """Counts tries. A pairing that succeeds gives its try back, so only failures add up."""

    def __init__(self) -> None:
        self._global = Bucket(GLOBAL_BURST, GLOBAL_REFILL_NS, GLOBAL_BURST, 0)
        self._by_address: dict[str, Bucket] = {}

    def take(self, address: str, now_ns: int) -> int:
        """Take one try. Returns 0, or the nanoseconds to wait when none is left."""
        bucket = self._bucket(address, now_ns)
        self._global.refill(now_ns)
        bucket.refill(now_ns)
        if wait_ns := max(bucket.wait_ns(), self._global.wait_ns()):
            return wait_ns
        bucket.tries -= 1
        self._global.tries -= 1
        return 0

    def give_back(self, address: str) -> None:
        self._global.tries = min(float(GLOBAL_BURST), self._global.tries + 1)
        if bucket := self._by_address.get(address):
            bucket.tries = min(float(PER_ADDRESS_BURST), bucket.tries + 1)

    def _bucket(self, address: str, now_ns: int) -> Bucket:
        if address not in self._by_address:
            if len(self._by_address) >= MAX_ADDRESSES:
                self._forget(now_ns)
            self._by_address[address] = Bucket(
                PER_ADDRESS_BURST, PER_ADDRESS_REFILL_NS, PER_ADDRESS_BURST, now_ns
            )
        return self._by_address[address]

    def _forget(self, now_ns: int) -> None:
        """Drop the address that has most tries left: it loses least by being forgotten."""
        for bucket in self._by_address.values():
            bucket.refill(now_ns)
        fullest = max(self._by_address, key=lambda address: self._by_address[address].tries)
        del self._by_address[fullest]
