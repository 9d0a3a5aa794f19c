"""All sessions of this host: who may launch what, with which ports, and how it ends."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from punktfunk.config.settings import Settings
from punktfunk.errors import Refused
from punktfunk.events import Publish
from punktfunk.gamestream import nvhttp
from punktfunk.gamestream.launch import LaunchRequest
from punktfunk.host.catalog import Catalog
from punktfunk.host.chores import Chores
from punktfunk.host.cleanup import Cleaner
from punktfunk.host.handshake import HANDSHAKE_TIMEOUT_S, Handshake
from punktfunk.host.joining import Company, running
from punktfunk.host.launches import Launches
from punktfunk.host.member import Member
from punktfunk.host.policy import check_launch
from punktfunk.host.ports import Ports
from punktfunk.host.reception import Reception
from punktfunk.host.session import HostSession
from punktfunk.host.slots import Slots
from punktfunk.host.starting import Launch, Paths, Starter
from punktfunk.model.apps import App
from punktfunk.model.clients import PairedClient
from punktfunk.model.offers import Choice, Kind
from punktfunk.model.session import StreamEnd, StreamSample
from punktfunk.session.pool import WorkerPool

log = logging.getLogger(__name__)


class Sessions:
    """Runs on the host's event loop.

    Attributes:
        on_started, on_ended: Told after the fact, for plugins and logs.
        on_sample: Told of every second of every stream.
        publish: Tells of what becomes of streams, and who comes and goes.
        reception: Knows what clients may choose from.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        ports: Ports,
        pool: WorkerPool,
        catalog: Catalog,
        cleaner: Cleaner,
        paths: Paths,
        host_environment: Mapping[str, str],
        remember_control_v2: Callable[[str], None],
        handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S,
    ) -> None:
        self.on_started: Callable[[HostSession], None] = lambda session: None
        self.on_ended: Callable[[HostSession, str], None] = lambda session, cause: None
        self.on_sample: Callable[[HostSession, Member, StreamSample], None] = (
            lambda session, member, sample: None
        )
        self.publish: Publish = lambda event_type, /, **data: None
        self._settings = settings
        self._ports = ports
        self._pool = pool
        self._catalog = catalog
        self._cleaner = cleaner
        self._sessions: dict[int, HostSession] = {}
        self._launches = Launches()
        self._slots = Slots(ports, settings.host.bind, self._sessions.values, self._launches)
        self.reception = Reception(settings, ports, catalog, handshake_timeout_s)
        self._starter = Starter(
            pool=pool,
            catalog=catalog,
            cleaner=cleaner,
            paths=paths,
            host_environment=host_environment,
            bind_media=self._slots.bind,
            remember_control_v2=remember_control_v2,
        )
        self._company = Company(lambda event_type, /, **data: self.publish(event_type, **data))
        self._ended: dict[int, asyncio.Event] = {}
        self._unpaired: Counter[str] = Counter()
        self._chores = Chores()
        self._closed = False

    def use(self, settings: Settings) -> None:
        """From now on start sessions and streams by these settings."""
        self._settings = settings
        self.reception.use(settings)

    def all(self) -> tuple[HostSession, ...]:
        return tuple(self._sessions.values())

    def of_client(self, fingerprint: str) -> HostSession | None:
        """The session a client owns or is a guest of."""
        for session in self._sessions.values():
            if session.member(fingerprint) is not None and not session.ending:
                return session
        return None

    def pending_sessions(self) -> Sequence[Handshake]:
        """For the RTSP server."""
        return [it for session in self._sessions.values() for it in session.handshakes]

    async def launch(
        self,
        client: PairedClient,
        app: App,
        request: LaunchRequest,
        remote_ip: str,
        local_ip: str | None = None,
    ) -> HostSession:
        """Start an app for a client that has none running, and expect its RTSP requests.

        Where another client has the app running, a setting says what becomes of this one.

        Args:
            remote_ip: The client's address; media goes there.
            local_ip: The address of ours it speaks to; media comes from there.

        Raises:
            Refused: with the status the client shall see.
        """
        wanted = self.reception.wanted(client.fingerprint, app.library_id)
        check_launch(request, wanted.stream)
        self._check_idle(client)
        if wanted.stream.second_client != "own":
            unpaired = self._unpaired[client.fingerprint]

            def check() -> None:
                if self._unpaired[client.fingerprint] != unpaired:
                    raise Refused(nvhttp.UNAUTHORISED, status=401)
                self._check_idle(client)

            await self._launches.settled(app.library_id)
            check()
            other = running(self.all(), app)
            if other is not None:
                member = await self._company.admit(
                    other, client, request, wanted.stream, self._slots.for_guest, check
                )
                self._expect(other, member, request, remote_ip, local_ip, first=member.guest)
                return other
        launch = Launch(client=client, app=app, request=request, wanted=wanted)
        casts = self._starter.cast(launch)
        if self._closed:
            raise Refused("this host is shutting down", status=503)
        slot = self._slots.for_session(self._settings.stream.max_sessions)

        async def start() -> HostSession:
            session = await self._starter.start(slot, launch, casts)
            self._take_in(session)
            session.use_key(request.ri_key)
            self._expect(session, session.owner, request, remote_ip, local_ip, first=True)
            return session

        return await self._launches.run(slot, client.fingerprint, app.library_id, start())

    async def resume(
        self,
        client: PairedClient,
        request: LaunchRequest,
        remote_ip: str,
        local_ip: str | None = None,
    ) -> HostSession:
        """Give a client that comes back a new stream of its running app.

        Raises:
            Refused: nothing runs for it.
        """
        session = self.of_client(client.fingerprint)
        member = session.member(client.fingerprint) if session is not None else None
        if session is None or member is None:
            raise Refused("no app of this client is running", status=503)
        wanted = self.reception.wanted(client.fingerprint, session.app.library_id).stream
        check_launch(request, wanted)
        if member.guest:
            member.watches = wanted.guests == "watch"
            if request.mode is not None:
                session.check_size(request.mode)
        session.use_key(request.ri_key)
        self._expect(session, member, request, remote_ip, local_ip, first=False)
        member.stop_stream(StreamEnd.REPLACED)
        return session

    async def end(self, session: HostSession, reason: StreamEnd = StreamEnd.STOPPED) -> None:
        """End a session and wait until it is gone. Ending it twice is fine."""
        ended = self._ended.get(session.id)
        if ended is None:
            return
        if not session.ending:
            session.ending = True
            session.end_reason = reason
            session.drop_handshakes()
            await session.worker.quit(reason)
        await ended.wait()

    async def stop_client(self, fingerprint: str, reason: StreamEnd = StreamEnd.STOPPED) -> None:
        """End what a client has running or starting, and wait until it is gone.

        A guest only leaves. An owner that is unpaired leaves its session to a guest.
        """
        if reason is StreamEnd.UNPAIRED:
            self._unpaired[fingerprint] += 1
        await self._launches.call_off(fingerprint)
        for session in self.all():
            member = session.member(fingerprint)
            if member is None:
                continue
            owns = member is session.owner
            if owns and not (reason is StreamEnd.UNPAIRED and self._company.inherit(session)):
                await self.end(session, reason)
            else:
                await self._company.leave(session, member, reason)

    async def stop_stream(self, stream_id: int) -> bool:
        """End one stream; a guest leaves with it. Returns False when there is none."""
        for session in self.all():
            member = session.member_of_stream(stream_id)
            if member is not None:
                await self._company.stop(session, member)
                return True
        return False

    def end_client(self, fingerprint: str) -> None:
        """The client was unpaired: cut what it has, now."""
        self._chores.add(self.stop_client(fingerprint, StreamEnd.UNPAIRED))

    async def close(self) -> None:
        """End everything."""
        self._closed = True
        await self._launches.call_off()
        await asyncio.gather(*(self.end(session) for session in self.all()))
        await self._chores.done()
        await self._pool.close()

    def choice(self, kind: Kind) -> Choice:
        """Which driver an app without a wish would get, and why not the others."""
        return self._catalog.choice(kind)

    def _check_idle(self, client: PairedClient) -> None:
        if self._launches.has(client.fingerprint) or self.of_client(client.fingerprint) is not None:
            raise Refused("an app is already running for this client", status=400)

    def _take_in(self, session: HostSession) -> None:
        """It runs: from now on it is ours to end."""
        session.on_sample, session.publish = self.on_sample, self.publish
        self._sessions[session.id] = session
        self._ended[session.id] = asyncio.Event()
        self._chores.add(self._see_out(session))
        video_port = self._ports.media(session.slot).video
        about = {"session": session.id, "worker_pid": session.worker.pid, "video_port": video_port}
        log.info("session started: %s", session.app.title, extra=about)
        self.on_started(session)

    def _expect(
        self,
        session: HostSession,
        member: Member,
        request: LaunchRequest,
        remote_ip: str,
        local_ip: str | None,
        *,
        first: bool,
    ) -> None:
        """Args:
        first: What was begun for this client ends if it does not come.
        """

        def unused() -> None:
            if member.leaving:
                return
            log.info("the client did not come to stream", extra={"session": session.id})
            if first and member.guest:
                self._chores.add(self._company.leave(session, member, StreamEnd.NEVER_CONNECTED))
            elif first:
                self._chores.add(self.end(session, StreamEnd.NEVER_CONNECTED))

        self.reception.expect(session, member, request, remote_ip, local_ip, unused)

    async def _see_out(self, session: HostSession) -> None:
        """When the worker is gone, take back what it left behind, then forget the session."""
        cause = await session.worker.wait()
        session.worker_gone()
        if cause:
            log.error("session lost: %s", cause, extra={"session": session.id})
        try:
            await self._cleaner.clean(Path(session.plan.journal))
        finally:
            del self._sessions[session.id]
            self._ended.pop(session.id).set()
        log.info("session ended", extra={"session": session.id})
        self.on_ended(session, cause)
