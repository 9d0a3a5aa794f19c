"""Private sound servers, and a player that puts tones on chosen channels."""

import ctypes
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pytest
from punktfunk_audio_pulse.driver import PulseAudio
from punktfunk_audio_pulse.libpulse import FLOAT32LE, BufferAttributes, ChannelMap, SampleSpec
from punktfunk_audio_pulse.own_server import OwnServer
from punktfunk_audio_pulse.sinks import answers, create_sink, default_sink

from punktfunk.plugin import SAMPLE_RATE_HZ, STEREO, ChannelLayout, Samples
from punktfunk.testing import FakeSeat

PLAYBACK = 1


class Player:
    """Plays a block again and again, as a program with this environment would."""

    def __init__(
        self, environment: Mapping[str, str], layout: ChannelLayout, block: Samples
    ) -> None:
        self._simple = ctypes.CDLL("libpulse-simple.so.0")
        self._simple.pa_simple_new.restype = ctypes.c_void_p
        self._data = np.ascontiguousarray(block, np.float32).tobytes()
        spec = SampleSpec(FLOAT32LE, SAMPLE_RATE_HZ, layout.channels)
        channels = ChannelMap()
        ctypes.CDLL("libpulse.so.0").pa_channel_map_parse(
            ctypes.byref(channels), ",".join(layout.speakers).encode()
        )
        small = len(self._data)
        attributes = BufferAttributes(0xFFFFFFFF, small, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
        error = ctypes.c_int()
        self._stream = self._simple.pa_simple_new(
            environment["PULSE_SERVER"].encode(),
            b"player",
            PLAYBACK,
            environment["PULSE_SINK"].encode() if "PULSE_SINK" in environment else None,
            b"tones",
            ctypes.byref(spec),
            ctypes.byref(channels),
            ctypes.byref(attributes),
            ctypes.byref(error),
        )
        assert self._stream, f"the player cannot play: error {error.value}"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.began = time.monotonic()
        self._thread.start()

    def _run(self) -> None:
        stream = ctypes.c_void_p(self._stream)
        while not self._stop.is_set():
            size = ctypes.c_size_t(len(self._data))
            if self._simple.pa_simple_write(stream, self._data, size, None) < 0:
                return

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._simple.pa_simple_free(ctypes.c_void_p(self._stream))


@pytest.fixture
def need_programs() -> None:
    """Skip without a sound server's programs; fail instead where CI should have them."""
    missing = [
        name for name in ("pipewire", "wireplumber", "pipewire-pulse") if shutil.which(name) is None
    ]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"not installed: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@pytest.fixture
def no_user_server(monkeypatch) -> None:
    for name in ("PULSE_SERVER", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def seat(no_user_server) -> Iterator[FakeSeat]:
    with FakeSeat() as seat:
        yield seat


class PulseServer:
    """The PulseAudio of old, where `OwnServer` is PipeWire."""

    def __init__(self, seat: FakeSeat) -> None:
        self._seat = seat
        self._folder = seat.runtime_dir / "pulse"
        self._process = None
        self.server = f"unix:{self._folder / 'native'}"

    def start(self) -> None:
        self._folder.mkdir(mode=0o700)
        self._process = self._seat.spawn(
            "pulseaudio",
            [
                *("pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no"),
                *("--exit-idle-time=-1", "--disable-shm"),
                *("-L", f"module-native-protocol-unix socket={self._folder / 'native'}"),
                *("-L", "module-always-sink", "-L", "module-rescue-streams"),
            ],
            environment={"PULSE_RUNTIME_PATH": str(self._folder)},
        )
        deadline = time.monotonic() + 20
        while not answers(self.server):
            assert self._process.exit_status() is None, self._seat.log_tail("pulseaudio")
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)


UserServer = OwnServer | PulseServer


@pytest.fixture
def user_server(
    need_programs, no_user_server, monkeypatch, request: pytest.FixtureRequest
) -> Iterator[UserServer]:
    """A sound server that plays the user's: what runs there was not started by the driver."""
    kind = getattr(request, "param", "pipewire")
    if kind == "pulseaudio" and shutil.which("pulseaudio") is None:
        pytest.skip("not installed: pulseaudio")
    with FakeSeat("user") as seat:
        server = PulseServer(seat) if kind == "pulseaudio" else OwnServer(seat)
        server.start()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(seat.runtime_dir))
        yield server
        server.stop()


@pytest.fixture
def speakers(user_server, wait) -> str:
    """The user's speakers, which are the default sink."""
    create_sink(user_server.server, "speakers", STEREO)
    wait(lambda: default_sink(user_server.server) == "speakers")
    return "speakers"


@pytest.fixture
def make_driver() -> Iterator[Callable[..., PulseAudio]]:
    drivers: list[PulseAudio] = []

    def make(**settings: object) -> PulseAudio:
        driver = PulseAudio(settings)
        drivers.append(driver)
        return driver

    yield make
    for driver in drivers:
        driver.close()


@pytest.fixture
def play() -> Iterator[Callable[..., Player]]:
    players: list[Player] = []

    def start(environment: Mapping[str, str], layout: ChannelLayout, block: Samples) -> Player:
        players.append(Player(environment, layout, block))
        return players[-1]

    yield start
    for player in players:
        player.close()


@pytest.fixture
def wait() -> Callable[[Callable[[], bool]], None]:
    """Wait until something is so, some seconds at most."""

    def until(condition: Callable[[], bool]) -> None:
        pause = threading.Event()
        for _ in range(500):
            if condition():
                return
            pause.wait(0.01)
        raise AssertionError("waited in vain")

    return until
