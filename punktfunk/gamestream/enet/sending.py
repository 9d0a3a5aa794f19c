"""Reliable sending: numbers, retransmission, round-trip time.

See docs/protocol/gamestream.md, section 7.3.
"""

from collections import defaultdict

import attrs

from punktfunk.gamestream.enet.wire import Command, command_bytes

MS = 1_000_000
GIVE_UP_NS = 10_000 * MS
MAX_OUTSTANDING = 256

_MIN_TIMEOUT_NS = 30 * MS
_MAX_TIMEOUT_NS = 2_000 * MS
_MAX_BACKOFF_STEPS = 8
_PLAUSIBLE_RTT_MS = 30_000


def clock_ms(now_ns: int) -> int:
    """Return the 16 bits of a clock that travel in datagrams."""
    return now_ns // MS & 0xFFFF


class RoundTrip:
    """Smoothed round-trip time, from the times the peer echoes."""

    def __init__(self) -> None:
        self.smoothed_ms = 500.0
        self.variance_ms = 0.0

    @property
    def timeout_ns(self) -> int:
        timeout_ns = int((self.smoothed_ms + 4 * self.variance_ms) * MS)
        return min(max(timeout_ns, _MIN_TIMEOUT_NS), _MAX_TIMEOUT_NS)

    def sample(self, echoed_ms: int, now_ns: int) -> None:
        rtt_ms = max((clock_ms(now_ns) - echoed_ms) & 0xFFFF, 1)
        if rtt_ms > _PLAUSIBLE_RTT_MS:
            return  # an echo from the future
        difference = rtt_ms - self.smoothed_ms
        self.variance_ms += abs(difference) / 4 - self.variance_ms / 4
        self.smoothed_ms += difference / 8


@attrs.define
class _Outgoing:
    encoded: bytes
    due_ns: int
    give_up_ns: int
    times_sent: int = 0


class ReliableSender:
    """Commands that are repeated until the peer acknowledges them."""

    def __init__(self, window_bytes: int) -> None:
        self.round_trip = RoundTrip()
        self._window_bytes = window_bytes
        self._last_sequence: defaultdict[int, int] = defaultdict(int)
        self._outstanding: dict[tuple[int, int], _Outgoing] = {}
        self._bytes = 0

    @property
    def outstanding(self) -> int:
        return len(self._outstanding)

    def add(self, command: Command, now_ns: int) -> bool:
        """Number a command and keep it. False: the peer has too much unacknowledged."""
        sequence = (self._last_sequence[command.channel] + 1) & 0xFFFF
        encoded = command_bytes(attrs.evolve(command, sequence=sequence, wants_ack=True))
        full = self._bytes + len(encoded) > self._window_bytes
        if full or len(self._outstanding) >= MAX_OUTSTANDING:
            return False
        self._last_sequence[command.channel] = sequence
        self._outstanding[command.channel, sequence] = _Outgoing(
            encoded, due_ns=now_ns, give_up_ns=now_ns + GIVE_UP_NS
        )
        self._bytes += len(encoded)
        return True

    def acknowledge(self, channel: int, sequence: int, echoed_ms: int, now_ns: int) -> bool:
        """Forget a command. False: nothing of that name was on its way."""
        outgoing = self._outstanding.get((channel, sequence))
        if outgoing is None or not outgoing.times_sent:
            return False
        del self._outstanding[channel, sequence]
        self._bytes -= len(outgoing.encoded)
        self.round_trip.sample(echoed_ms, now_ns)
        return True

    def has_given_up(self, now_ns: int) -> bool:
        return any(outgoing.give_up_ns <= now_ns for outgoing in self._outstanding.values())

    def next_due_ns(self) -> int | None:
        """Return when the next command is to be sent (again)."""
        return min((outgoing.due_ns for outgoing in self._outstanding.values()), default=None)

    def next_give_up_ns(self) -> int | None:
        return min((outgoing.give_up_ns for outgoing in self._outstanding.values()), default=None)

    def take_due(self, now_ns: int) -> list[bytes]:
        """Return the commands to send now; each is due again after a longer wait."""
        due = [out for out in self._outstanding.values() if out.due_ns <= now_ns]
        for outgoing in due:
            wait_ns = self.round_trip.timeout_ns << min(outgoing.times_sent, _MAX_BACKOFF_STEPS)
            outgoing.due_ns = now_ns + min(wait_ns, _MAX_TIMEOUT_NS)
            outgoing.times_sent += 1
        return [outgoing.encoded for outgoing in due]
