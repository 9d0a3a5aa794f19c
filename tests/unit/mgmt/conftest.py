"""A host of the tests' own behind the real app, and a client that holds answers to the spec."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from jsonschema import Draft202012Validator
from quart import Response
from quart.typing import TestHTTPConnectionProtocol
from werkzeug.datastructures import Headers

from punktfunk.config import load_config
from punktfunk.events import EventBus
from punktfunk.gamestream.pairing import check_pin
from punktfunk.gamestream.pairing_table import NoAttemptWaiting, SeveralWaiting
from punktfunk.host.catalog import Catalog
from punktfunk.host.cleanup import Cleaner
from punktfunk.host.live_config import LiveConfig
from punktfunk.host.operations import Operations
from punktfunk.library import CustomGames, HiddenGames, Library
from punktfunk.mgmt.app import create_app
from punktfunk.mgmt.audit import Audit
from punktfunk.mgmt.contract import Contract, _bounded, read_contract
from punktfunk.mgmt.values import HostInfo, MemberView, PortMap, SessionView
from punktfunk.model.clients import Fingerprint, PairedClient, fingerprint_of
from punktfunk.model.offers import Availability, Choice, HostFacts, Kind, Offer, PassedOver
from punktfunk.model.video import Codec, VideoMode
from punktfunk.registry.discovery import PluginFilter
from punktfunk.stats import Stats
from punktfunk.trust.held_off import HeldOff
from punktfunk.trust.native import NativePairing
from punktfunk.trust.pairing import PendingPairing
from punktfunk.trust.store import NativeClientStore
from punktfunk.trust.tokens import TokenStore

STREAMS = ("/api/v1/events", "/api/v1/logs/stream", "/api/v1/stats/stream")
NO_PLUGINS = PluginFilter(allow=frozenset())
FEW_SETTINGS = {"PUNKTFUNK_MGMT__BIND": "127.0.0.1:0", "PUNKTFUNK_PLUGINS__ALLOW": "none"}
TOKEN = "0123456789abcdef" * 4
SERVER = ("127.0.0.1", 47_990)


def paired(name: str) -> PairedClient:
    certificate = name.encode()
    return PairedClient(
        fingerprint=fingerprint_of(certificate),
        name=name,
        certificate_der=certificate,
        paired_at_unix=1_700_000_000,
        subject="CN=NVIDIA GameStream Client",
        not_before_unix=0,
        not_after_unix=2**40,
    )


class SmallHost:
    """Keeps what it is told in lists."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now_ns = 0
        self.wall_s = 1_800_000_000
        self.native = NativePairing(NativeClientStore(folder), now_ns=lambda: self.now_ns)
        self.tokens = TokenStore(folder, wall_s=lambda: self.wall_s, now_ns=lambda: self.now_ns)
        self.audit = Audit(folder, wall_s=lambda: self.wall_s)
        self.stats = Stats(folder)
        self.events = EventBus()
        loaded = load_config(folder, environment=FEW_SETTINGS)
        self.catalog = Catalog(loaded.settings, HostFacts(), NO_PLUGINS)
        self.operations = Operations(
            config=LiveConfig(loaded),
            config_dir=folder,
            catalog=self.catalog,
            cleaner=Cleaner(folder / "journal", HostFacts(), NO_PLUGINS),
            calls=lambda: None,
            running=frozenset,
        )
        self.library = Library(HostFacts(), CustomGames(folder), HiddenGames(folder))
        self.paired: dict[Fingerprint, PairedClient] = {}
        for name in ("Deck", "Phone"):
            self.pair(name)
        self.views: list[SessionView] = []
        self.waiting: dict[int, str] = {}
        self.waits: list[HeldOff] = []
        self.pins: dict[int, str] = {}
        self.streams: set[int] = set()
        self.keyframes = 0
        self.fails_with: Exception | None = None

    def info(self) -> HostInfo:
        if self.fails_with:
            raise self.fails_with
        return HostInfo(
            hostname="box",
            unique_id="5d7bdc5c-9d1c-4d6c-8d0e-000000000001",
            local_ip="192.168.1.2",
            app_version="7.1.431.-1",
            gfe_version="3.23.0.74",
            codecs=tuple(Codec),
            addresses=("192.168.1.2",),
            ports=PortMap(mgmt=1, http=2, https=3, rtsp=4, video=5, control=6, audio=7),
        )

    def sessions(self) -> Sequence[SessionView]:
        return self.views

    async def stop_stream(self, stream_id: int) -> bool:
        found = stream_id in self.streams
        self.streams.discard(stream_id)
        return found

    def clients(self) -> Sequence[PairedClient]:
        return tuple(self.paired.values())

    async def unpair(self, fingerprint: Fingerprint) -> bool:
        if self.fails_with:
            raise self.fails_with
        return self.paired.pop(fingerprint, None) is not None

    def pair(self, name: str) -> None:
        client = paired(name)
        self.paired[client.fingerprint] = client

    def rename(self, fingerprint: Fingerprint, name: str) -> PairedClient | None:
        if self.fails_with:
            raise self.fails_with
        client = self.paired.get(fingerprint)
        if client is not None:
            client = self.paired[fingerprint] = attrs.evolve(client, name=name)
        return client

    def held_off(self) -> Sequence[HeldOff]:
        return self.waits

    def pending_pairings(self) -> Sequence[PendingPairing]:
        return [
            PendingPairing(id=number, address="192.168.1.9", client_name=name, seconds_left=60)
            for number, name in self.waiting.items()
        ]

    def submit_pin(self, pin: str, attempt_id: int | None) -> None:
        check_pin(pin)
        if attempt_id is None and len(self.waiting) > 1:
            raise SeveralWaiting("several devices wait for a PIN, say which one", status=409)
        wanted = attempt_id if attempt_id is not None else next(iter(self.waiting), None)
        if wanted not in self.waiting:
            raise NoAttemptWaiting("no device waits for a PIN", status=409)
        self.pins[wanted] = pin

    async def stop_sessions(self, session_id: int | None) -> None:
        self.views = [view for view in self.views if session_id not in (None, view.id)]

    def request_keyframes(self, session_id: int | None = None) -> bool:
        self.keyframes += 1
        wanted = (view for view in self.views if session_id in (None, view.id))
        return any(view.shown.streaming for view in wanted)

    def compositors(self) -> Choice:
        broken = Availability.no("sway is not installed", "apt install sway")
        offers = [
            Offer(kind=Kind.COMPOSITOR, driver="kwin", rank=50, availability=Availability.yes()),
            Offer(kind=Kind.COMPOSITOR, driver="wlroots", title="sway", availability=broken),
            Offer(kind=Kind.COMPOSITOR, driver="null", rank=0, availability=Availability.yes()),
        ]
        passed = tuple(PassedOver(offer=offer, because="It is not.") for offer in offers[1:])
        return Choice(kind=Kind.COMPOSITOR, picked=offers[0], passed_over=passed)


def view(session_id: int, *, streaming: bool = False) -> SessionView:
    return SessionView(
        id=session_id,
        app="Desktop",
        mode=VideoMode(width_px=1280, height_px=720, refresh_mhz=59_940),
        members=(
            MemberView(client=paired("Deck").fingerprint, client_name="Deck", streaming=streaming),
        ),
    )


async def _beginning(connection: TestHTTPConnectionProtocol) -> Response:
    """The first part of an answer that may have no end; then the client hangs up."""
    async with asyncio.timeout(10), connection:
        await connection.send_complete()
        beginning = await connection.receive()
        await connection.disconnect()
    connection.response_data[:0] = beginning
    return await connection.as_response()


@attrs.define(slots=False)
class Api:
    """Asks the app in this process; every answer must be one that the contract allows."""

    host: SmallHost
    contract: Contract = attrs.field(factory=read_contract)
    now_ns: int = 0

    def __attrs_post_init__(self) -> None:
        self.app = create_app(self.host, TOKEN, names=["Box.lan"], now_ns=lambda: self.now_ns)
        self.document: dict[str, Any] = json.loads(self.contract.text)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = TOKEN,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        json: object = None,
        host: str = "127.0.0.1:47990",
        server: tuple[str, int] = SERVER,
    ) -> Response:
        sent = [("Host", host), *headers]
        if token is not None:
            sent.append(("Authorization", f"Bearer {token}"))
        more: dict[str, Any] = {"json": json} if json is not None else {"data": body}
        client = self.app.test_client()
        if path.partition("?")[0] in STREAMS:
            request = client.request(
                path, method=method, headers=Headers(sent), scope_base={"server": server}
            )
            answer = await _beginning(request)
        else:
            answer = await client.open(
                path, method=method, headers=Headers(sent), scope_base={"server": server}, **more
            )
        await self._hold_to_the_contract(method, path.partition("?")[0], answer)
        return answer

    def state(self) -> object:
        """Everything that a request could have changed, but for the audit file."""
        files = {
            str(path.relative_to(self.host.folder)): path.read_bytes()
            for path in self.host.folder.rglob("*")
            if path.is_file() and not path.name.startswith("audit.")
        }
        kept = {
            name: repr(value)
            for name, value in vars(self.host).items()
            if isinstance(value, dict | list | int)
        }
        native = self.host.native
        return files, kept, native.shown_pin(), native.pending()

    async def _hold_to_the_contract(self, method: str, path: str, answer: Response) -> None:
        body = await answer.get_data(as_text=False)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in answer.headers
        operation = self._operation(method, path)
        if operation is None or method == "HEAD":
            return
        responses = operation["responses"]
        documented = responses.get(str(answer.status_code)) or responses["default"]
        if "$ref" in documented:
            documented = self.document["components"]["responses"][documented["$ref"].split("/")[-1]]
        if "content" not in documented:
            assert body == b""
            return
        assert answer.mimetype in documented["content"]
        schema = {
            "allOf": [documented["content"][answer.mimetype]["schema"]],
            "components": self.document["components"],
        }
        validator = Draft202012Validator(_bounded(schema))
        if answer.mimetype == "application/json":
            validator.validate(json.loads(body))
        elif answer.mimetype == "text/event-stream":
            for line in body.split(b"\n"):
                name, _, value = line.partition(b": ")
                if name == b"data":
                    validator.validate(json.loads(value))

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for template, item in self.document["paths"].items():
            ours, theirs = template.split("/"), path.split("/")
            same = len(ours) == len(theirs) and all(
                a == b or a.startswith("{") for a, b in zip(ours, theirs, strict=True)
            )
            if same and method.lower() in item:
                return item[method.lower()]
        return None


@pytest.fixture
def api(tmp_path: Path) -> Api:
    return Api(SmallHost(tmp_path))


@pytest.fixture
def make_view() -> Any:
    return view
