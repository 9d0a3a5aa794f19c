"""RTSP on real sockets: one request a connection, each with little time and little memory.

docs/protocol/gamestream.md, section 3.1.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from punktfunk.errors import ProtocolError, Refused
from punktfunk.gamestream.endpoint import is_local_network, normalize_ip
from punktfunk.gamestream.rtsp import (
    RequestReader,
    RtspRequest,
    RtspResponse,
    SealedFrame,
    SealedRtsp,
    parse_request,
    refusal,
    write_answer,
)
from punktfunk.net.places import Place, Places

log = logging.getLogger(__name__)

DEFAULT_PORT = 48_010
HEAD_TIMEOUT_S = 10.0
TOTAL_TIMEOUT_S = 15.0
MAX_CONNECTIONS = 64
MAX_CONNECTIONS_PER_ADDRESS = 8

_READ_BYTES = 4_096
_LINGER_S = 1.0
_MAX_LINGER_BYTES = 128 * 1_024


class RtspSession(Protocol):
    """A session between `/launch` and PLAY."""

    @property
    def id(self) -> int: ...

    @property
    def seal(self) -> SealedRtsp | None:
        """What opens its requests; None when the client speaks plain RTSP.

        The same object for as long as the session has its key.
        """

    @property
    def remote_ip(self) -> str:
        """Where `/launch` came from."""

    async def handle(self, request: RtspRequest) -> RtspResponse:
        """Answer a request; may take a while for the one that starts the stream.

        Raises:
            Refused: becomes the status in its field `status`, else 400.
            ProtocolError: becomes a 400.
        """


class RtspHost(Protocol):
    """Who knows the sessions."""

    def pending_sessions(self) -> Sequence[RtspSession]:
        """Sessions that expect RTSP requests now, a handful at most."""


class RtspServer:
    """Listens until closed."""

    def __init__(
        self,
        host: RtspHost,
        *,
        head_timeout_s: float = HEAD_TIMEOUT_S,
        total_timeout_s: float = TOTAL_TIMEOUT_S,
        max_connections: int = MAX_CONNECTIONS,
        max_per_address: int = MAX_CONNECTIONS_PER_ADDRESS,
    ) -> None:
        self._host = host
        self._head_timeout_s = head_timeout_s
        self._total_timeout_s = total_timeout_s
        self._places = Places(max_connections, max_per_address)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port it listens on; tells what 0 became."""
        if self._server is None:
            raise RuntimeError("the RTSP server is not listening")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self, addresses: Sequence[str] | None = None, port: int = DEFAULT_PORT) -> None:
        """Listen.

        Args:
            addresses: Local addresses; None means all, IPv4 and IPv6.
            port: 0 picks a free one, for tests.
        """
        self._server = await asyncio.start_server(
            self._connected, host=addresses, port=port, limit=_READ_BYTES
        )

    async def close(self) -> None:
        """Stop listening and drop what is open. Closing twice is fine."""
        if self._server is None:
            return
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        ip = normalize_ip(peer[0]) if peer else ""
        place = self._places.enter(ip, writer.transport.abort) if ip else None
        if place is None:
            writer.transport.abort()
            return
        writer.transport.set_write_buffer_limits(high=0)  # drain() then waits for the last byte
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer, place))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._disconnected(done, writer, place))

    def _disconnected(
        self, task: asyncio.Task[None], writer: asyncio.StreamWriter, place: Place
    ) -> None:
        self._tasks.discard(task)
        self._places.leave(place)
        writer.transport.abort()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: Place
    ) -> None:
        ip = place.address
        try:
            async with asyncio.timeout(self._total_timeout_s):
                answer = await self._converse(reader, place)
                if answer:
                    writer.write(answer)
                    await writer.drain()
                    place.expendable = True
                    await _finish(reader, writer)
        except (TimeoutError, OSError):
            log.debug("RTSP connection dropped", extra={"remote_ip": ip})
        except Exception:
            log.exception("RTSP connection failed", extra={"remote_ip": ip})

    async def _converse(self, reader: asyncio.StreamReader, place: Place) -> bytes:
        """Return the bytes to answer with; none when there is nothing to say."""
        ip = place.address
        try:
            request = await self._read(reader)
        except ProtocolError as error:
            log.info("RTSP request refused: %s", error, extra={"remote_ip": ip})
            return write_answer(refusal(None, error))
        place.expendable = False
        match request:
            case None:
                return b""
            case SealedFrame():
                return await self._answer_sealed(request, ip)
            case _:
                return await self._answer_plain(request, ip)

    async def _read(self, reader: asyncio.StreamReader) -> RtspRequest | SealedFrame | None:
        collector = RequestReader()
        async with asyncio.timeout(self._head_timeout_s) as head_timeout:
            while data := await reader.read(_READ_BYTES):
                request = collector.receive(data)
                if request is not None:
                    return request
                if collector.head_complete:
                    head_timeout.reschedule(None)
        return None

    async def _answer_sealed(self, frame: SealedFrame, ip: str) -> bytes:
        for session in self._host.pending_sessions():
            seal = session.seal
            if seal is None:
                continue
            try:
                plaintext = seal.try_open(frame)
                if plaintext is None:
                    continue
                response = await _ask(session, parse_request(plaintext))
            except ProtocolError as error:
                response = refusal(None, error)
            return seal.seal(write_answer(response))
        # Nobody to whom an answer could be sealed.
        log.info("sealed RTSP request fits no waiting session", extra={"remote_ip": ip})
        return b""

    async def _answer_plain(self, request: RtspRequest, ip: str) -> bytes:
        try:
            session = self._plain_session(ip)
        except Refused as error:
            log.info("RTSP request refused: %s", error, extra={"remote_ip": ip})
            return write_answer(refusal(request.cseq, error, 403))
        return write_answer(await _ask(session, request))

    def _plain_session(self, ip: str) -> RtspSession:
        if not is_local_network(ip):
            raise Refused("plain RTSP is for the local network only")
        here = [
            session
            for session in self._host.pending_sessions()
            if session.seal is None and normalize_ip(session.remote_ip) == ip
        ]
        if len(here) != 1:
            raise Refused("no one launch waits for this address", waiting=len(here))
        return here[0]


async def _ask(session: RtspSession, request: RtspRequest) -> RtspResponse:
    try:
        return await session.handle(request)
    except (Refused, ProtocolError) as error:
        log.info("RTSP request refused: %s", error, extra={"session": session.id})
        return refusal(request.cseq, error)
    except Exception as error:
        log.exception("session failed at %s", request.method, extra={"session": session.id})
        return refusal(request.cseq, RuntimeError(type(error).__name__), 500)


async def _finish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close our side and wait a moment for the client's.

    Closing with unread bytes would reset the connection and take the answer with it.
    """
    writer.write_eof()
    left_bytes = _MAX_LINGER_BYTES
    try:
        async with asyncio.timeout(_LINGER_S):
            while left_bytes > 0 and (data := await reader.read(_READ_BYTES)):
                left_bytes -= len(data)
    except TimeoutError:
        return
