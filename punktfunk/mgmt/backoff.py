"""Slows down whoever tries tokens."""

from collections.abc import Callable

from punktfunk.gamestream.pairing_limits import Bucket

BURST, REFILL_NS = 10, 2_000_000_000
GLOBAL_BURST, GLOBAL_REFILL_NS = 50, 400_000_000
MAX_ADDRESSES = 256


class WrongTokens:
    """Counts wrong tokens: by address, of a bounded number of addresses, and of everybody.

    Only wrong ones are ever refused for it. The token cannot be guessed in the life of the
    universe, and refusing the right one too would let any local user lock the owner out.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._everybody = Bucket(GLOBAL_BURST, GLOBAL_REFILL_NS, GLOBAL_BURST, now_ns())
        self._buckets: dict[str, Bucket] = {}

    def wait_s(self, address: str) -> int:
        """Count one. Returns 0, or how many seconds the address should wait."""
        now_ns = self._now_ns()
        bucket = self._buckets.pop(address, None) or Bucket(BURST, REFILL_NS, BURST, now_ns)
        self._buckets[address] = bucket  # the longest unheard of is first to be forgotten
        if len(self._buckets) > MAX_ADDRESSES:
            del self._buckets[next(iter(self._buckets))]
        both = bucket, self._everybody
        for it in both:
            it.refill(now_ns)
        if wait_ns := max(it.wait_ns() for it in both):
            return -(-wait_ns // 1_000_000_000)
        for it in both:
            it.tries -= 1
        return 0
