"""What pictures cost by each way to them, against copying the same bytes once.

A program repaints the whole screen, the worst case. Counted is this process, which does nothing
but take pictures, and the programs that are the desktop: the compositor, its PipeWire, the
portal. Rounds with and without a capture alternate, medians are compared.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.metadata import entry_points
from pathlib import Path

import attrs
import numpy as np
import pytest

from punktfunk.model.apps import LaunchSpec
from punktfunk.model.offers import Kind
from punktfunk.plugin import Display, DriverUnavailable, VideoMode
from punktfunk.testing import FakeSeat

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(os.environ.get("PUNKTFUNK_BENCH") != "1", reason="PUNKTFUNK_BENCH=1 only"),
    pytest.mark.timeout(120),
]

PLUGINS = Path(__file__).parents[2] / "plugins"
PORTAL_TESTS = PLUGINS / "capture_portal" / "tests"
ROUNDS, ALONE_S, WARM_UP_S, ROUND_S, COPIES = 3, 1.5, 0.5, 2.5, 40
SESSION_S = 8
RATE_HZ = 60
WAIT_S = 30
SIZES = [(1_280, 720), (1_920, 1_080)]
STAGES = ("capture", "submit", "encode")

sizes = pytest.mark.parametrize(("width", "height"), SIZES, ids=["720p", "1080p"])


@attrs.frozen
class Way:
    """A desktop, and how a session comes to it.

    Attributes:
        desktop: Its processes are the desktop; the program that is looked at starts there.
        seat: Where the session's drivers are opened.
        attach: Show the desktop that runs instead of starting it.
        environment: What a program on the desktop needs; None: what the display says.
    """

    driver: str
    desktop: FakeSeat
    seat: FakeSeat
    attach: bool = False
    environment: Mapping[str, str] | None = None

    def make(self, kind):
        (driver,) = entry_points(group=f"punktfunk.{kind}", name=self.driver)
        return driver.load()({})

    def desktop_us(self):
        """CPU time of the desktop so far, all threads."""
        return sum(
            int(file.read_text().split()[0]) / 1_000
            for process in self.desktop.running
            if process.name != "program"
            for file in Path(f"/proc/{process.pid}/task").glob("*/schedstat")
        )

    def start_program(self, display):
        log = self.desktop.runtime_dir / "program.events"
        environment = display.environment if self.environment is None else self.environment
        argv = program(self.driver, log)
        self.desktop.spawn("program", argv, environment=environment)
        deadline = time.monotonic() + WAIT_S
        while not (log.exists() and f'"width": {display.mode.width_px}' in log.read_text()):
            assert time.monotonic() < deadline, self.desktop.log_tail("program")
            time.sleep(0.05)


def program(driver, log):
    """Says of the whole screen that it is new, as often as the desktop lets it."""
    plugin, drawing = (
        ("capture_x11", "whole") if driver == "x11" else ("capture_wlroots", "counter")
    )
    return [sys.executable, str(PLUGINS / plugin / "tests" / "lab_client.py"), drawing, str(log)]


@contextmanager
def own(driver, mode, monkeypatch):
    with FakeSeat() as seat:
        yield Way(driver, seat, seat)


@contextmanager
def attached_to_x11(driver, mode, monkeypatch):
    with FakeSeat("seat-user") as user, FakeSeat() as seat:
        desktop = Way(driver, user, user).make(Kind.COMPOSITOR)
        try:
            display = desktop.open(user, mode)
            for name in ("DISPLAY", "XAUTHORITY"):
                monkeypatch.setenv(name, display.environment[name])
            yield Way(driver, user, seat, attach=True)
        finally:
            desktop.close()


@contextmanager
def mutter_by_portal(driver, mode, monkeypatch):
    """The real portal and the real Mutter; between them, what would ask a person says yes."""
    monkeypatch.syspath_prepend(PORTAL_TESTS)
    from portal_backend import REMOTE_DESKTOP, SCREENCAST, Backend
    from portal_mutter import MutterDesktop
    from portal_user import User

    with ExitStack() as stack:
        user = User("fake")
        stack.callback(user.seat.close)
        user.start_pipewire()
        mutter = MutterDesktop(user, f"{mode.width_px}x{mode.height_px}")
        stack.callback(mutter.close)
        user.use_backend(f"{SCREENCAST};{REMOTE_DESKTOP};")
        address = user.environment["DBUS_SESSION_BUS_ADDRESS"]
        backend = Backend(address, share=mutter.share, on_input=mutter.on_input, sources=5)
        backend.start()
        stack.callback(backend.stop)
        user.start_portal()
        for name, value in user.environment.items():
            monkeypatch.setenv(name, value)
        seat = stack.enter_context(FakeSeat())
        yield Way(driver, user.seat, seat, attach=True, environment=user.environment)


WAYS = {
    "wlroots": ("wlroots", own),
    "x11": ("x11", own),
    "x11, attached": ("x11", attached_to_x11),
    "kwin": ("kwin", own),
    "mutter": ("mutter", own),
    "portal to mutter": ("portal", mutter_by_portal),
}


@pytest.fixture
def way_to(monkeypatch) -> Iterator[Callable[[str, VideoMode], Way]]:
    with ExitStack() as stack:

        def make(name: str, mode: VideoMode) -> Way:
            driver, way = WAYS[name]
            return stack.enter_context(way(driver, mode, monkeypatch))

        yield make


def mode_of(width, height):
    return VideoMode(width_px=width, height_px=height, refresh_mhz=RATE_HZ * 1_000)


def copy_us(width, height):
    """CPU time of copying a picture's bytes."""
    source, target = np.ones((2, height, width * 4), np.uint8)
    began = time.thread_time_ns()
    for _ in range(COPIES):
        np.copyto(target, source)
    return (time.thread_time_ns() - began) / 1_000 / COPIES


def take(capture, duration_s):
    """Pictures, and CPU microseconds of this process."""
    pictures, cpu_ns, until = 0, time.process_time_ns(), time.monotonic() + duration_s
    while time.monotonic() < until:
        frame = capture.read(0.5)
        if frame is not None:
            frame.release()
            pictures += 1
    return pictures, (time.process_time_ns() - cpu_ns) / 1_000


def a_round(way: Way, display: Display):
    """Pictures a second; CPU microseconds a picture: ours, the desktop's, its own anyway."""
    before = way.desktop_us()
    time.sleep(ALONE_S)
    alone_us = (way.desktop_us() - before) / ALONE_S * ROUND_S
    capture = way.make(Kind.CAPTURE)
    try:
        capture.open(way.seat, display, display.mode)
        first = capture.read(WAIT_S)
        assert first is not None, "no pictures after coming back"
        first.release()
        take(capture, WARM_UP_S)
        before = way.desktop_us()
        pictures, ours_us = take(capture, ROUND_S)
        desktop_us = way.desktop_us() - before
    finally:
        capture.close()
    assert pictures
    return pictures / ROUND_S, ours_us / pictures, desktop_us / pictures, alone_us / pictures


@sizes
@pytest.mark.parametrize("name", WAYS)
def test_a_picture_costs_a_few_copies_of_it(way_to, name, width, height):
    load_before = os.getloadavg()[0]
    mode = mode_of(width, height)
    way = way_to(name, mode)
    compositor, capture = way.make(Kind.COMPOSITOR), way.make(Kind.CAPTURE)
    try:
        launched = time.monotonic()
        try:
            display = (compositor.attach if way.attach else compositor.open)(way.seat, mode)
        except DriverUnavailable as error:
            pytest.skip(str(error))
        opened_ms = (time.monotonic() - launched) * 1_000
        capture.open(way.seat, display, mode)
        frame = capture.read(WAIT_S)
        first_ms = (time.monotonic() - launched) * 1_000
        assert frame is not None, "no picture of the empty desktop"
        assert (frame.width_px, frame.height_px) == (width, height)
        frame.release()
        capture.close()
        way.start_program(display)
        copies, rounds = [], []
        for _ in range(ROUNDS):
            copies.append(copy_us(width, height))
            rounds.append(a_round(way, display))
    finally:
        capture.close()
        compositor.close()

    bare_us = statistics.median(copies)
    rate, ours_us, desktop_us, alone_us = map(statistics.median, zip(*rounds, strict=True))
    print(f"\n{name}, {width}x{height}@{RATE_HZ}, load average before: {load_before:.2f}")
    print(f"  {rate:.1f} pictures a second ({', '.join(f'{it[0]:.1f}' for it in rounds)})")
    print(f"  the first after {first_ms:.0f} ms, of that the desktop {opened_ms:.0f}")
    print(f"  CPU microseconds a picture: ours {ours_us:.0f}, the desktop {desktop_us:.0f}")
    print(f"  (the desktop in the same time with nobody looking: {alone_us:.0f})")
    print(
        f"  one copy: {bare_us:.0f}; ours {ours_us / bare_us:.2f} copies, "
        f"the desktop {desktop_us / bare_us:.2f}"
    )


@sizes
@pytest.mark.parametrize("driver", [it for it, (_, way) in WAYS.items() if way is own])
async def test_a_picture_is_soon_at_the_encoder(streaming, driver, width, height):
    """By the worker's own clocks: how old a picture is when it is taken, and its conversion."""
    load_before = os.getloadavg()[0]
    drivers = {Kind.COMPOSITOR: driver, Kind.CAPTURE: driver}
    launch = LaunchSpec(argv=program(driver, os.devnull))
    try:
        async with streaming(width, height, 10_000, drivers=drivers, launch=launch) as stream:
            await stream.told(1 + SESSION_S)
    except DriverUnavailable as error:
        pytest.skip(str(error))

    seconds = stream.samples[1:]
    rates = [it.frames_new * 1_000 / it.window_ms for it in seconds]
    print(f"\n{driver}, {width}x{height}@{RATE_HZ} to x264, load average before: {load_before:.2f}")
    print(f"  {statistics.median(rates):.0f} pictures a second, ms of each second's median:")
    for number, stage in enumerate(STAGES):
        p50s = [it.stages[number].p50_us / 1_000 for it in seconds]
        p99s = [it.stages[number].p99_us / 1_000 for it in seconds]
        print(f"  {stage}: {statistics.median(p50s):.2f}, p99 {statistics.median(p99s):.2f}")
    assert sum(it.frames_new for it in seconds)
