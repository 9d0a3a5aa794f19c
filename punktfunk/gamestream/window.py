"""Remembering which numbered messages were seen, in bounded memory."""


class SeenWindow:
    """Numbers seen lately, for counters that grow by one and wrap.

    A number `width` or more behind the newest one counts as seen.
    """

    def __init__(self, *, width: int, bits: int) -> None:
        self._width = width
        self._modulus = 1 << bits
        self._newest: int | None = None
        self._seen = 0  # bit n: the number n behind the newest

    def is_new(self, number: int) -> bool:
        if self._newest is None:
            return True
        behind = self._behind(self._newest, number)
        return behind < 0 or (behind < self._width and not self._seen >> behind & 1)

    def add(self, number: int) -> None:
        """Remember a number for which `is_new` was true."""
        behind = -self._width if self._newest is None else self._behind(self._newest, number)
        if behind >= 0:
            self._seen |= 1 << behind
            return
        # A jump past the whole window forgets it; do not shift by what the peer says.
        kept = 0 if -behind >= self._width else self._seen << -behind
        self._seen = (kept | 1) & ((1 << self._width) - 1)
        self._newest = number

    def _behind(self, newest: int, number: int) -> int:
        distance = (newest - number) % self._modulus
        return distance if distance < self._modulus // 2 else distance - self._modulus
