"""nvhttp on real sockets: two listeners, one set of routes, and limits on everything.

A connection carries one request. That is what clients do, it leaves nothing to smuggle, and a
certificate is looked at anew for every request.
"""

import asyncio
import logging
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address

import attrs
import h11

from punktfunk.net.anycert_tls import TlsStream, make_context
from punktfunk.net.http1 import HttpConnection, Stream
from punktfunk.net.nvhttp_host import NvHttpHost
from punktfunk.net.nvhttp_routes import NvHttpRoutes, Peer, refusal
from punktfunk.net.places import Place, Places
from punktfunk.trust.identity import HostIdentity
from punktfunk.trust.pairing import PairingService
from punktfunk.trust.store import ClientStore

log = logging.getLogger(__name__)

_MAX_IGNORED_BYTES = 65_536


@attrs.frozen(kw_only=True)
class Limits:
    """Attributes: `read_s` covers TLS handshake and request head, each."""

    connections: int = 128
    connections_per_address: int = 32
    read_s: float = 10.0
    write_s: float = 10.0


class NvHttpServer:
    """Plain HTTP and HTTPS for GameStream clients."""

    def __init__(
        self,
        host: NvHttpHost,
        store: ClientStore,
        pairing: PairingService,
        identity: HostIdentity,
        limits: Limits | None = None,
    ) -> None:
        self._routes = NvHttpRoutes(host, store, pairing)
        self._context = make_context(identity)
        self._limits = limits or Limits()
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = Places(self._limits.connections, self._limits.connections_per_address)
        self.http_port = 0
        self.https_port = 0

    async def start(self, addresses: Sequence[str], http_port: int, https_port: int) -> None:
        """Listen on all addresses. Port 0 picks one, which `http_port`/`https_port` then say.

        Raises:
            OSError: a port is taken; nothing listens then.
        """
        try:
            self.http_port = await self._listen(addresses, http_port, tls=False)
            self.https_port = await self._listen(addresses, https_port, tls=True)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close listeners and connections, whatever they were doing. Twice is fine."""
        for server in self._servers:
            server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    @property
    def connections(self) -> int:
        """Open right now."""
        return len(self._tasks)

    async def _listen(self, addresses: Sequence[str], port: int, *, tls: bool) -> int:
        for address in addresses:
            server = await asyncio.start_server(
                self._plain_connected if not tls else self._tls_connected,
                address,
                port,
                backlog=self._limits.connections,
            )
            self._servers.append(server)
            port = server.sockets[0].getsockname()[1]
        return port

    async def _plain_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await self._connected(reader, writer, tls=False)

    async def _tls_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await self._connected(reader, writer, tls=True)

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, tls: bool
    ) -> None:
        peer_name = writer.get_extra_info("peername")
        task = asyncio.current_task()
        if peer_name is None or task is None:  # gone before we looked
            writer.transport.abort()
            return
        address = plain_address(peer_name[0])
        place = self._places.enter(address, writer.transport.abort)
        if place is None:
            writer.transport.abort()
            return
        self._tasks.add(task)
        try:
            await self._serve(reader, writer, place, tls=tls)
            async with asyncio.timeout(self._limits.write_s):
                writer.close()
                await writer.wait_closed()
        except (OSError, h11.ProtocolError):
            log.debug("connection ended early", extra={"peer": address}, exc_info=True)
        except asyncio.CancelledError:
            pass  # by `stop`; Python 3.11's streams would report it as an error
        except Exception:
            log.exception("connection failed", extra={"peer": address})
        finally:
            self._tasks.discard(task)
            self._places.leave(place)
            writer.transport.abort()  # nothing to do after a close that went well

    async def _serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        place: Place,
        *,
        tls: bool,
    ) -> None:
        secure: TlsStream | None = None
        stream: Stream = PlainStream(reader, writer)
        if tls:
            stream = secure = TlsStream(reader, writer, self._context)
            async with asyncio.timeout(self._limits.read_s):
                await secure.handshake()
        http = HttpConnection(stream)
        try:
            async with asyncio.timeout(self._limits.read_s):
                request = await http.request()
        except h11.RemoteProtocolError:
            answer = refusal(400, "this is not a request this host understands")
        else:
            if request is None:
                return
            place.expendable = False
            peer = Peer(
                remote_address=place.address,
                local_address=plain_address(writer.get_extra_info("sockname")[0]),
                tls=tls,
                certificate_der=secure.peer_certificate_der() if secure else None,
                hung_up=lambda: _hung_up(stream),
            )
            answer = await self._routes.respond(request, peer)
        async with asyncio.timeout(self._limits.write_s):
            await http.answer(answer.content_type, answer.body)
            if secure:
                await secure.finish()


@attrs.frozen
class PlainStream:
    """TCP as it is."""

    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter

    async def read(self, limit: int) -> bytes:
        return await self._reader.read(limit)

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


def plain_address(address: str) -> str:
    """IPv4 stays IPv4 on a socket that also takes IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(parsed)


async def _hung_up(stream: Stream) -> None:
    """Return when the peer closes, or sends more than anybody has reason to."""
    ignored_bytes = 0
    while ignored_bytes < _MAX_IGNORED_BYTES:
        try:
            data = await stream.read(4_096)
        except ConnectionError:
            return
        if not data:
            return
        ignored_bytes += len(data)
