"""The management API on a socket: Hypercorn inside the host's own event loop."""

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
import weakref
from ipaddress import IPv6Address
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config, Sockets
from quart import Quart

from punktfunk.config.addresses import Bind, in_url
from punktfunk.errors import ConfigError
from punktfunk.mgmt.tls import ServerTls

GRACE_S = 0.5
STOP_TIMEOUT_S = 1.0
_BACKLOG = 100
_UNREAD_TIMEOUT_MS = 30_000
_MAX_HEADER_BYTES = 16_384

log = logging.getLogger(__name__)


class MgmtServer:
    """Started once, stopped once.

    Args:
        tls: None for plain HTTP, on loopback only.
    """

    def __init__(self, app: Quart, bind: Bind, tls: ServerTls | None = None) -> None:
        if tls is None and not bind.is_loopback:
            raise ConfigError(f"{bind}: outside loopback the management API needs HTTPS")
        self._app = app
        self._bind = bind
        self._tls = tls
        self._listener: _Listener | None = None
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The one it got, when any was asked for."""
        return self._bind.port

    @property
    def url(self) -> str:
        """For programs on this machine."""
        address = in_url(self._bind.address)
        if self._bind.is_wildcard:
            address = "[::1]" if isinstance(self._bind.address, IPv6Address) else "127.0.0.1"
        return f"{'https' if self._tls else 'http'}://{address}:{self.port}"

    @property
    def tls_fingerprint(self) -> str | None:
        return self._tls.fingerprint if self._tls else None

    async def start(self) -> None:
        """Accept connections from here on.

        Raises:
            ConfigError: the address cannot be had.
        """
        self._listener = listener = _listen(self._bind)
        self._bind = Bind(self._bind.address, listener.getsockname()[1])
        config = _Config(listener, self._tls.context if self._tls else None)
        self._task = asyncio.create_task(
            serve(self._app, config, shutdown_trigger=self._stop.wait),
            name="management API",
        )
        self._task.add_done_callback(_report_failure)

    async def stop(self) -> None:
        """Stop accepting, give running requests a moment, and cut what is left."""
        if self._task is None or self._listener is None:
            return
        self._stop.set()
        _, running = await asyncio.wait({self._task}, timeout=GRACE_S)
        if running:
            self._listener.cut_connections()
            _, running = await asyncio.wait({self._task}, timeout=STOP_TIMEOUT_S)
        if running:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task


class _Config(Config):
    """Quiet, quick to stop, and with a socket and a TLS context that are known to work."""

    graceful_timeout = 2 * GRACE_S  # it would wait for ever for who does not read
    shutdown_timeout = 1.0
    startup_timeout = 5.0
    backlog = _BACKLOG
    h11_max_incomplete_size = _MAX_HEADER_BYTES
    include_server_header = False
    accesslog = None
    errorlog = log.getChild("hypercorn")
    loglevel = "WARNING"

    def __init__(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        self._listener = listener
        self._context = context
        log.getChild("hypercorn").setLevel(logging.WARNING)  # it tells of its start at info

    @property
    def ssl_enabled(self) -> bool:
        return self._context is not None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        return self._context

    def create_sockets(self) -> Sockets:
        if self.ssl_enabled:
            return Sockets([self._listener], [], [])
        return Sockets([], [self._listener], [])


class _Listener(socket.socket):
    """Knows the connections it accepted, which the framework keeps to itself."""

    def __init__(self, family: socket.AddressFamily) -> None:
        # The protocol is named, or asyncio leaves Nagle's delay on and each answer takes 40 ms.
        super().__init__(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self.connections: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def accept(self) -> tuple[socket.socket, Any]:
        connection, address = super().accept()
        self.connections.add(connection)
        return connection, address

    def cut_connections(self) -> None:
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _listen(bind: Bind) -> _Listener:
    listener = _Listener(socket.AF_INET6 if bind.address.version == 6 else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it: who reads nothing of what was sent is cut off by the kernel.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_TIMEOUT_MS)
        listener.bind((str(bind.address), bind.port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        reason = error.strerror
        if error.errno == errno.EADDRINUSE:
            reason = "another program uses this port; choose another one with --mgmt-bind"
        elif error.errno == errno.EADDRNOTAVAIL:
            reason = "this machine does not have that address"
        raise ConfigError(f"the management API cannot listen on {bind}: {reason}") from None
    return listener


def _report_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("the management API stopped working", exc_info=error)
