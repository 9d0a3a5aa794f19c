"""A host of the tests' own behind the real app, and a client that holds answers to the spec."""

import json
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from jsonschema import Draft202012Validator
from quart import Response
from werkzeug.datastructures import Headers

from punktfunk.gamestream.pairing import check_pin
from punktfunk.gamestream.pairing_table import NoAttemptWaiting, SeveralWaiting
from punktfunk.mgmt.app import create_app
from punktfunk.mgmt.contract import Contract, _bounded, read_contract
from punktfunk.mgmt.values import HostInfo, PortMap, SessionView
from punktfunk.model.clients import Fingerprint, PairedClient, fingerprint_of
from punktfunk.model.offers import Availability, Choice, Kind, Offer, PassedOver
from punktfunk.model.video import Codec, VideoMode
from punktfunk.trust.pairing import PendingPairing

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

    def __init__(self) -> None:
        self.paired = {client.fingerprint: client for client in map(paired, ("Deck", "Phone"))}
        self.views: list[SessionView] = []
        self.waiting: dict[int, str] = {}
        self.pins: dict[int, str] = {}
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
            ports=PortMap(mgmt=1, http=2, https=3, rtsp=4, video=5, control=6, audio=7),
        )

    def sessions(self) -> Sequence[SessionView]:
        return self.views

    def clients(self) -> Sequence[PairedClient]:
        return tuple(self.paired.values())

    async def unpair(self, fingerprint: Fingerprint) -> bool:
        if self.fails_with:
            raise self.fails_with
        return self.paired.pop(fingerprint, None) is not None

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
            raise NoAttemptWaiting("no such pairing waits for a PIN", status=409)
        self.pins[wanted] = pin

    async def stop_sessions(self, session_id: int | None) -> None:
        self.views = [view for view in self.views if session_id not in (None, view.id)]

    def request_keyframes(self) -> bool:
        self.keyframes += 1
        return any(view.streaming for view in self.views)

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
        client=paired("Deck").fingerprint,
        client_name="Deck",
        mode=VideoMode(width_px=1280, height_px=720, refresh_mhz=59_940),
        streaming=streaming,
    )


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
        answer = await client.open(
            path, method=method, headers=Headers(sent), scope_base={"server": server}, **more
        )
        await self._hold_to_the_contract(method, path.partition("?")[0], answer)
        return answer

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
        assert answer.mimetype == "application/json"
        schema = {
            "allOf": [documented["content"]["application/json"]["schema"]],
            "components": self.document["components"],
        }
        Draft202012Validator(_bounded(schema)).validate(json.loads(body))

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
def api() -> Api:
    return Api(SmallHost())


@pytest.fixture
def make_view() -> Any:
    return view
