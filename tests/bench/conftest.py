"""A worker process with a stream, of the test pattern if not told otherwise, and a client that only
listens.
"""

import asyncio
import os
import resource
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Self

import attrs
import pytest

from punktfunk.model.apps import LaunchSpec
from punktfunk.model.audio import OpusParams
from punktfunk.model.offers import Kind
from punktfunk.model.session import DriverRef, SessionPlan, StreamEnd, StreamPlan, StreamSample
from punktfunk.model.stream import StreamRequest
from punktfunk.model.video import Codec, ColorSpec, VideoMode
from punktfunk.session.messages import Alive
from punktfunk.session.supervisor import Worker

DRIVERS = {
    Kind.COMPOSITOR: "null",
    Kind.CAPTURE: "testcard",
    Kind.ENCODE: "software",
    Kind.AUDIO: "tone",
    Kind.AUDIO_ENCODE: "opus",
    Kind.INPUT: "memory",
}
NOTHING = LaunchSpec()
PING = b"0123456789ABCDEF"

Streaming = Callable[..., AbstractAsyncContextManager["BenchStream"]]
"""`streaming(width_px, height_px, bitrate_kbps, encrypt=, drivers=, launch=)`; 60 frames a second.
`drivers` are those that shall be others, `launch` is the app.
"""


class Listener:
    """Pings the two media ports and counts what comes, in a thread of its own.

    Attributes:
        first_ns: When the first packet of the picture came, CLOCK_MONOTONIC.
    """

    def __init__(self, video_port: int, audio_port: int) -> None:
        self.first_ns: int | None = None
        self.video_bytes = 0
        self._video = self._knock(video_port)
        self._audio = self._knock(audio_port)
        self._video.settimeout(0.2)
        self._audio.setblocking(False)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()
        self._video.close()
        self._audio.close()

    def _knock(self, port: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.setsockopt(socket.SOL_UDP, 104, 1)  # UDP_GRO: a frame is a few calls
        sock.connect(("127.0.0.1", port))
        sock.send(PING)
        return sock

    def _listen(self) -> None:
        room = bytearray(65_536)
        while not self._stop.is_set():
            try:
                self.video_bytes += self._video.recv_into(room)
            except TimeoutError:
                continue
            if self.first_ns is None:
                self.first_ns = time.monotonic_ns()
            try:
                while self._audio.recv_into(room):
                    pass
            except BlockingIOError:
                pass


@attrs.define
class BenchStream:
    """A stream that runs.

    Attributes:
        spare_memory: Of the worker before it was given a session.
        start_ms: From the launch (a session for a warm worker) to the first packet.
        samples: What the worker told, one a second.
    """

    worker: Worker
    listener: Listener
    spare_memory: "Memory"
    samples: list[StreamSample] = attrs.field(factory=list)
    start_ms: dict[str, float] = attrs.field(factory=dict)

    async def told(self, seconds: int) -> None:
        """Wait for so many samples."""
        async with asyncio.timeout(3 * seconds + 3):
            while len(self.samples) < seconds:
                await asyncio.sleep(0.002)


@attrs.frozen
class Memory:
    """Of a process, in MB: everything resident, and its share of it."""

    resident_mb: float
    proportional_mb: float

    @classmethod
    def of(cls, pid: int) -> Self:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        resident = pages * resource.getpagesize() / 1e6
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except PermissionError:  # a worker hides its memory from all but root
            return cls(resident, float("nan"))
        line = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
        return cls(resident, int(line.split()[1]) * 1_024 / 1e6)


@pytest.fixture
def memory_of() -> Callable[[int], Memory]:
    return Memory.of


@pytest.fixture
def streaming(tmp_path: Path) -> Streaming:
    return lambda *arguments, **options: _streaming(tmp_path, *arguments, **options)


@asynccontextmanager
async def _streaming(
    folder: Path,
    width_px: int,
    height_px: int,
    bitrate_kbps: int,
    encrypt: bool = False,
    drivers: Mapping[Kind, str] = MappingProxyType({}),
    launch: LaunchSpec = NOTHING,
) -> AsyncIterator[BenchStream]:
    mode = VideoMode(width_px=width_px, height_px=height_px, refresh_mhz=60_000)
    used = {**DRIVERS, **drivers}
    worker = await Worker.spawn([f"{kind}:{name}" for kind, name in used.items()])
    sockets = [_bound() for _ in range(3)]
    video_port, _, audio_port = (sock.getsockname()[1] for sock in sockets)
    try:
        spare_memory = Memory.of(worker.pid)
        launched_ns = time.monotonic_ns()
        await worker.prepare(_session(folder, mode, used, launch))
        prepared_ns = time.monotonic_ns()
        await worker.start_stream(_stream(mode, bitrate_kbps, encrypt), sockets)
        started_ns = time.monotonic_ns()
        with Listener(video_port, audio_port) as listener:
            stream = BenchStream(worker, listener, spare_memory)
            worker.on_message = lambda message: (
                stream.samples.extend(message.samples) if isinstance(message, Alive) else None
            )
            while listener.first_ns is None:
                await asyncio.sleep(0.005)
                assert time.monotonic_ns() - started_ns < 5e9, "no picture came"
            stream.start_ms = {
                "prepared": (prepared_ns - launched_ns) / 1e6,
                "started": (started_ns - launched_ns) / 1e6,
                "first packet": (listener.first_ns - launched_ns) / 1e6,
            }
            yield stream
    finally:
        for sock in sockets:
            sock.close()
        await worker.quit(StreamEnd.STOPPED)


def _bound() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return sock


def _session(
    folder: Path, mode: VideoMode, drivers: Mapping[Kind, str], launch: LaunchSpec
) -> SessionPlan:
    driver = {kind: DriverRef(name=name) for kind, name in drivers.items()}
    return SessionPlan(
        session_id=1,
        seat="pf-bench",
        app_title="Test pattern",
        launch=launch,
        mode=mode,
        compositor=driver[Kind.COMPOSITOR],
        capture=driver[Kind.CAPTURE],
        encoders=(driver[Kind.ENCODE],),
        audio=driver[Kind.AUDIO],
        audio_encoder=driver[Kind.AUDIO_ENCODE],
        input=driver[Kind.INPUT],
        runtime_root=str(folder),
        journal=str(folder / "bench.jsonl"),
        memory=str(folder / "memory"),
        host_environment=dict(os.environ),
    )


def _stream(mode: VideoMode, bitrate_kbps: int, encrypt: bool) -> StreamPlan:
    request = StreamRequest(
        mode=mode,
        codec=Codec.H264,
        color=ColorSpec(),
        slices_per_frame=1,
        max_reference_frames=1,
        packet_size=1_360,
        bitrate_kbps=bitrate_kbps,
        encoder_bitrate_kbps=bitrate_kbps * 8 // 10,
        min_fec_packets=2,
        fec_percent=20,
        audio=OpusParams(),
        encrypt_video=encrypt,
        encrypt_audio=encrypt,
        control_v2=True,
        dscp_video=0,
        dscp_audio=0,
        client_sends_fec_status=False,
        client_knows_ping_payload=True,
    )
    return StreamPlan(
        stream_id=1,
        request=request,
        key=bytes(range(16)),
        key_id=1,
        ping_payload=PING,
        connect_data=1,
        client_ip="127.0.0.1",
    )
