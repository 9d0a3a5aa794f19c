"""The management API on a socket: Hypercorn inside the host's own event loop."""

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from ipaddress import IPv6Address

from hypercorn.asyncio import serve
from hypercorn.config import Config, Sockets
from quart import Quart

from punktfunk.config.addresses import Bind, in_url
from punktfunk.errors import ConfigError
from punktfunk.mgmt.tls import ServerTls

GRACE_S = 0.5
STOP_TIMEOUT_S = 1.5
_BACKLOG = 100
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
        listener = _listen(self._bind)
        self._bind = Bind(self._bind.address, listener.getsockname()[1])
        config = _Config(listener, self._tls.context if self._tls else None)
        self._task = asyncio.create_task(
            serve(self._app, config, shutdown_trigger=self._stop.wait),
            name="management API",
        )
        self._task.add_done_callback(_report_failure)

    async def stop(self) -> None:
        """Stop accepting, give running requests a moment, and cut what is left."""
        if self._task is None:
            return
        self._stop.set()
        _, running = await asyncio.wait({self._task}, timeout=STOP_TIMEOUT_S)
        if running:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task


class _Config(Config):
    """Quiet, quick to stop, and with a socket and a TLS context that are known to work."""

    graceful_timeout = GRACE_S
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


def _listen(bind: Bind) -> socket.socket:
    family = socket.AF_INET6 if bind.address.version == 6 else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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
