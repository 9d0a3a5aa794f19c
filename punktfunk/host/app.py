"""The composition root: everything a host is made of, started and stopped in order."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

from punktfunk import __version__
from punktfunk.automation import Automation
from punktfunk.config import LoadedConfig
from punktfunk.config.addresses import parse_bind
from punktfunk.config.editing import ConfigChange
from punktfunk.console import create_console
from punktfunk.errors import ConfigError
from punktfunk.host.apps import Apps
from punktfunk.host.catalog import Catalog
from punktfunk.host.cleanup import Cleaner
from punktfunk.host.events import Events
from punktfunk.host.folders import box_art_folder, runtime_folder
from punktfunk.host.gamestream import GameStreamHost
from punktfunk.host.live_config import LiveConfig
from punktfunk.host.management import Management
from punktfunk.host.network import usable_addresses, why_no_port
from punktfunk.host.operations import Operations
from punktfunk.host.plugins import plugin_filter
from punktfunk.host.ports import Ports
from punktfunk.host.runtime import Runtime, RuntimeFile
from punktfunk.host.sessions import Sessions
from punktfunk.host.sleep_watch import SleepWatch
from punktfunk.host.starting import Paths
from punktfunk.host.telling import Telling
from punktfunk.library import CustomGames, HiddenGames, Library
from punktfunk.library.app_numbers import AppNumbers
from punktfunk.library.box_art_cache import BoxArt
from punktfunk.mgmt.app import create_app
from punktfunk.mgmt.audit import Audit
from punktfunk.mgmt.server import MgmtServer
from punktfunk.mgmt.tls import server_tls
from punktfunk.model.offers import Kind
from punktfunk.net.mdns import Announcer
from punktfunk.net.nvhttp_server import NvHttpServer
from punktfunk.net.rtsp_server import RtspServer
from punktfunk.registry.calls import PluginCalls
from punktfunk.registry.facts import gather_facts
from punktfunk.session.pool import WorkerPool
from punktfunk.stats import Stats
from punktfunk.trust.identity import load_or_make_identity
from punktfunk.trust.native import NativePairing
from punktfunk.trust.pairing import PairingService
from punktfunk.trust.store import ClientStore, NativeClientStore
from punktfunk.trust.token import TokenFile
from punktfunk.trust.tokens import TokenStore

log = logging.getLogger(__name__)


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
        self.token = TokenFile(config_dir)
        self.clients = ClientStore(config_dir)
        self.pairing = PairingService(self.identity, self.clients)
        self.native = NativePairing(NativeClientStore(config_dir))
        wanted = plugin_filter(settings)
        facts = gather_facts(settings.plugin)
        self.events = Events()
        self.automation = Automation(settings, config_dir, os.environ)
        self.catalog = Catalog(settings, facts, wanted)
        self.stats = Stats(config_dir)
        self.cleaner = Cleaner(config_dir / "journal", facts, wanted)
        self.pool = WorkerPool(self._drivers_to_warm)
        self.sessions = Sessions(
            settings=settings,
            ports=self.ports,
            pool=self.pool,
            catalog=self.catalog,
            cleaner=self.cleaner,
            paths=Paths(
                journals=config_dir / "journal",
                memory=config_dir / "memory",
                runtime=runtime_folder(),
            ),
            host_environment=dict(os.environ),
            remember_control_v2=self.clients.remember_control_v2,
        )
        self.library = Library(facts, CustomGames(config_dir), HiddenGames(config_dir))
        box_art = BoxArt(box_art_folder())
        self._apps = apps = Apps(settings, self.library, AppNumbers(config_dir), box_art)
        self.gamestream = GameStreamHost(settings, self.identity, self.ports, self.sessions, apps)
        self.config = LiveConfig(loaded)
        self.operations = Operations(
            config=self.config,
            config_dir=config_dir,
            catalog=self.catalog,
            cleaner=self.cleaner,
            calls=lambda: self.events.listeners,
            running=lambda: frozenset(it.plan.seat for it in self.sessions.all()),
            publish=self.events.publish,
            hand_over=self._hand_over,
        )
        self.management = Management(
            gamestream=self.gamestream,
            sessions=self.sessions,
            clients=self.clients,
            pairing=self.pairing,
            ports=self.ports,
            bind=settings.host.bind,
            unique_id=self.identity.unique_id,
            events=self.events.bus,
            native=self.native,
            tokens=TokenStore(config_dir),
            audit=Audit(config_dir),
            library=self.library,
            stats=self.stats,
            operations=self.operations,
        )
        self.mgmt = MgmtServer(
            create_app(
                self.management,
                self.token.current,
                names=settings.mgmt.names,
                public_url=settings.mgmt.public_url,
                pages=create_console,
            ),
            parse_bind(settings.mgmt.bind),
            server_tls(settings.mgmt, self.identity.path, config_dir),
        )
        self._nvhttp = NvHttpServer(self.gamestream, self.clients, self.pairing, self.identity)
        self._rtsp = RtspServer(self.sessions)
        self._announcer = Announcer()
        self._sleep_watch = SleepWatch(self._woke)
        self._connect_events()

    async def start(self) -> None:
        """Probe, clean up after an earlier host, then listen.

        Raises:
            ConfigError: a port is taken, or a plugin's setting is wrong.
        """
        await asyncio.gather(self.catalog.refresh(), self.cleaner.clean_all())
        self.catalog.check_settings(self.config.loaded.place)
        for problem in self.catalog.unknown_names(self.settings):
            log.warning("%s", problem)
        self.events.tell_plugins(PluginCalls(self.catalog.plugins))
        addresses = [self.settings.host.bind] if self.settings.host.bind else usable_addresses()
        await self.mgmt.start()
        self.management.mgmt_port = self.mgmt.port
        try:
            await self._rtsp.start(addresses, self.ports.rtsp)
            await self._nvhttp.start(addresses, self.ports.http, self.ports.https)
        except OSError as error:
            raise ConfigError(f"cannot listen for clients: {why_no_port(error)}") from error
        if self.settings.host.mdns:
            await self._announcer.start(self.gamestream.name, self.ports.http, addresses)
        self.pool.refill()
        self._sleep_watch.start()
        self.library.start(self.catalog.stores())
        self.events.publish("host.started", name=self.gamestream.name, version=__version__)

    async def stop(self) -> None:
        """Close the doors first, then end what is inside."""
        self.events.publish("host.stopping")
        self.events.bus.end_subscriptions()
        self.stats.feed.end_subscriptions()
        self.operations.log.feed.end_subscriptions()
        await self._sleep_watch.close()
        await asyncio.gather(
            self._announcer.stop(),
            self.mgmt.stop(),
            self.operations.close(),  # requests wait for this one and the next
            self.library.close(),
        )
        await self._nvhttp.stop()
        await self._rtsp.close()
        await self.sessions.close()
        await self.stats.close()
        await self.automation.close()
        await self.events.close()
        await asyncio.to_thread(self.clients.last_seen.flush)

    @property
    def runtime(self) -> Runtime:
        """Where programs on this machine find it, once it runs."""
        return Runtime(
            pid=os.getpid(),
            mgmt_url=self.mgmt.url,
            tls_fingerprint=self.mgmt.tls_fingerprint,
            http_port=self.ports.http,
        )

    def _hand_over(self) -> None:
        """Other plugins are loaded than before: these hear of events and list games."""
        self.events.tell_plugins(PluginCalls(self.catalog.plugins))
        self.library.use(self.catalog.stores())

    def _drivers_to_warm(self) -> tuple[str, ...]:
        """What the next session will most likely need."""
        picked = (self.catalog.choice(kind).picked for kind in Kind)
        return tuple(f"{offer.kind}:{offer.driver}" for offer in picked if offer)

    def _connect_events(self) -> None:
        self.config.checks += (self.automation.check, self.catalog.check_tables)
        self.config.on_changed.append(self._use_settings)
        self.events.bus.listeners.append(self.automation.hear)
        Telling(
            events=self.events,
            sessions=self.sessions,
            clients=self.clients,
            native=self.native,
            pairing=self.pairing,
            library=self.library,
            stats=self.stats,
        ).connect()

    async def _woke(self, slept_s: float) -> None:
        """Clients come back to a picture; what was left behind before has another chance."""
        self.management.request_keyframes()
        await self.cleaner.clean_but({it.plan.seat for it in self.sessions.all()})

    def _use_settings(self, change: ConfigChange) -> None:
        settings = self.config.settings
        for part in (self.automation, self._apps, self.catalog, self.sessions):
            part.use(settings)
        logging.getLogger().setLevel(self.config.loaded.settings.host.log_level.upper())
        self.events.publish(
            "config.changed",
            keys=list(change.changed),
            restart_required=list(change.restart_required),
        )


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
        logging.getLogger().addHandler(host.operations.log)
        try:
            await host.start()
            runtime.publish(host.runtime)
            ready(host)
            await stop.wait()
        finally:
            await host.stop()
            logging.getLogger().removeHandler(host.operations.log)
