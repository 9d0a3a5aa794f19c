"""When a native client may pair: the host shows a PIN, for a while, for one guess."""

import secrets
from collections.abc import Callable

import attrs

from punktfunk.errors import Refused

MIN_TTL_S, DEFAULT_TTL_S, MAX_TTL_S = 15, 120, 600
COOL_DOWN_NS = 2_000_000_000
"""Between the beginnings of two ceremonies, whoever they are with."""

_S_NS = 1_000_000_000


class NotArmed(Refused):
    """No PIN is shown right now."""

    code = "pairing_not_armed"


class TooSoon(Refused):
    """Another ceremony began a moment ago."""

    code = "pairing_too_soon"


@attrs.frozen(kw_only=True)
class ShownPin:
    """What a person reads from the host and types into the device."""

    pin: str = attrs.field(repr=False)
    seconds_left: int


def mint_pin() -> str:
    return f"{secrets.randbelow(10_000):04}"


class PinWindow:
    """Open while a PIN is shown. One PIN is one guess, right or wrong.

    Args:
        now_ns: A monotonic clock that also counts while the machine sleeps.
    """

    def __init__(self, now_ns: Callable[[], int], mint: Callable[[], str] = mint_pin) -> None:
        self._now_ns = now_ns
        self._mint = mint
        self._pin: str | None = None
        self._closes_ns = 0
        self._next_begin_ns: int | None = None

    def arm(self, ttl_s: int | None = None) -> ShownPin:
        """Show a new PIN; an older one is worth nothing from here on.

        Args:
            ttl_s: How long, kept within 15 to 600; 120 when not said.
        """
        ttl_s = DEFAULT_TTL_S if ttl_s is None else min(max(ttl_s, MIN_TTL_S), MAX_TTL_S)
        self._pin = self._mint()
        self._closes_ns = self._now_ns() + ttl_s * _S_NS
        return ShownPin(pin=self._pin, seconds_left=ttl_s)

    def disarm(self) -> None:
        self._pin = None

    def shown(self) -> ShownPin | None:
        """What is to be shown now; None while the window is closed."""
        left_ns = self._closes_ns - self._now_ns()
        if left_ns <= 0:
            self.disarm()
        if self._pin is None:
            return None
        return ShownPin(pin=self._pin, seconds_left=-(-left_ns // _S_NS))

    def begin(self) -> str:
        """Start a ceremony and return its PIN. The window stays open until `spend`.

        Raises:
            NotArmed: no PIN is shown.
            TooSoon: less than `COOL_DOWN_NS` after the one before.
        """
        shown = self.shown()
        if shown is None:
            raise NotArmed("nobody has armed pairing on this host")
        now_ns = self._now_ns()
        if self._next_begin_ns is not None and now_ns < self._next_begin_ns:
            raise TooSoon("another pairing began a moment ago")
        self._next_begin_ns = now_ns + COOL_DOWN_NS
        return shown.pin

    def spend(self, pin: str) -> None:
        """The peer has got what it needs to test one guess: close. A newer PIN stays."""
        if pin == self._pin:
            self.disarm()
