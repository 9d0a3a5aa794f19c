"""The real management API of a host of the tests' own, on a socket, for commands to ask."""

import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner, Result
from quart import request

from punktfunk.cli import main
from punktfunk.config import load_config
from punktfunk.config.addresses import parse_bind
from punktfunk.config.settings import MgmtSettings
from punktfunk.events import EventBus
from punktfunk.gamestream.pairing import check_pin
from punktfunk.gamestream.pairing_table import NoAttemptWaiting
from punktfunk.host.catalog import Catalog
from punktfunk.host.cleanup import Cleaner
from punktfunk.host.live_config import LiveConfig
from punktfunk.host.operations import Operations
from punktfunk.host.runtime import Runtime, RuntimeFile
from punktfunk.library import CustomGames, HiddenGames, Library
from punktfunk.mgmt.app import create_app
from punktfunk.mgmt.audit import Audit
from punktfunk.mgmt.server import MgmtServer
from punktfunk.mgmt.tls import server_tls
from punktfunk.mgmt.values import HostInfo, MemberView, PortMap, SessionView
from punktfunk.model.clients import PairedClient, fingerprint_of
from punktfunk.model.offers import Choice, HostFacts, Kind
from punktfunk.model.video import Codec, VideoMode
from punktfunk.registry.discovery import PluginFilter
from punktfunk.stats import Stats
from punktfunk.trust.held_off import HeldOff
from punktfunk.trust.identity import load_or_make_identity
from punktfunk.trust.native import NativePairing
from punktfunk.trust.pairing import PendingPairing
from punktfunk.trust.store import NativeClientStore
from punktfunk.trust.token import load_or_make_token
from punktfunk.trust.tokens import TokenStore

LIMIT_S = 30
FOLLOW_LIMIT_S = 50
DECK = PairedClient(
    fingerprint=fingerprint_of(b"deck"),
    name="Deck \x1b[31m\u202e",
    certificate_der=b"deck",
    paired_at_unix=1_700_000_000,
    subject="",
    not_before_unix=0,
    not_after_unix=0,
)
_NO_PLUGINS = PluginFilter(allow=frozenset())
_SETTINGS = {"PUNKTFUNK_MGMT__BIND": "127.0.0.1:0", "PUNKTFUNK_PLUGINS__ALLOW": "none"}


class SmallHost:
    """Keeps what it is told in lists.

    Attributes:
        on_pin: What a device does that gets its PIN.
        asked: Ids of the operations that were asked for.
    """

    def __init__(self, folder: Path) -> None:
        self.tokens = TokenStore(folder)
        self.audit = Audit(folder)
        self.events = EventBus()
        self.native = NativePairing(NativeClientStore(folder))
        self.native.enable()
        self.stats = Stats(folder)
        self.library = Library(HostFacts(), CustomGames(folder), HiddenGames(folder))
        loaded = load_config(folder, environment=_SETTINGS)
        self.operations = Operations(
            config=LiveConfig(loaded),
            config_dir=folder,
            catalog=Catalog(loaded.settings, HostFacts(), _NO_PLUGINS),
            cleaner=Cleaner(folder / "journal", HostFacts(), _NO_PLUGINS),
            calls=lambda: None,
            running=frozenset,
        )
        self.paired = [DECK]
        self.views: list[SessionView] = []
        self.waiting: list[PendingPairing] = []
        self.pins: list[tuple[str, int | None]] = []
        self.on_pin: Callable[[PendingPairing], None] = self.pair
        self.asked: list[str] = []

    def clients(self) -> list[PairedClient]:
        return self.paired

    async def unpair(self, fingerprint: str) -> bool:
        before = len(self.paired)
        self.paired = [it for it in self.paired if it.fingerprint != fingerprint]
        return len(self.paired) < before

    def rename(self, fingerprint: str, name: str) -> PairedClient | None:
        for number, client in enumerate(self.paired):
            if client.fingerprint == fingerprint:
                self.paired[number] = attrs.evolve(client, name=name)
                return self.paired[number]
        return None

    def held_off(self) -> list[HeldOff]:
        return []

    def pending_pairings(self) -> list[PendingPairing]:
        return self.waiting

    def submit_pin(self, pin: str, attempt_id: int | None) -> None:
        check_pin(pin)
        self.pins.append((pin, attempt_id))
        chosen = [it for it in self.waiting if attempt_id in (None, it.id)]
        if not chosen:
            raise NoAttemptWaiting("no device waits for a PIN", status=409)
        self.on_pin(chosen[0])

    def pair(self, device: PendingPairing) -> None:
        self.events.publish("client.paired", client="aa" * 32, name=device.client_name)

    def fail(self, device: PendingPairing, reason: str) -> None:
        self.events.publish(
            "pairing.failed",
            pairing_id=device.id,
            name=device.client_name,
            address=device.address,
            reason=reason,
        )

    def sessions(self) -> Sequence[SessionView]:
        return self.views

    async def stop_sessions(self, session_id: int | None) -> None:
        self.views = [view for view in self.views if session_id not in (None, view.id)]

    async def stop_stream(self, stream_id: int) -> bool:
        return False

    def request_keyframes(self, session_id: int | None = None) -> bool:
        return any(session_id in (None, it.id) for it in self.views)

    def info(self) -> HostInfo:
        return HostInfo(
            hostname="box",
            unique_id="5d7bdc5c-9d1c-4d6c-8d0e-000000000001",
            local_ip="192.168.1.2",
            app_version="7.1.431.-1",
            gfe_version="3.23.0.74",
            codecs=tuple(Codec),
            ports=PortMap(mgmt=1, http=2, https=3, rtsp=4, video=5, control=6, audio=7),
        )

    def compositors(self) -> Choice:
        return Choice(kind=Kind.COMPOSITOR, picked=None, passed_over=())


@attrs.define
class Running:
    """Attributes:
    tls: Of `punktfunk.mgmt.tls`; None for plain HTTP.
    """

    host: Any
    folder: Path
    held: RuntimeFile
    loop: asyncio.AbstractEventLoop
    tls: Any
    server: Any = None

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def token(self) -> str:
        return load_or_make_token(self.folder)

    def ask(self, *args: str, **environment: str) -> Result:
        return CliRunner(env=environment).invoke(main, [*args, "--config-dir", str(self.folder)])

    def ask_url(self, *args: str, **environment: str) -> Result:
        """As from another machine."""
        return CliRunner(env=environment).invoke(main, ["ctl", "--url", self.url, *args])

    def do(self, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call something of the host, where it lives."""

        async def there() -> Any:
            return call(*args, **options)

        return asyncio.run_coroutine_threadsafe(there(), self.loop).result(LIMIT_S)

    def tell(self, event_type: str, **data: object) -> None:
        self.do(self.host.events.publish, event_type, **data)

    def start(self) -> None:
        app = create_app(self.host, self.token)
        app.before_request(self._note)
        self.server = MgmtServer(app, parse_bind("127.0.0.1:0"), self.tls)
        asyncio.run_coroutine_threadsafe(self.server.start(), self.loop).result(LIMIT_S)
        fingerprint = self.server.tls_fingerprint
        self.held.publish(
            Runtime(pid=1, mgmt_url=self.url, http_port=1, tls_fingerprint=fingerprint)
        )

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.server.stop(), self.loop).result(LIMIT_S)

    async def _note(self) -> None:
        self.host.asked.append((request.endpoint or "").rpartition(".")[2])


@contextmanager
def run_host(folder: Path, *, https: bool) -> Iterator[Running]:
    host = SmallHost(folder)
    identity = load_or_make_identity(folder)
    tls = server_tls(MgmtSettings(tls_own=https), identity.path, folder)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        with RuntimeFile(folder) as held:
            running = Running(host, folder, held, loop, tls)
            running.start()
            yield running
            running.stop()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(params=["http", "https"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    """A host's API in a thread of its own, found by its runtime file."""
    with run_host(tmp_path, https=request.param == "https") as running:
        yield running


@attrs.define
class Follower:
    """A `punktfunk ctl … --follow` somewhere else."""

    process: "subprocess.Popen[str]"
    lines: "queue.Queue[str]" = attrs.field(factory=queue.Queue)
    remarks: "queue.Queue[str]" = attrs.field(factory=queue.Queue)

    def line(self) -> Any:
        return json.loads(self.lines.get(timeout=FOLLOW_LIMIT_S))

    def remark(self) -> str:
        return self.remarks.get(timeout=FOLLOW_LIMIT_S)

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(FOLLOW_LIMIT_S)


@contextmanager
def _followed(running: Running, verb: str, *args: str, reading: bool = True) -> Iterator[Follower]:
    # Whoever runs the tests in the background has them ignore Ctrl-C, and children inherit that.
    as_in_a_terminal = ["env", "--default-signal=INT"]
    command = [sys.executable, "-m", "punktfunk.cli", "ctl", verb, "--follow", "--json"]
    process: Any = subprocess.Popen(
        [*as_in_a_terminal, *command, *args, "--config-dir", str(running.folder)],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    follower = Follower(process)

    def read(pipe: Any, into: "queue.Queue[str]") -> None:
        for line in pipe:
            into.put(line)

    threads = [
        threading.Thread(target=read, args=pair)
        for pair in ((process.stdout, follower.lines), (process.stderr, follower.remarks))
        if reading or pair[0] is process.stderr
    ]
    for thread in threads:
        thread.start()
    try:
        yield follower
    finally:
        process.kill()
        process.wait()
        for thread in threads:
            thread.join()
        for pipe in (process.stdout, process.stderr):
            pipe.close()


@pytest.fixture
def follow(running: Running) -> Callable[..., AbstractContextManager[Follower]]:
    """`with follow("events", "--types", "client.*") as follower`: the command, following."""
    return partial(_followed, running)


@pytest.fixture
def deck() -> PairedClient:
    """Who is paired with the host; calls itself something nasty."""
    return DECK


@pytest.fixture
def waiting() -> Callable[[int, str], PendingPairing]:
    return lambda number, name: PendingPairing(
        id=number, address="192.168.1.9", client_name=name, seconds_left=60
    )


@pytest.fixture
def session() -> Callable[[int], SessionView]:
    return lambda number: SessionView(
        id=number,
        app="Desktop",
        mode=VideoMode(width_px=1280, height_px=720, refresh_mhz=60_000),
        members=(MemberView(client=DECK.fingerprint, client_name=DECK.name),),
    )
