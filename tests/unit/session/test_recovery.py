"""What a session does when its display dies: counting, waiting, and real workers."""

import threading
from pathlib import Path

import attrs
import pytest

from punktfunk.errors import DriverFailed
from punktfunk.model.apps import LaunchSpec
from punktfunk.session.messages import AppEnded, DisplayBack, DisplayLost
from punktfunk.session.recovery import Patience, Recovery

GONE = DriverFailed("sway ended")
LIVES_AS_LONG_AS_ITS_DISPLAY = """
cd "$XDG_RUNTIME_DIR"
echo started >> starts
while [ ! -e die ]; do sleep 0.01; done
"""
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
