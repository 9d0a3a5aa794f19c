"""All sessions of this host: who may launch what, with which ports, and how it ends."""

import asyncio
import itertools
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path

from punktfunk.config.chain import SessionSettings, session_settings
from punktfunk.config.settings import Settings
from punktfunk.errors import Refused
from punktfunk.events import Publish
from punktfunk.gamestream import nvhttp
from punktfunk.gamestream.endpoint import normalize_ip
from punktfunk.gamestream.launch import LaunchRequest
from punktfunk.gamestream.sdp import HostCapabilities
from punktfunk.host.catalog import Catalog
from punktfunk.host.cleanup import Cleaner
from punktfunk.host.handshake import HANDSHAKE_TIMEOUT_S, Handshake
from punktfunk.host.joining import Company, offered_to_guest, running
from punktfunk.host.launches import Launches
from punktfunk.host.member import Member
from punktfunk.host.policy import check_launch, encryption_requested, stream_limits
from punktfunk.host.ports import Ports, bind_media
from punktfunk.host.session import HostSession
from punktfunk.host.starting import Launch, Paths, Starter
from punktfunk.model.apps import App
from punktfunk.model.clients import PairedClient
from punktfunk.model.offers import Choice, Kind
from punktfunk.model.session import StreamEnd, StreamSample
from punktfunk.model.video import Codec
from punktfunk.session.pool import WorkerPool
from punktfunk.session.stream import MediaSockets

log = logging.getLogger(__name__)


class Sessions:
    """Runs on the host's event loop.

    Attributes:
        on_started, on_ended: Told after the fact, for plugins and logs.
        on_sample: Told of every second of every stream.
        publish: Tells of what becomes of streams, and who comes and goes.
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
        self._starter = Starter(
            pool=pool,
            catalog=catalog,
            cleaner=cleaner,
            paths=paths,
            host_environment=host_environment,
            bind_media=self._bind_media,
            remember_control_v2=remember_control_v2,
        )
        self._handshake_timeout_s = handshake_timeout_s
        self._sessions: dict[int, HostSession] = {}
        self._launches = Launches()
        self._company = Company(lambda event_type, /, **data: self.publish(event_type, **data))
        self._ended: dict[int, asyncio.Event] = {}
        self._unpaired: Counter[str] = Counter()
        self._stream_ids = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def use(self, settings: Settings) -> None:
        """From now on start sessions and streams by these settings."""
        self._settings = settings

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
        wanted = session_settings(self._settings, app.library_id, client.fingerprint)
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
                    other, client, request, wanted.stream, self._seat, check
                )
                self._expect(other, member, request, remote_ip, local_ip, first=member.guest)
                return other
        launch = Launch(client=client, app=app, request=request, wanted=wanted)
        casts = self._starter.cast(launch)
        slot = self._free_slot()

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
        wanted = self._wanted(session, member).stream
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
            if member is None:
                continue
            if member.guest:
                await self._company.leave(session, member, StreamEnd.STOPPED)
            else:
                member.stop_stream(StreamEnd.STOPPED)
                await member.stream_over()
            return True
        return False

    def end_client(self, fingerprint: str) -> None:
        """The client was unpaired: cut what it has, now."""
        self._spawn(self.stop_client(fingerprint, StreamEnd.UNPAIRED))

    async def close(self) -> None:
        """End everything."""
        self._closed = True
        await self._launches.call_off()
        await asyncio.gather(*(self.end(session) for session in self.all()))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pool.close()

    def offered_codecs(self, client: str = "", app: str = "") -> frozenset[Codec]:
        """What a client may choose from: probed to work, and allowed.

        Args:
            client: A fingerprint; empty for one that is not known.
            app: A library id; empty while it has not been chosen.
        """
        offer = self._catalog.best_encoder()
        wanted = session_settings(self._settings, app, client)
        allowed = frozenset(Codec(name) for name in wanted.stream.codecs)
        return (offer.codecs if offer else frozenset()) & allowed

    def choice(self, kind: Kind) -> Choice:
        """Which driver an app without a wish would get, and why not the others."""
        return self._catalog.choice(kind)

    def second_client(self, session: HostSession) -> str:
        """What a device gets that starts this session's app, unless it has a rule of its own."""
        return session_settings(self._settings, session.app.library_id, "").stream.second_client

    def _wanted(self, session: HostSession, member: Member) -> SessionSettings:
        return session_settings(self._settings, session.app.library_id, member.fingerprint)

    def _check_idle(self, client: PairedClient) -> None:
        if self._launches.has(client.fingerprint) or self.of_client(client.fingerprint) is not None:
            raise Refused("an app is already running for this client", status=400)

    def _seat(self) -> tuple[int, MediaSockets]:
        slot = self._next_slot()
        return slot, self._bind_media(slot)

    def _bind_media(self, slot: int) -> MediaSockets:
        return bind_media(self._settings.host.bind, self._ports.media(slot))

    def _next_slot(self) -> int:
        """The first that no client has, and no launch will have."""
        taken = {session.slot for session in self._sessions.values()} | self._launches.slots
        taken |= {it.slot for session in self._sessions.values() for it in session.members}
        return next(slot for slot in itertools.count() if slot not in taken)

    def _free_slot(self) -> int:
        limit = self._settings.stream.max_sessions
        if self._closed:
            raise Refused("this host is shutting down", status=503)
        first = {session.slot for session in self._sessions.values()} | self._launches.slots
        if len(first) >= limit:
            raise Refused(
                f"this host already streams to as many devices as it may ({limit}); "
                "quit an app there first, or raise stream.max_sessions",
                status=503,
            )
        return self._next_slot()

    def _take_in(self, session: HostSession) -> None:
        """It runs: from now on it is ours to end."""
        session.on_sample, session.publish = self.on_sample, self.publish
        self._sessions[session.id] = session
        self._ended[session.id] = asyncio.Event()
        self._spawn(self._see_out(session))
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
        remote_ip = normalize_ip(remote_ip)
        wanted = self._wanted(session, member).stream
        codecs = self.offered_codecs(member.fingerprint, session.app.library_id)
        if member.guest:
            codecs = offered_to_guest(codecs, session.codec)
        plan = session.plan
        features = self._catalog.features(Kind.INPUT, plan.input)
        pad_features = self._catalog.features(Kind.GAMEPAD, plan.gamepad)
        stream_id = next(self._stream_ids)

        def unused() -> None:
            if member.leaving:
                return
            log.info("the client did not come to stream", extra={"session": session.id})
            if first and member.guest:
                self._spawn(self._company.leave(session, member, StreamEnd.NEVER_CONNECTED))
            elif first:
                self._spawn(self.end(session, StreamEnd.NEVER_CONNECTED))

        member.expect(
            Handshake(
                stream_id=stream_id,
                request=request,
                remote_ip=remote_ip,
                local_ip=local_ip,
                ports=self._ports.media(member.slot),
                capabilities=HostCapabilities(
                    codecs=codecs,
                    pen_touch={"pen", "touch"} <= features,
                    controller_motion="motion" in pad_features,
                    encryption_requested=encryption_requested(wanted.encryption, remote_ip),
                ),
                limits=stream_limits(member.client, wanted, codecs),
                start=member.start_stream,
                touched=member.touch,
                over=lambda: member.handshake_over(stream_id),
            ),
            self._handshake_timeout_s,
            unused,
        )

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

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a session's house-keeping failed", exc_info=error)
