"""Who may stay connected when more want to than may: nobody can sit on all the places."""

from collections import Counter
from collections.abc import Callable

import attrs


@attrs.define(eq=False)
class Place:
    """One connection's.

    Attributes:
        expendable: Nothing is being done for it: it has not said yet what it wants, or has its
            answer. It has to leave when others want in.
    """

    address: str
    send_away: Callable[[], None]
    expendable: bool = True


class Places:
    """A limited number, for all and for one address.

    When all are taken, a newcomer gets the place of the one who has been idle longest at the
    address with most places. So a crowd of half-open connections costs itself its places, and
    not others the way in.
    """

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._taken: dict[Place, None] = {}
        self._by_address: Counter[str] = Counter()

    def enter(self, address: str, send_away: Callable[[], None]) -> Place | None:
        """Take a place; None when there is none.

        Args:
            send_away: Called when another gets this place, which is gone then.
        """
        if self._by_address[address] >= self._most_per_address:
            return None
        if len(self._taken) >= self._most and not self._make_room():
            return None
        place = Place(address, send_away)
        self._taken[place] = None
        self._by_address[address] += 1
        return place

    def leave(self, place: Place) -> None:
        """Give a place back. Twice is fine."""
        if place not in self._taken:
            return
        del self._taken[place]
        self._by_address[place.address] -= 1
        if not self._by_address[place.address]:
            del self._by_address[place.address]

    def _make_room(self) -> bool:
        idle = (place for place in self._taken if place.expendable)
        # The oldest comes first, and of several largest `max` takes the first.
        chosen = max(idle, key=lambda place: self._by_address[place.address], default=None)
        if chosen is None:
            return False
        self.leave(chosen)
        chosen.send_away()
        return True
