"""What the management API asks of the host."""

from collections.abc import Sequence

from punktfunk.events import EventBus
from punktfunk.gamestream.nvhttp import APP_VERSION, GFE_VERSION
from punktfunk.host.gamestream import GameStreamHost
from punktfunk.host.member import Member
from punktfunk.host.network import client_addresses, local_ip
from punktfunk.host.operations import Operations
from punktfunk.host.ports import Ports
from punktfunk.host.session import HostSession
from punktfunk.host.sessions import Sessions
from punktfunk.library import Library
from punktfunk.mgmt.audit import Audit
from punktfunk.mgmt.values import HostInfo, MemberView, PortMap, SessionView
from punktfunk.model.clients import Fingerprint, PairedClient
from punktfunk.model.offers import Choice, Kind
from punktfunk.model.session import StreamEnd
from punktfunk.model.video import Codec
from punktfunk.stats import Stats
from punktfunk.trust.held_off import HeldOff
from punktfunk.trust.native import NativePairing
from punktfunk.trust.pairing import PairingService, PendingPairing
from punktfunk.trust.store import ClientStore
from punktfunk.trust.tokens import TokenStore


class Management:
    """Implements `punktfunk.mgmt.host.MgmtHost`.

    Args:
        bind: The address that clients connect to; empty for all of this machine's.

    Attributes:
        mgmt_port: Of the API itself, once it listens.
    """

    def __init__(
        self,
        *,
        gamestream: GameStreamHost,
        sessions: Sessions,
        clients: ClientStore,
        pairing: PairingService,
        ports: Ports,
        bind: str,
        unique_id: str,
        events: EventBus,
        native: NativePairing,
        tokens: TokenStore,
        audit: Audit,
        library: Library,
        stats: Stats,
        operations: Operations,
    ) -> None:
        self.native = native
        self.tokens = tokens
        self.audit = audit
        self.library = library
        self.stats = stats
        self.operations = operations
        self.mgmt_port = 0
        self._gamestream = gamestream
        self._sessions = sessions
        self._clients = clients
        self._pairing = pairing
        self._ports = ports
        self._bind = bind
        self._unique_id = unique_id
        self.events = events

    def info(self) -> HostInfo:
        media = self._ports.media(0)
        offered = self._sessions.reception.offered_codecs()
        return HostInfo(
            hostname=self._gamestream.name,
            unique_id=self._unique_id,
            local_ip=local_ip(),
            addresses=client_addresses(self._bind),
            app_version=APP_VERSION,
            gfe_version=GFE_VERSION,
            codecs=tuple(codec for codec in Codec if codec in offered),
            ports=PortMap(
                mgmt=self.mgmt_port,
                http=self._ports.http,
                https=self._ports.https,
                rtsp=self._ports.rtsp,
                video=media.video,
                control=media.control,
                audio=media.audio,
            ),
        )

    def sessions(self) -> Sequence[SessionView]:
        return [self._view(session) for session in self._sessions.all() if not session.ending]

    def clients(self) -> Sequence[PairedClient]:
        return self._clients.clients()

    async def unpair(self, fingerprint: Fingerprint) -> bool:
        try:
            return self._clients.remove(fingerprint)
        finally:
            await self._sessions.stop_client(fingerprint, StreamEnd.UNPAIRED)

    def rename(self, fingerprint: Fingerprint, name: str) -> PairedClient | None:
        if self._clients.rename(fingerprint, name) is None:
            return None
        return next(it for it in self.clients() if it.fingerprint == fingerprint)

    def held_off(self) -> Sequence[HeldOff]:
        return self._pairing.held_off()

    def pending_pairings(self) -> Sequence[PendingPairing]:
        return self._pairing.pending()

    def submit_pin(self, pin: str, attempt_id: int | None) -> None:
        self._pairing.submit_pin(pin, attempt_id)

    async def stop_sessions(self, session_id: int | None) -> None:
        for session in self._sessions.all():
            if session_id is None or session.id == session_id:
                await self._sessions.end(session)

    async def stop_stream(self, stream_id: int) -> bool:
        return await self._sessions.stop_stream(stream_id)

    def request_keyframes(self, session_id: int | None = None) -> bool:
        streaming = [
            it
            for it in self._sessions.all()
            if it.codec is not None and session_id in (None, it.id)
        ]
        for session in streaming:
            session.worker.request_keyframe()
        return bool(streaming)

    def compositors(self) -> Choice:
        return self._sessions.choice(Kind.COMPOSITOR)

    def _view(self, session: HostSession) -> SessionView:
        guests = (it for it in session.members if it is not session.owner and not it.leaving)
        return SessionView(
            id=session.id,
            app=session.app.title,
            mode=session.mode,
            members=tuple(
                _member(it, self._clients.get(it.fingerprint)) for it in (session.owner, *guests)
            ),
            second_client=self._sessions.reception.second_client(session.app.library_id),
            app_id=session.app.library_id,
            started_unix=session.started_unix,
        )


def _member(member: Member, known: PairedClient | None) -> MemberView:
    """Args:
    known: The client as it is paired now: it may have another name since it came.
    """
    stream = member.stream
    return MemberView(
        client=member.fingerprint,
        client_name=(known or member.client).name,
        guest=member.guest,
        watches=member.watches,
        stream_id=stream.stream_id if stream else None,
        stream=stream.request if stream else None,
        streaming=member.connected,
        connected_unix=member.connected_unix,
        sample=member.sample,
        totals=member.totals,
    )
