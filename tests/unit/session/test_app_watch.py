"""The end of an app, with launchers as launchers are."""

import os
import subprocess
import sys
import threading
import time

import pytest

from punktfunk.session.app_watch import APP_MARK, AppWatch
from punktfunk.session.seat import SeatProgram

LOOK_S = 0.05
PATIENT_S = 600


class Watched:
    """A program, watched; `ended` is set when the watch says so."""

    def __init__(self, argv, mark, sign="", patience_s=PATIENT_S):
        self.ended = threading.Event()
        self.process = subprocess.Popen(argv, env={**os.environ, APP_MARK: mark})
        self.watch = AppWatch(
            SeatProgram("app", self.process),
            mark,
            sign,
            self.ended.set,
            look_every_s=LOOK_S,
            patience_s=patience_s,
        )

    def close(self):
        self.watch.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture
def watch():
    watched = []

    def start(argv, **changes):
        mark = f"app-{os.getpid()}-{time.monotonic_ns()}"
        watched.append(Watched(argv, mark, **changes))
        return watched[-1]

    yield start
    for it in watched:
        it.close()


@pytest.fixture
def game():
    """`game(sign)`: a process that somebody else started, as a running Steam starts a game."""
    games = []

    def start(sign):
        argv = [sys.executable, "-c", "import time; time.sleep(300)", "SteamLaunch", sign]
        games.append(subprocess.Popen(argv))
        return games[-1]

    yield start
    for it in games:
        it.kill()
        it.wait()


def test_an_app_has_ended_when_its_program_has(watch):
    app = watch(["sleep", "300"])
    assert not app.ended.wait(10 * LOOK_S)

    app.process.kill()

    assert app.ended.wait(30)
    assert app.watch.ended


def test_a_launcher_that_forks_twice_and_exits_is_not_the_end(watch, tmp_path):
    pid_file = tmp_path / "pid"
    script = (
        "import os, time\n"
        "if os.fork(): os._exit(0)\n"
        "os.setsid()\n"
        "if os.fork(): os._exit(0)\n"
        f"open({str(pid_file)!r}, 'w').write(str(os.getpid()))\n"
        "time.sleep(300)"
    )
    app = watch([sys.executable, "-c", script])
    assert app.process.wait(30) == 0
    assert not app.ended.wait(10 * LOOK_S)

    os.kill(int(pid_file.read_text()), 9)

    assert app.ended.wait(30)


def test_a_game_of_a_launcher_that_runs_on_ends_with_its_sign(watch, game):
    app = watch(["sleep", "300"], sign="AppId=570")
    assert not app.ended.wait(10 * LOOK_S)  # the launcher takes its time
    running = game("AppId=570")
    assert not app.ended.wait(10 * LOOK_S)

    running.kill()
    running.wait()

    assert app.ended.wait(30)
    assert app.process.poll() is None


def test_a_launcher_that_hands_over_and_exits_is_waited_for(watch, game):
    app = watch(["true"], sign="AppId=570")
    app.process.wait(30)
    assert not app.ended.wait(10 * LOOK_S)

    running = game("AppId=570")
    assert not app.ended.wait(10 * LOOK_S)
    running.kill()
    running.wait()

    assert app.ended.wait(30)


def test_a_game_that_never_appears_is_not_waited_for_for_ever(watch):
    app = watch(["true"], sign="AppId=570", patience_s=0.5)

    assert app.ended.wait(30)


def test_another_games_sign_is_not_taken_for_ours(watch, game):
    game("AppId=5701")
    app = watch(["true"], sign="AppId=570", patience_s=0.5)

    assert app.ended.wait(30)


def test_who_stops_watching_hears_nothing(watch):
    app = watch(["sleep", "300"])

    app.watch.close()
    app.process.kill()

    assert not app.ended.wait(5 * LOOK_S)
