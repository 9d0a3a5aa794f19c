"""What came last, with numbers, and readers that follow it."""

import asyncio
import itertools
import logging
import re
import secrets
import weakref
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Generic, TypeVar

import attrs

from punktfunk.errors import Refused

MAX_SUBSCRIPTIONS = 32
LEAST_OF_ONE = 4

_TOKEN = re.compile(r"(?P<boot>[0-9a-f]{8})-(?P<id>[0-9]{1,15})")

log = logging.getLogger(__name__)

T = TypeVar("T")


class GapReason(StrEnum):
    RESTARTED = "restarted"
    TOO_OLD = "too_old"
    UNKNOWN = "unknown"


@attrs.frozen
class Gap:
    """The reader asked to go on where the host cannot: something may be missing.

    Attributes:
        position: What follows begins after the item of this number.
    """

    reason: GapReason
    position: int


@attrs.frozen
class Reader:
    """Somebody from outside who follows.

    Attributes:
        name: Those of one name share what one may have: a quarter of all places.
        is_person: No program. Programs together leave a quarter of the places to people.
    """

    name: str
    is_person: bool = False


class Feed(Generic[T]):
    """Lives on the host's event loop; other threads have to `call_soon_threadsafe`.

    Args:
        kept: How many items; a reader that is further behind is cut off.
    """

    def __init__(self, *, kept: int, max_subscriptions: int = MAX_SUBSCRIPTIONS) -> None:
        self._boot = secrets.token_hex(4)
        self._kept: deque[T] = deque(maxlen=kept)
        self._newest = 0
        self._max_subscriptions = max_subscriptions
        # Weak: a reader that vanishes without a word gives its place back.
        self._subscriptions: weakref.WeakSet[Subscription[T]] = weakref.WeakSet()
        self._news = asyncio.Event()
        self._closed = False

    def append(self, item: T) -> None:
        """Tell every reader."""
        self._newest += 1
        self._kept.append(item)
        for subscription in list(self._subscriptions):
            if subscription.position < self._oldest - 1:
                subscription.close()  # first, for what is said of it may be an item too
                log.info("a reader was too slow and has to come again")
        self._wake()

    def last(self, limit: int) -> list[T]:
        """The newest items that are kept, newest first."""
        return list(itertools.islice(reversed(self._kept), limit))

    def restart(self) -> None:
        """Forget everything, and count anew; readers are told of a gap."""
        self._boot = secrets.token_hex(4)
        self._kept.clear()
        self._newest = 0
        for subscription in self._subscriptions:
            subscription.go_on_after(Gap(GapReason.RESTARTED, 0))
        self._wake()

    def subscribe(
        self,
        after: str | None = None,
        wanted: Callable[[T], bool] = lambda _: True,
        reader: Reader | None = None,
    ) -> "Subscription[T]":
        """Follow what comes from now on.

        Args:
            after: The token of the last item the reader has seen: it gets what came since
                as well, and first a `Gap` when that is not certain to be all.
            wanted: Says of an item whether the reader gets it.
            reader: Who follows; None for the host itself.

        Raises:
            Refused: (503) there are too many readers, or the host stops.
        """
        if self._closed:
            raise Refused("this host is stopping", status=503)
        self._check_room(reader)
        subscription = Subscription(self, wanted, reader, *self._resume(after))
        self._subscriptions.add(subscription)
        return subscription

    def token(self, position: int | None = None) -> str:
        """What a reader shows to go on after an item, the newest if not said otherwise; of no
        use after a restart.
        """
        return f"{self._boot}-{self._newest if position is None else position}"

    def end_subscriptions(self) -> None:
        """The host stops: readers get what they have not seen yet, and then the end."""
        self._closed = True
        self._wake()

    def _check_room(self, reader: Reader | None) -> None:
        most = self._max_subscriptions
        if len(self._subscriptions) >= most:
            raise Refused(f"{most} readers follow already, and more may not", status=503)
        if reader is None:
            return
        readers = [it.reader for it in self._subscriptions if it.reader is not None]
        of_one = max(LEAST_OF_ONE, most // 4)
        if sum(it.name == reader.name for it in readers) >= of_one:
            raise Refused(
                f"whoever asks follows {of_one} times already; end one of those first", status=503
            )
        programs = most - most // 4
        if not reader.is_person and sum(not it.is_person for it in readers) >= programs:
            raise Refused(
                f"{programs} programs follow already, and the other places are for the console",
                status=503,
            )

    def _resume(self, after: str | None) -> tuple[int, Gap | None]:
        oldest, newest = self._oldest, self._newest
        if after is None:
            return newest, None
        match = _TOKEN.fullmatch(after)
        if match is None or (match["boot"] == self._boot and int(match["id"]) > newest):
            return newest, Gap(GapReason.UNKNOWN, newest)
        if match["boot"] != self._boot:
            return oldest - 1, Gap(GapReason.RESTARTED, oldest - 1)
        position = int(match["id"])
        if position < oldest - 1:
            return oldest - 1, Gap(GapReason.TOO_OLD, oldest - 1)
        return position, None

    @property
    def _oldest(self) -> int:
        return self._newest - len(self._kept) + 1

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _after(self, position: int) -> T | None:
        index = position + 1 - self._oldest
        return self._kept[index] if 0 <= index < len(self._kept) else None

    def _forget(self, subscription: "Subscription[T]") -> None:
        self._subscriptions.discard(subscription)


class Subscription(Generic[T]):
    """One reader's place. It holds no items of its own, so a slow one costs nothing: when the
    feed has to forget an item the reader has not seen, the subscription is over.

    Attributes:
        position: Number of the last item that was looked at.
        reader: Who follows.
    """

    def __init__(
        self,
        feed: Feed[T],
        wanted: Callable[[T], bool],
        reader: Reader | None,
        position: int,
        gap: Gap | None,
    ) -> None:
        self.position = position
        self.reader = reader
        self._feed = feed
        self._wanted = wanted
        self._gap = gap
        self._closed = False

    @property
    def token(self) -> str:
        return self._feed.token(self.position)

    def go_on_after(self, gap: Gap) -> None:
        self.position, self._gap = gap.position, gap

    async def next(self) -> T | Gap | None:
        """Wait for what comes next; None: it is over."""
        while not self._closed:
            if self._gap is not None:
                gap, self._gap = self._gap, None
                return gap
            news = self._feed._news
            while (item := self._feed._after(self.position)) is not None:
                self.position += 1
                if self._wanted(item):
                    return item
            if self._feed._closed:
                self.close()
            else:
                await news.wait()
        return None

    def close(self) -> None:
        """Give the place back. Closing twice is fine."""
        self._closed = True
        self._feed._forget(self)
