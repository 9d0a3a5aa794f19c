"""When the next frame must be an IDR. Pure; the caller brings the time."""

MIN_SPACING_NS = 100_000_000


class KeyframeRequests:
    """Coalesces requests: many of them before the next frame cost one IDR.

    A request that comes right after an IDR is held for a moment, because it was sent by a
    client that could not yet have seen that IDR; a client which really lost it asks on.
    """

    def __init__(self, min_spacing_ns: int = MIN_SPACING_NS) -> None:
        self._min_spacing_ns = min_spacing_ns
        self._wanted = True
        self._last_ns: int | None = None

    def request(self) -> None:
        self._wanted = True

    def due(self, now_ns: int) -> bool:
        """Is an IDR wanted, and may it be now?"""
        spaced = self._last_ns is None or now_ns - self._last_ns >= self._min_spacing_ns
        return self._wanted and spaced

    def take(self, now_ns: int) -> bool:
        """Must the frame that is encoded now be an IDR? It is then taken as done."""
        if not self.due(now_ns):
            return False
        self._wanted = False
        self._last_ns = now_ns
        return True
