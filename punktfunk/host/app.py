"""The composition root: everything a host is made of, started and stopped in order."""

import asyncio
import errno
import logging
import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

from punktfunk.config import LoadedConfig
from punktfunk.config.addresses import parse_bind
from punktfunk.errors import ConfigError
from punktfunk.host.catalog import Catalog
from punktfunk.host.cleanup import Cleaner
from punktfunk.host.events import Events
from punktfunk.host.gamestream import GameStreamHost
from punktfunk.host.management import Management
from punktfunk.host.plugins import plugin_filter
from punktfunk.host.ports import Ports
from punktfunk.host.runtime import Runtime, RuntimeFile
from punktfunk.host.sessions import Paths, Sessions
from punktfunk.mgmt.app import create_app
from punktfunk.mgmt.server import MgmtServer
from punktfunk.mgmt.tls import server_tls
from punktfunk.model.offers import Kind
from punktfunk.net.mdns import Announcer
from punktfunk.net.nvhttp_server import NvHttpServer
from punktfunk.net.rtsp_server import RtspServer
from punktfunk.registry.calls import PluginCalls
from punktfunk.registry.facts import gather_facts
from punktfunk.session.pool import WorkerPool
from punktfunk.trust.files import make_private_folder
from punktfunk.trust.identity import load_or_make_identity
from punktfunk.trust.pairing import PairingService
from punktfunk.trust.store import ClientStore
from punktfunk.trust.token import load_or_make_token

log = logging.getLogger(__name__)

_ALL_ADDRESSES = ("0.0.0.0", "::")


class Host:
    """A running host. `start` opens every door, `stop` closes them and ends all sessions.

    Raises:
        ConfigError, StateDamaged: from `__init__`, with one line that says what to do.
    """

    def __init__(self, loaded: LoadedConfig, config_dir: Path) -> None:
        settings = loaded.settings
        self.settings = settings
        self.config_dir = config_dir
        self.ports = Ports(settings.host.base_port)
        self.identity = load_or_make_identity(config_dir)
        self.token = load_or_make_token(config_dir)
        self.clients = ClientStore(config_dir)
        self.pairing = PairingService(self.identity, self.clients)
        wanted = plugin_filter(settings)
        facts = gather_facts(settings.plugin)
        self.events = Events()
        self.catalog = Catalog(settings, facts, wanted)
        self.cleaner = Cleaner(config_dir / "journal", facts, wanted)
        self.pool = WorkerPool(self._drivers_to_warm)
        self.sessions = Sessions(
            settings=settings,
            ports=self.ports,
            pool=self.pool,
            catalog=self.catalog,
            cleaner=self.cleaner,
            paths=Paths(journals=config_dir / "journal", runtime=runtime_folder()),
            host_environment=dict(os.environ),
            remember_control_v2=self.clients.remember_control_v2,
        )
        self.gamestream = GameStreamHost(settings, self.identity, self.ports, self.sessions)
        self.management = Management(
            gamestream=self.gamestream,
            sessions=self.sessions,
            clients=self.clients,
            pairing=self.pairing,
            ports=self.ports,
            unique_id=self.identity.unique_id,
        )
        self.mgmt = MgmtServer(
            create_app(self.management, self.token, names=settings.mgmt.names),
            parse_bind(settings.mgmt.bind),
            server_tls(settings.mgmt, self.identity.path, config_dir),
        )
        self._nvhttp = NvHttpServer(self.gamestream, self.clients, self.pairing, self.identity)
        self._rtsp = RtspServer(self.sessions)
        self._announcer = Announcer()
        self._connect_events()

    async def start(self) -> None:
        """Probe, clean up after an earlier host, then listen.

        Raises:
            ConfigError: a port is taken, or a plugin's setting is wrong.
        """
        await asyncio.gather(self.catalog.refresh(), self.cleaner.clean_all())
        self.catalog.check_settings()
        self.events.listeners = PluginCalls(self.catalog.plugins)
        addresses = [self.settings.host.bind] if self.settings.host.bind else _usable_addresses()
        await self.mgmt.start()
        self.management.mgmt_port = self.mgmt.port
        try:
            await self._rtsp.start(addresses, self.ports.rtsp)
            await self._nvhttp.start(addresses, self.ports.http, self.ports.https)
        except OSError as error:
            raise ConfigError(f"cannot listen for clients: {_why(error)}") from error
        if self.settings.host.mdns:
            await self._announcer.start(self.gamestream.name, self.ports.http, addresses)
        self.pool.refill()

    async def stop(self) -> None:
        """Close the doors first, then end what is inside."""
        await self._announcer.stop()
        await self.mgmt.stop()
        await self._nvhttp.stop()
        await self._rtsp.close()
        await self.sessions.close()
        await self.events.close()

    @property
    def runtime(self) -> Runtime:
        """Where programs on this machine find it, once it runs."""
        return Runtime(
            pid=os.getpid(),
            mgmt_url=self.mgmt.url,
            tls_fingerprint=self.mgmt.tls_fingerprint,
            http_port=self.ports.http,
        )

    def _drivers_to_warm(self) -> tuple[str, ...]:
        """What the next session will most likely need."""
        picked = (self.catalog.choice(kind).picked for kind in Kind)
        return tuple(f"{offer.kind}:{offer.driver}" for offer in picked if offer)

    def _connect_events(self) -> None:
        sessions, fire = self.sessions, self.events.fire
        self.clients.on_removed(sessions.end_client)
        self.clients.on_removed(lambda fingerprint: fire("client_unpaired", client=fingerprint))
        self.clients.on_added(
            lambda client: fire("client_paired", client=client.fingerprint, name=client.name)
        )
        sessions.on_started = lambda session: fire(
            "session_started",
            session_id=session.id,
            app=session.app.library_id,
            client=session.client,
        )
        sessions.on_ended = lambda session, cause: fire(
            "session_ended", session_id=session.id, reason=cause or "ended"
        )


def runtime_folder() -> Path:
    """Parent of the sessions' runtime folders: private, with a path short enough for sockets."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and os.access(base, os.W_OK):
        folder = Path(base) / "punktfunk"
    else:
        folder = Path(tempfile.gettempdir()) / f"punktfunk-{os.getuid()}"
    make_private_folder(folder)
    if folder.stat().st_uid != os.getuid():
        raise ConfigError(f"{folder} belongs to someone else: remove it")
    return folder


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "a port is taken; another host may be running (--base-port moves all ports)"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine does not have that address"
    return error.strerror or str(error)


def _usable_addresses() -> list[str]:
    return [address for address in _ALL_ADDRESSES if ":" not in address or _has_ipv6()]


def _has_ipv6() -> bool:
    return Path("/proc/net/if_inet6").exists()


async def serve(loaded: LoadedConfig, config_dir: Path, ready: Callable[["Host"], None]) -> None:
    """Run a host until SIGINT or SIGTERM.

    Args:
        ready: Called once clients can connect.

    Raises:
        PunktfunkError: it could not start; one line for a person.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with RuntimeFile(config_dir) as runtime:
        host = Host(loaded, config_dir)
        try:
            await host.start()
            runtime.publish(host.runtime)
            ready(host)
            await stop.wait()
        finally:
            await host.stop()
