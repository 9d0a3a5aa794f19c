"""TLS that asks for a client certificate and takes any, or none.

Clients must get an answer inside TLS, also when they are not paired: after a failed handshake
they show the host as dead (docs/protocol/gamestream.md, section 2.2). Python's own `ssl` cannot
take an unknown certificate, so this drives pyOpenSSL over plain asyncio streams.

TLS still proves that the peer owns its certificate's key. It says nothing about trust: whoever
uses `peer_certificate_der` has to look it up among the paired clients, for every request.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from cryptography import x509
from OpenSSL import SSL, crypto

from punktfunk.trust.identity import HostIdentity

_CHUNK_BYTES = 65_536

T = TypeVar("T")


def make_context(identity: HostIdentity) -> SSL.Context:
    """TLS 1.2 and 1.3 with the host's one certificate.

    No tickets and no session cache: a resumed session would bring a remembered identity.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.use_certificate(x509.load_pem_x509_certificate(identity.certificate_pem))
    context.use_privatekey(identity.private_key)
    context.check_privatekey()
    context.set_verify(SSL.VERIFY_PEER, _accept)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION)
    return context


class _PeerClosed(ConnectionError):
    """Without a goodbye, as many clients do."""


class TlsStream:
    """The server's end of one TLS connection. Raises ConnectionError when TLS breaks."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: SSL.Context
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._tls = SSL.Connection(context, None)
        self._tls.set_accept_state()

    async def handshake(self) -> None:
        await self._pump(self._tls.do_handshake)

    def peer_certificate_der(self) -> bytes | None:
        """The leaf the peer proved to own, once the handshake is done."""
        certificate = self._tls.get_peer_certificate()
        if certificate is None:
            return None
        return crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)

    async def read(self, limit: int) -> bytes:
        """Like `StreamReader.read`: empty at the end, also at an impolite one."""
        try:
            return await self._pump(partial(self._tls.recv, limit))
        except (SSL.ZeroReturnError, _PeerClosed):
            return b""

    async def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            chunk = bytes(view[:_CHUNK_BYTES])
            view = view[await self._pump(partial(self._tls.send, chunk)) :]

    async def finish(self) -> None:
        """Say goodbye, without waiting for theirs."""
        try:
            self._tls.shutdown()
        except SSL.Error:
            return
        await self._flush()

    async def _pump(self, operation: Callable[[], T]) -> T:
        """Repeat `operation`, moving bytes both ways, until OpenSSL has what it needs."""
        while True:
            try:
                result = operation()
            except SSL.WantReadError:
                await self._flush()
                data = await self._reader.read(_CHUNK_BYTES)
                if not data:
                    raise _PeerClosed("the peer closed the connection") from None
                self._tls.bio_write(data)
            except SSL.ZeroReturnError:
                raise
            except SSL.Error as error:
                await self._flush()  # the alert
                raise ConnectionError("TLS failed") from error
            else:
                await self._flush()
                return result

    async def _flush(self) -> None:
        while True:
            try:
                self._writer.write(self._tls.bio_read(_CHUNK_BYTES))
            except SSL.WantReadError:
                break
        await self._writer.drain()


def _accept(_connection: object, _certificate: object, _error: int, _depth: int, _ok: int) -> bool:
    return True
