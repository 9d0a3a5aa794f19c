"""Sessions with real workers and the built-in test pattern, and clients for them."""

import importlib.util
import json
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from punktfunk.config.settings import HostSettings, Settings, StreamSettings
from punktfunk.gamestream.launch import LaunchRequest
from punktfunk.gamestream.rtsp import RtspRequest, RtspResponse, parse_request
from punktfunk.host.cleanup import Cleaner
from punktfunk.host.handshake import Handshake
from punktfunk.host.ports import Ports
from punktfunk.host.session import HostSession
from punktfunk.host.sessions import Sessions
from punktfunk.host.starting import Paths
from punktfunk.journal.effects import marked_processes
from punktfunk.model.apps import App
from punktfunk.model.audio import STEREO
from punktfunk.model.clients import PairedClient
from punktfunk.model.offers import Availability, Choice, HostFacts, Kind, Offer
from punktfunk.model.session import DriverRef
from punktfunk.model.video import Codec, VideoMode
from punktfunk.registry.discovery import PluginFilter
from punktfunk.registry.ranking import choose
from punktfunk.session.plan import Preferences
from punktfunk.session.pool import WorkerPool
from punktfunk.session.supervisor import WorkerLimits

HERE = Path(__file__).parent
VECTORS = json.loads((HERE.parents[1] / "vectors/gamestream/rtsp.json").read_text())


def _module(path: Path):
    spec = importlib.util.spec_from_file_location(f"shared_{path.parent.name}_conftest", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_session = _module(HERE.parent / "session" / "conftest.py")
install_faulty = _session.install_faulty
until = _session.until

PATTERN = App(
    library_id="builtin:test-pattern",
    title="Test pattern",
    wishes={
        "compositor": "null",
        "capture": "testcard",
        "audio": "tone",
        "input": "memory",
        "gamepad": "memory",
    },
)
_DRIVERS = {
    Kind.COMPOSITOR: ("null", "steady", "unavailable", "failing", "slow"),
    Kind.CAPTURE: ("testcard", "broken"),
    Kind.ENCODE: ("software",),
    Kind.AUDIO: ("tone",),
    Kind.AUDIO_ENCODE: ("opus",),
    Kind.INPUT: ("memory",),
    Kind.GAMEPAD: ("memory",),
}


class FixedCatalog:
    """What a probe of this machine would say, without probing it."""

    preferences = Preferences()

    def offers(self, kind: Kind) -> list[Offer]:
        return [
            Offer(
                kind=kind,
                driver=driver,
                rank=10 if kind in (Kind.ENCODE, Kind.AUDIO_ENCODE) else 0,
                availability=Availability.yes(),
                codecs=frozenset({Codec.H264}),
            )
            for driver in _DRIVERS[kind]
        ]

    def choice(self, kind: Kind) -> Choice:
        return choose(kind, self.offers(kind))

    def best_encoder(self) -> Offer | None:
        return self.choice(Kind.ENCODE).picked

    def features(self, kind: Kind, ref: DriverRef | None) -> frozenset[str]:
        return frozenset({"motion"} if kind is Kind.GAMEPAD and ref else ())

    def settings_of(self, kind: Kind, driver: str) -> dict[str, object]:
        return {}


def _client(number: int = 1) -> PairedClient:
    return PairedClient(
        fingerprint=f"{number:064x}",
        name=f"Client {number}",
        certificate_der=b"",
        paired_at_unix=0,
        subject="CN=NVIDIA GameStream Client",
        not_before_unix=0,
        not_after_unix=0,
    )


@pytest.fixture
def pattern() -> App:
    return PATTERN


@pytest.fixture
def app_on() -> Callable[..., App]:
    """`app_on(compositor)`: an app on one of the faulty displays."""
    return lambda compositor, **wishes: attrs.evolve(
        PATTERN,
        title="App",
        desktop_like=True,
        wishes={**PATTERN.wishes, "compositor": compositor, **wishes},
    )


@pytest.fixture
def client_number() -> Callable[[int], PairedClient]:
    return _client


@pytest.fixture
def make_request() -> Callable[..., LaunchRequest]:
    """`make_request(**changes)`: a launch with a key of its own."""

    def make(**changes: object) -> LaunchRequest:
        values = {
            "app_id": 1,
            "mode": VideoMode(width_px=320, height_px=180, refresh_mhz=60_000),
            "ri_key": os.urandom(16),
            "ri_key_id": 7,
            "layout": STEREO,
            "play_audio_on_host": False,
            "optimise_display": False,
            "hdr": False,
            "gamepad_mask": 0,
            "keep_gamepads": False,
            "core_version": 1,
            **changes,
        }
        return LaunchRequest(**values)

    return make


@pytest.fixture
def base_port() -> int:
    """Nobody has the ports of the first three sessions there."""
    for base in range(52_000, 60_000, 150):
        ports = Ports(base)
        try:
            for slot in range(3):
                for port in attrs.astuple(ports.media(slot)):
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                        sock.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base
    raise RuntimeError("no free ports")


@pytest.fixture
async def make_sessions(tmp_path: Path, base_port: int, install_faulty: None):
    """`make_sessions(limits=, handshake_timeout_s=, max_sessions=, **settings)`.

    Closed after the test.
    """
    made = []
    # Not below pytest's folder: a socket's path may only have 107 bytes.
    runtime = Path(tempfile.mkdtemp(prefix="pf-"))

    def make(
        limits: WorkerLimits | None = None,
        handshake_timeout_s: float = 10.0,
        max_sessions: int = 2,
        **settings: object,
    ) -> Sessions:
        sessions = Sessions(
            settings=Settings(
                host=HostSettings(bind="127.0.0.1", base_port=base_port),
                stream=StreamSettings(max_sessions=max_sessions),
                **settings,
            ),
            ports=Ports(base_port),
            pool=WorkerPool(lambda: (), limits),
            catalog=FixedCatalog(),
            cleaner=Cleaner(tmp_path / "journal", HostFacts(), PluginFilter()),
            paths=Paths(journals=tmp_path / "journal", memory=tmp_path / "memory", runtime=runtime),
            host_environment=dict(os.environ),
            remember_control_v2=lambda fingerprint: None,
            handshake_timeout_s=handshake_timeout_s,
        )
        made.append(sessions)
        return sessions

    yield make
    for sessions in made:
        await sessions.close()
    assert list(runtime.iterdir()) == []
    assert list((tmp_path / "journal").glob("*")) == []
    runtime.rmdir()


@pytest.fixture
def sessions(make_sessions) -> Sessions:
    return make_sessions()


def _recorded() -> list[RtspRequest]:
    requests = []
    for recorded in VECTORS["client_requests"]:
        head = "\r\n".join((*recorded["request_line_and_headers"], "", ""))
        requests.append(parse_request((head + recorded["body"]).encode()))
    return requests


async def _converse(handshake: Handshake, requests: int = 7, **replaced: str) -> list[RtspResponse]:
    """Say what the real client says, with the session's own token, while answers are good."""
    token, answers = "", []
    for request in _recorded()[:requests]:
        headers = [pair for pair in request.headers if pair[0] != "Session"]
        body = request.body.decode()
        for old, new in replaced.items():
            body = body.replace(old, new)
        if token:
            headers.append(("Session", token))
        answer = await handshake.handle(
            attrs.evolve(request, headers=tuple(headers), body=body.encode())
        )
        answers.append(answer)
        if answer.status != 200:
            break
        token = dict(answer.headers).get("Session", token).partition(";")[0]
    return answers


@pytest.fixture
def converse() -> Callable[..., object]:
    """`await converse(handshake)`: the recorded dialogue; returns the answers."""
    return _converse


@pytest.fixture
async def play(converse):
    """`await play(session, ports, who=owner)`: go through RTSP, connect, and see a picture.

    Returns a `StreamClient`.
    """
    clients = []

    async def start(session: HostSession, ports: Ports, who: PairedClient | None = None):
        member = session.member(who.fingerprint) if who else session.owner
        assert [answer.status for answer in await converse(member.handshake)] == [200] * 7
        slot = ports.media(member.slot)
        client = _session.StreamClient(member.stream, (slot.video, slot.control, slot.audio))
        clients.append(client)
        await client.connect()
        return client

    yield start
    for client in clients:
        client.close()


@pytest.fixture
def programs_of() -> Callable[[HostSession], list[int]]:
    return lambda session: marked_processes(session.plan.seat)
