"""Plans, sockets, faulty drivers and a client, for tests of sessions and their workers."""

import asyncio
import contextlib
import importlib.util
import os
import shutil
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from punktfunk.gamestream.control import ControlCipher, Scheme, Side
from punktfunk.journal import process_tree
from punktfunk.journal.effects import marked_processes, undo_core_effect
from punktfunk.model.apps import LaunchSpec
from punktfunk.model.audio import OpusParams
from punktfunk.model.session import DriverRef, SessionPlan, StreamPlan
from punktfunk.model.stream import StreamRequest
from punktfunk.model.video import Codec, ColorSpec, VideoMode
from punktfunk.session.supervisor import Worker, WorkerLimits
from punktfunk.testing import write_distribution

HERE = Path(__file__).parent
FAULTY = "punktfunk_faulty_drivers"
MODE = VideoMode(width_px=320, height_px=180, refresh_mhz=60_000)
REQUEST_IDR = struct.pack("<HHH", 0x0302, 2, 0)


def _module(path: Path):
    spec = importlib.util.spec_from_file_location(f"shared_{path.parent.name}_conftest", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TinyClient = _module(HERE.parent / "gamestream" / "enet" / "conftest.py").TinyClient


def _stream(stream_id: int = 1, **request: object) -> StreamPlan:
    values = {
        "mode": MODE,
        "codec": Codec.H264,
        "color": ColorSpec(),
        "slices_per_frame": 1,
        "max_reference_frames": 1,
        "packet_size": 1_024,
        "bitrate_kbps": 2_000,
        "encoder_bitrate_kbps": 1_500,
        "min_fec_packets": 2,
        "fec_percent": 20,
        "audio": OpusParams(packet_ms=10),
        "encrypt_video": False,
        "encrypt_audio": False,
        "control_v2": True,
        "dscp_video": 0,
        "dscp_audio": 0,
        "client_sends_fec_status": True,
        "client_knows_ping_payload": True,
        **request,
    }
    return StreamPlan(
        stream_id=stream_id,
        request=StreamRequest(**values),
        key=bytes([stream_id]) * 16,
        key_id=7,
        ping_payload=b"%016d" % stream_id,
        connect_data=1_000 + stream_id,
        client_ip="127.0.0.1",
    )


@pytest.fixture
def make_stream() -> Callable[..., StreamPlan]:
    """`make_stream(stream_id=1, **request)`: what a client could have negotiated."""
    return _stream


@pytest.fixture
def make_plan(tmp_path: Path) -> Iterator[Callable[..., SessionPlan]]:
    """`make_plan(**drivers)`: the test pattern, with other drivers by kind.

    What a test's workers started and did not live to end is ended here.
    """
    seats = []

    def make(*, encoders: tuple[str, ...] = ("software",), **drivers: str) -> SessionPlan:
        defaults = {
            "compositor": "null",
            "capture": "testcard",
            "audio": "tone",
            "audio_encoder": "opus",
            "input": "memory",
        }
        seat = f"pf-{os.getpid()}-{time.monotonic_ns()}"
        seats.append(seat)
        return SessionPlan(
            session_id=1,
            seat=seat,
            app_title="Test",
            launch=LaunchSpec(),
            start_default_app=True,
            mode=MODE,
            encoders=tuple(DriverRef(name=name) for name in encoders),
            runtime_root=str(tmp_path / "run"),
            journal=str(tmp_path / "journal" / f"{seat}.jsonl"),
            memory=str(tmp_path / "memory"),
            host_environment=dict(os.environ),
            **{kind: DriverRef(name=name) for kind, name in (defaults | drivers).items()},
        )

    yield make
    for seat in seats:
        assert undo_core_effect(process_tree(seat))


@pytest.fixture
def install_faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `faulty_drivers.py` look installed, here and in workers."""
    site = tmp_path / "site"
    site.mkdir()
    shutil.copy(HERE / "faulty_drivers.py", site / f"{FAULTY}.py")
    compositors = (
        *("steady", "mortal", "unavailable", "failing", "raising", "dying", "slow", "marking"),
    )
    captures = ("broken", "wavering", "stuck")
    write_distribution(
        site,
        FAULTY,
        {
            "punktfunk.plugins": {"faulty": FAULTY},
            "punktfunk.compositor": {name: f"{FAULTY}:{name.title()}" for name in compositors},
            "punktfunk.capture": {name: f"{FAULTY}:{name.title()}" for name in captures},
            "punktfunk.encode": {
                name: f"{FAULTY}:{name.title()}" for name in ("refusing", "brittle")
            },
            "punktfunk.input": {name: f"{FAULTY}:{name.title()}" for name in ("clumsy", "noting")},
            "punktfunk.gamepad": {
                name: f"{FAULTY}:{name.title()}" for name in ("flimsy", "forbidden")
            },
        },
    )
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))


@pytest.fixture
def media() -> Iterator[tuple[socket.socket, ...]]:
    """Video, control and audio sockets on loopback."""
    sockets = tuple(socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3))
    for sock in sockets:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
    yield sockets
    for sock in sockets:
        sock.close()


@pytest.fixture
async def spawn() -> Callable[..., Worker]:
    """Starts workers and kills those that the test leaves behind."""
    workers = []

    async def start(**limits: float) -> Worker:
        workers.append(await Worker.spawn(limits=WorkerLimits(**limits)))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
        await worker.wait()


async def _until(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def until() -> Callable[..., object]:
    """`await until(condition, timeout_s=10)`: wait for something another process does."""
    return _until


@attrs.define(eq=False, slots=False)
class StreamClient:
    """A client's sockets: connects control, pings, opens what the host says."""

    plan: StreamPlan
    ports: tuple[int, int, int]
    enet: object = attrs.field(init=False)
    cipher: ControlCipher = attrs.field(init=False)
    video_packets: int = 0
    audio_packets: int = 0
    sequence: int = 0

    def __attrs_post_init__(self) -> None:
        self.enet = TinyClient(connect_data=self.plan.connect_data)
        scheme = Scheme.V2 if self.plan.request.control_v2 else Scheme.LEGACY
        self.cipher = ControlCipher(self.plan.key, scheme)
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
        for sock, port in zip(self._sockets, self.ports, strict=True):
            sock.connect(("127.0.0.1", port))
            sock.setblocking(False)

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()

    def say(self, plaintext: bytes) -> None:
        self.enet.send(0, self.cipher.seal(plaintext, self.sequence, Side.CLIENT))
        self.sequence += 1

    def heard(self) -> list[int]:
        """Types of the host's messages."""
        opened = [self.cipher.open(data, Side.HOST).plaintext for _, data in self.enet.received]
        return [int.from_bytes(plaintext[:2], "little") for plaintext in opened]

    async def connect(self) -> None:
        """Connect control, prove the key, ping for sound and picture; wait for a picture."""
        self.enet.connect()
        await self.pump(lambda: self.enet.connected)
        self.say(REQUEST_IDR)
        self._turn()  # pictures may be there already: it has to leave all the same
        await self.pump(lambda: self.video_packets and self.audio_packets)

    async def pump(self, until: Callable[[], object], timeout_s: float = 10.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not until():
                self._turn()
                await asyncio.sleep(0.005)

    def _turn(self) -> None:
        video, control, audio = self._sockets
        for data in self.enet.datagrams(time.monotonic_ns()):
            with contextlib.suppress(OSError):
                control.send(data)
        for sock in (video, audio):
            with contextlib.suppress(OSError):
                sock.send(self.plan.ping_payload + bytes(4))
        for datagram in _waiting(control):
            self.enet.receive(datagram)
        self.video_packets += len(_waiting(video))
        self.audio_packets += len(_waiting(audio))


def _waiting(sock: socket.socket) -> list[bytes]:
    datagrams = []
    with contextlib.suppress(OSError):
        while True:
            datagrams.append(sock.recv(4_096))
    return datagrams


@pytest.fixture
def make_client() -> Iterator[Callable[..., StreamClient]]:
    """`make_client(stream_plan, sockets_or_ports)`."""
    clients = []

    def make(plan: StreamPlan, media: tuple[socket.socket, ...]) -> StreamClient:
        ports = tuple(sock.getsockname()[1] for sock in media)
        clients.append(StreamClient(plan, ports))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def tiny_client() -> type:
    """The ENet client of the ENet tests: `tiny_client(connect_data)`."""
    return TinyClient


@pytest.fixture
def processes_of() -> Callable[[SessionPlan], list[int]]:
    """Programs of a session that are alive."""
    return lambda plan: marked_processes(plan.seat)


@pytest.fixture
def app_of() -> Callable[[SessionPlan], int]:
    """The app of a session on one of the faulty displays."""

    def find(plan: SessionPlan) -> int:
        deadline = time.monotonic() + 10  # it may not have become what it shall be
        while time.monotonic() < deadline:
            for pid in marked_processes(plan.seat):
                with contextlib.suppress(OSError):
                    if Path(f"/proc/{pid}/comm").read_text().strip() == "sleep":
                        return pid
            time.sleep(0.01)
        raise LookupError("the app does not run")

    return find
