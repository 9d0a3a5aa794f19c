"""What a session does when its display dies: counting, waiting, and real workers."""

import selectors
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import attrs
import pytest

from punktfunk.errors import DisplayWithdrawn, DriverFailed
from punktfunk.model.apps import LaunchSpec
from punktfunk.model.input import TextEvent
from punktfunk.model.video import VideoMode
from punktfunk.session.clients import Clients
from punktfunk.session.messages import AppEnded, DisplayBack, DisplayLost
from punktfunk.session.recovery import Patience, Recovery
from punktfunk.session.screen import Screen
from punktfunk.session.session_app import SessionApp
from punktfunk.session.stage import Stage
from punktfunk.session.stream import MediaSockets

GONE = DriverFailed("sway ended")
LIVES_AS_LONG_AS_ITS_DISPLAY = """
cd "$XDG_RUNTIME_DIR"
echo started >> starts
while [ ! -e die ]; do sleep 0.01; done
"""
MODE = VideoMode(width_px=320, height_px=180, refresh_mhz=60_000)
PATIENT = Patience(losses=3, outage_s=10.0)


class Watched:
    """A recovery, its clock, and what it told. Its work fails as long as `broken` is set."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.told = []
        self.attempts = 0
        self.broken: Exception | None = None
        self.hold = threading.Event()
        self.hold.set()
        self.woken = threading.Event()
        self.recovery = Recovery(
            self.examine,
            PATIENT,
            wake=self.woken.set,
            on_lost=lambda reason: self.told.append(reason),
            on_back=lambda after_s: self.told.append(round(after_s, 3)),
        )

    def examine(self):
        self.attempts += 1
        return self.work

    def work(self) -> None:
        self.hold.wait()
        if self.broken is not None:
            raise self.broken

    def poll(self, later_s: float = 0.0) -> None:
        self.now_s += later_s
        self.recovery.poll(self.now_s)

    def finish(self, later_s: float = 0.0) -> None:
        """Wait until the work is done, and take note of it."""
        assert self.woken.wait(20)
        self.woken.clear()
        self.poll(later_s)

    def lose_and_mend(self) -> None:
        self.recovery.report(GONE)
        self.woken.clear()
        self.poll()
        self.poll(1.0)
        self.finish()
        assert not self.recovery.busy


@pytest.fixture
def watched():
    watched = Watched()
    yield watched
    watched.hold.set()
    assert watched.recovery.close(20)


def test_what_is_lost_is_brought_back_at_once_and_both_is_told(watched) -> None:
    watched.recovery.report(GONE)
    assert watched.recovery.busy
    watched.woken.clear()

    watched.poll()
    watched.finish(later_s=0.25)

    assert watched.told == ["sway ended", 0.25]
    assert not watched.recovery.busy


def test_attempts_that_fail_are_repeated_with_pauses_that_grow(watched) -> None:
    watched.broken = DriverFailed("not yet")
    watched.recovery.report(GONE)
    watched.woken.clear()
    watched.poll()
    pauses = []

    for _ in range(4):
        watched.finish()
        before_s, attempts = watched.now_s, watched.attempts
        while watched.attempts == attempts:
            watched.poll(0.05)
        pauses.append(round(watched.now_s - before_s, 2))
    watched.broken = None
    watched.finish()

    assert pauses == sorted(pauses)
    assert 0.2 < pauses[0] < pauses[-1] <= 1.05
    assert watched.told[0] == "sway ended"
    assert len(watched.told) == 2


def test_an_outage_that_lasts_too_long_ends_it(watched) -> None:
    watched.broken = DriverFailed("sway is not installed")
    watched.recovery.report(GONE)
    watched.woken.clear()
    watched.poll()

    with pytest.raises(DriverFailed, match="within 10 seconds: sway is not installed"):
        watched.finish(later_s=PATIENT.outage_s + 0.1)


def test_an_attempt_that_hangs_ends_it_after_the_longest_that_one_may_take(watched) -> None:
    watched.hold.clear()
    watched.recovery.report(GONE)
    watched.poll()

    watched.poll(PATIENT.outage_s + 29.0)
    with pytest.raises(DriverFailed, match="hangs while it is brought back"):
        watched.poll(1.1)


def test_the_third_loss_within_a_minute_ends_it(watched) -> None:
    watched.lose_and_mend()
    watched.lose_and_mend()

    with pytest.raises(DriverFailed, match="3 times within a minute: sway ended"):
        watched.lose_and_mend()

    assert watched.attempts == 2


def test_losses_that_are_long_ago_do_not_count(watched) -> None:
    for _ in range(4):
        watched.lose_and_mend()
        watched.now_s += 40


def test_several_reports_of_one_loss_are_one(watched) -> None:
    for _ in range(5):
        watched.recovery.report(GONE)
    watched.woken.clear()

    watched.poll()
    watched.finish()

    assert not watched.recovery.busy
    assert watched.attempts == 1


def test_what_is_lost_while_it_is_brought_back_is_another_loss(watched) -> None:
    watched.hold.clear()
    watched.recovery.report(GONE)
    watched.poll()
    watched.recovery.report(DriverFailed("and again"))
    watched.woken.clear()

    watched.hold.set()
    watched.finish()

    assert watched.recovery.busy
    assert watched.told == ["sway ended", 0.0, "and again"]


def test_closing_says_whether_an_attempt_still_runs(watched) -> None:
    watched.hold.clear()
    watched.recovery.report(GONE)
    watched.poll()

    assert not watched.recovery.close(0.01)
    watched.hold.set()
    assert watched.recovery.close(20)


# -- a screen


@pytest.fixture
def make_screen(install_faulty, make_plan, tmp_path):
    """A screen on a seat that has only a folder: `tmp_path`."""
    screens = []

    def make() -> Screen:
        plan = make_plan(compositor="mortal", capture="wavering")
        screens.append(Screen(plan, SimpleNamespace(runtime_dir=tmp_path), lambda: None))
        screens[-1].show()
        screens[-1].open_input(lambda feedback: None)
        return screens[-1]

    yield make
    for screen in screens:
        assert screen.rest(20)
        screen.close()


def bring_back(screen: Screen) -> None:
    screen.check()
    assert not screen.well
    deadline_s = time.monotonic() + 60
    while not screen.well:
        assert time.monotonic() < deadline_s
        screen.tend()
        time.sleep(0.01)


@pytest.mark.parametrize("app_starts", [True, False])
def test_a_second_attempt_does_what_the_first_one_left_undone(
    make_screen, tmp_path, app_starts
) -> None:
    screen = make_screen()
    captures = [screen.open_capture(MODE) for _ in range(2)]
    told = []

    def on_new(environment) -> None:
        told.append("new")
        if not app_starts and told.count("new") == 1:
            raise DriverFailed("the app does not start")

    screen.on_gone = lambda: told.append("gone")
    screen.on_new = on_new
    (tmp_path / "die").touch()
    (tmp_path / "dark").touch()

    bring_back(screen)

    assert told == ["gone"] + ["new"] * (1 if app_starts else 2)
    assert (tmp_path / "opened").read_text().split() == ["320", "320"]
    for capture in captures:
        assert not capture.held
        assert capture.read(0.1) is not None
        capture.close()


def test_a_mode_that_the_display_refuses_is_not_asked_for_again(make_screen, tmp_path) -> None:
    screen = make_screen()
    (tmp_path / "stubborn").touch()

    with pytest.raises(DriverFailed, match="only this size"):
        screen.resize(attrs.evolve(MODE, width_px=640))
    (tmp_path / "die").touch()
    bring_back(screen)

    assert (tmp_path / "opened").read_text().split() == ["320", "320"]


def test_a_guest_that_comes_during_an_outage_is_told_so(
    install_faulty, make_plan, make_stream, media
) -> None:
    stage = Stage(make_plan(compositor="mortal", input="clumsy"), lambda: None)
    with selectors.DefaultSelector() as selector:
        clients = Clients(stage, selector, lambda message: None, lambda: None)
        stage.screen.handle(TextEvent("a"))

        with pytest.raises(DriverFailed, match="lost, and not back yet"):
            clients.start(attrs.evolve(make_stream(), guest=True), MediaSockets(*media))


# -- an app


class Seat:
    """Starts nothing: its programs live as long as the test says."""

    name = "pf-recovery-test"

    def __init__(self) -> None:
        self.alive = False
        self.started = 0

    def start_app(self, argv, *, environment, folder):
        self.alive = True
        self.started += 1
        return self

    def exit_status(self) -> int | None:
        return None if self.alive else 0

    def has_left_others(self) -> bool:
        return False


@pytest.fixture
def make_app():
    """`make_app(ends_session=...)`: one that lives on while its display dies and comes back."""
    apps = []

    def make(*, ends_session: bool) -> tuple[SessionApp, Seat, threading.Event]:
        seat, ended = Seat(), threading.Event()
        launch = LaunchSpec(argv=("game",))
        apps.append(SessionApp(seat, launch, {}, ends_session=ends_session, on_end=ended.set))
        apps[-1].start({})
        apps[-1].display_lost()
        apps[-1].display_back({})
        seat.alive = False
        assert ended.wait(30)
        return apps[-1], seat, ended

    yield make
    for app in apps:
        app.close()


def test_an_app_that_ended_with_its_display_is_started_again_only_once(make_app) -> None:
    app, seat, ended = make_app(ends_session=True)
    ended.clear()

    assert not app.over(0.0)
    seat.alive = False
    assert ended.wait(30)

    assert not app.over(1.0)
    assert app.over(2.0)
    assert seat.started == 2


def test_an_app_that_ends_later_and_may_is_not_asked_about_again(make_app) -> None:
    app, seat, _ = make_app(ends_session=False)
    assert app.ended

    assert not app.over(float("inf"))

    assert not app.ended
    assert seat.started == 1


# -- in a worker


@pytest.fixture
def runtime(install_faulty):
    """Where a session's drivers look for what shall go wrong."""
    return lambda plan: Path(plan.runtime_root) / plan.seat


async def streaming(spawn, plan, stream, media, make_client):
    worker = await spawn()
    told = []
    worker.on_message = told.append
    await worker.prepare(plan)
    await worker.start_stream(stream, media)
    client = make_client(stream, media)
    await client.connect()
    return worker, client, told


def count(told, kind) -> int:
    return sum(isinstance(message, kind) for message in told)


async def test_a_display_that_dies_comes_back_with_its_app_and_the_stream_goes_on(
    spawn, make_plan, make_stream, media, make_client, app_of, runtime
) -> None:
    plan = make_plan(compositor="mortal", capture="wavering")
    worker, client, told = await streaming(spawn, plan, make_stream(), media, make_client)
    app = app_of(plan)

    (runtime(plan) / "die").touch()
    await client.pump(lambda: count(told, DisplayBack), timeout_s=40)
    packets = client.video_packets
    await client.pump(lambda: client.video_packets > packets + 20, timeout_s=40)

    assert count(told, DisplayLost) == 1
    assert (runtime(plan) / "opened").read_text().split() == ["320", "320"]
    assert app_of(plan) == app  # nothing took it along
    assert worker.alive
    assert not client.enet.disconnected


async def test_an_app_that_died_with_its_display_is_started_again_and_ends_no_session(
    spawn, make_plan, make_stream, media, make_client, runtime
) -> None:
    plan = attrs.evolve(
        make_plan(compositor="mortal"),
        launch=LaunchSpec(argv=("sh", "-c", LIVES_AS_LONG_AS_ITS_DISPLAY)),
        start_default_app=False,
        ends_with_app=True,
    )
    worker, client, told = await streaming(spawn, plan, make_stream(), media, make_client)

    (runtime(plan) / "die").touch()
    await client.pump(lambda: count(told, DisplayBack), timeout_s=40)
    starts = runtime(plan) / "starts"
    await client.pump(lambda: starts.read_text().count("started") == 2, timeout_s=40)
    packets = client.video_packets
    await client.pump(lambda: client.video_packets > packets + 60, timeout_s=40)

    assert worker.alive
    assert count(told, AppEnded) == 0


async def test_a_capture_that_fails_alone_is_opened_again_and_nothing_else(
    spawn, make_plan, make_stream, media, make_client, runtime
) -> None:
    plan = make_plan(compositor="mortal", capture="wavering")
    worker, client, told = await streaming(spawn, plan, make_stream(), media, make_client)

    (runtime(plan) / "blind").touch()
    await client.pump(lambda: count(told, DisplayBack), timeout_s=40)
    packets = client.video_packets
    await client.pump(lambda: client.video_packets > packets + 20, timeout_s=40)

    assert [it.reason for it in told if isinstance(it, DisplayLost)] == [
        "somebody switched the light off"
    ]
    assert (runtime(plan) / "opened").read_text().split() == ["320"]
    assert worker.alive


async def test_a_display_that_dies_while_nobody_watches_is_there_for_the_next_stream(
    spawn, make_plan, make_stream, media, make_client, runtime, until
) -> None:
    plan = make_plan(compositor="mortal", capture="wavering")
    worker = await spawn()
    told = []
    worker.on_message = told.append
    await worker.prepare(plan)

    (runtime(plan) / "die").touch()
    await worker.start_stream(make_stream(), media)  # before anybody has noticed
    client = make_client(make_stream(), media)
    await client.connect()

    await until(lambda: count(told, DisplayBack) == 1, timeout_s=40)
    assert (runtime(plan) / "opened").read_text().split() == ["320", "320"]


# -- somebody does not want it any more

STOPPED = DisplayWithdrawn("the user at the host ended the sharing")


def test_what_the_person_ended_is_not_tried_again(watched) -> None:
    watched.recovery.report(STOPPED)

    with pytest.raises(DisplayWithdrawn, match="ended the sharing"):
        watched.poll()

    assert (watched.attempts, watched.told) == (0, [])


def test_an_end_by_the_person_is_heard_among_what_failed_with_it(watched) -> None:
    watched.recovery.report(GONE)
    watched.recovery.report(STOPPED)

    with pytest.raises(DisplayWithdrawn, match="ended the sharing"):
        watched.poll()

    assert not watched.recovery.working


def test_an_attempt_that_meets_the_persons_no_is_the_last(watched) -> None:
    watched.broken = STOPPED
    watched.recovery.report(GONE)
    watched.woken.clear()
    watched.poll()

    with pytest.raises(DisplayWithdrawn, match="ended the sharing"):
        watched.finish()

    assert watched.attempts == 1


def test_a_screen_that_was_withdrawn_is_not_brought_back_for_a_capture(
    make_screen, tmp_path, monkeypatch
) -> None:
    screen = make_screen()

    def refuse() -> None:
        raise STOPPED

    monkeypatch.setattr(screen._compositor, "check", refuse)
    screen._recovery.report(DriverFailed("no pictures come any more"))

    with pytest.raises(DisplayWithdrawn, match="ended the sharing"):
        screen.tend()
    assert (tmp_path / "opened").read_text().split() == ["320"]
