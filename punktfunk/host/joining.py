"""Who comes to a session that runs already, and who leaves one that goes on."""

from collections.abc import Callable, Iterable

from punktfunk.config.settings import StreamSettings
from punktfunk.errors import Refused
from punktfunk.events import Publish
from punktfunk.gamestream.launch import LaunchRequest
from punktfunk.host.member import Member
from punktfunk.host.session import HostSession
from punktfunk.model.apps import App
from punktfunk.model.clients import PairedClient
from punktfunk.model.session import StreamEnd
from punktfunk.model.video import Codec
from punktfunk.session.stream import MediaSockets

CLIENTS_A_SESSION = 4
"""Each has three ports, a thread and the sending of a whole stream."""

Seat = Callable[[], tuple[int, MediaSockets]]
"""Gives a client ports of its own: their slot, and the bound sockets."""


def running(sessions: Iterable[HostSession], app: App) -> HostSession | None:
    """The session that has this app, the oldest if there are several."""
    for session in sessions:
        if session.app.library_id == app.library_id and not session.ending:
            return session
    return None


def offered_to_guest(offered: frozenset[Codec], now: Codec | None) -> frozenset[Codec]:
    """What a guest may choose from: the codec that is made anyway, and what all can decode."""
    return offered & {now, Codec.H264} if now in offered else offered


class Company:
    """The clients of all sessions, as they come and go.

    Args:
        publish: Tells of it.
    """

    def __init__(self, publish: Publish) -> None:
        self._publish = publish

    async def admit(
        self,
        session: HostSession,
        client: PairedClient,
        request: LaunchRequest,
        wanted: StreamSettings,
        seat: Seat,
        check: Callable[[], None],
    ) -> Member:
        """Let a client into the session of another one, as its settings say.

        Args:
            check: Raises `Refused` where the client may not come in any more, after a wait.

        Raises:
            Refused: with who plays, or what to do.
        """
        if wanted.second_client == "refuse":
            raise Refused(f"{session.owner.client.name} plays {session.app.title}", status=503)
        if wanted.second_client == "take_over":
            session.use_key(request.ri_key)
            return self._take_over(session, client)
        if request.mode is not None:
            session.check_size(request.mode)
        await self._make_room(session)
        check()
        if session.ending:
            raise Refused(f"{session.app.title} has ended", status=503)
        session.use_key(request.ri_key)
        member = session.add(client, *seat())
        member.watches = wanted.guests == "watch"
        self._tell("session.joined", session, client)
        return member

    async def leave(self, session: HostSession, member: Member, reason: StreamEnd) -> None:
        """Take a client out and wait until its stream is over."""
        if member.leaving:
            await member.stream_over()
            return
        await session.remove(member, reason)
        self._tell("session.left", session, member.client, reason=reason)

    async def stop(self, session: HostSession, member: Member) -> None:
        """End a client's stream and wait until it is over; a guest leaves with it."""
        if member.guest:
            await self.leave(session, member, StreamEnd.STOPPED)
        else:
            member.stop_stream(StreamEnd.STOPPED)
            await member.stream_over()

    def inherit(self, session: HostSession) -> bool:
        """Give an unpaired owner's session to a guest; False when nobody is there."""
        heir = session.heir()
        if heir is None:
            return False
        session.promote(heir)
        self._tell("session.moved", session, heir.client)
        return True

    def _take_over(self, session: HostSession, client: PairedClient) -> Member:
        left = session.owner
        member = session.hand_over(client)
        self._tell("session.left", session, left.client, reason=StreamEnd.TAKEN_OVER)
        self._tell("session.moved", session, client)
        return member

    async def _make_room(self, session: HostSession) -> None:
        there = [it for it in session.members if not it.leaving]
        if len(there) < CLIENTS_A_SESSION:
            return
        absent = next((it for it in there if it.guest and it.away), None)
        if absent is None:
            raise Refused(
                f"{session.app.title} has as many devices as it may ({CLIENTS_A_SESSION}); quit "
                "it on one of them first",
                status=503,
            )
        await self.leave(session, absent, StreamEnd.REPLACED)

    def _tell(
        self, event_type: str, session: HostSession, client: PairedClient, **data: object
    ) -> None:
        told = {"session_id": session.id, "client": client.fingerprint, "client_name": client.name}
        self._publish(event_type, **told, **data)
