"""Which ports a client gets: each has a slot of its own, and a slot has three ports."""

import itertools
from collections.abc import Callable, Iterable

from punktfunk.errors import Refused
from punktfunk.host.launches import Launches
from punktfunk.host.ports import Ports, bind_media
from punktfunk.host.session import HostSession
from punktfunk.session.stream import MediaSockets


class Slots:
    """Args:
    bind: The address for clients; empty for all.
    sessions: All that run.
    """

    def __init__(
        self,
        ports: Ports,
        bind: str,
        sessions: Callable[[], Iterable[HostSession]],
        launches: Launches,
    ) -> None:
        self._ports = ports
        self._bind = bind
        self._sessions = sessions
        self._launches = launches

    def for_session(self, limit: int) -> int:
        """A slot for one more session.

        Args:
            limit: How many sessions there may be.

        Raises:
            Refused: there are that many; status 503.
        """
        if len(self._of_sessions()) >= limit:
            raise Refused(
                f"this host already streams to as many devices as it may ({limit}); "
                "quit an app there first, or raise stream.max_sessions",
                status=503,
            )
        return self._next()

    def for_guest(self) -> tuple[int, MediaSockets]:
        """A slot for one more client of a session, and its sockets."""
        slot = self._next()
        return slot, self.bind(slot)

    def bind(self, slot: int) -> MediaSockets:
        """Bind the sockets of a slot.

        Raises:
            Refused: a port is taken; status 503.
        """
        return bind_media(self._bind, self._ports.media(slot))

    def _next(self) -> int:
        """The first that no client has, and no launch will have."""
        taken = self._of_sessions()
        taken |= {it.slot for session in self._sessions() for it in session.members}
        return next(slot for slot in itertools.count() if slot not in taken)

    def _of_sessions(self) -> set[int]:
        return {session.slot for session in self._sessions()} | self._launches.slots
