"""How long a stream waits for its client. Pure; docs/protocol/gamestream.md, section 8."""

from punktfunk.model.session import StreamEnd

CONNECT_TIMEOUT_NS = 10_000_000_000
SILENCE_TIMEOUT_NS = 10_000_000_000


class ClientWatch:
    """Decides when a client never came, and when it vanished.

    Attributes:
        video_known: Its first video ping came.
    """

    def __init__(self, now_ns: int) -> None:
        self._started_ns = now_ns
        self._heard_ns: int | None = None
        self.video_known = False

    @property
    def connected(self) -> bool:
        """Control is connected and the picture's address is known."""
        return self._heard_ns is not None and self.video_known

    def heard(self, now_ns: int) -> None:
        """A datagram of its control connection was accepted."""
        self._heard_ns = now_ns

    def pinged(self) -> None:
        """Its first video ping came."""
        self.video_known = True

    def verdict(self, now_ns: int) -> StreamEnd | None:
        """Why the stream must end now, or None."""
        if not self.connected:
            late = now_ns - self._started_ns > CONNECT_TIMEOUT_NS
            return StreamEnd.NEVER_CONNECTED if late else None
        assert self._heard_ns is not None
        silent = now_ns - self._heard_ns > SILENCE_TIMEOUT_NS
        return StreamEnd.CLIENT_VANISHED if silent else None
