"""Sound servers that die and come back, the host's own speakers, and a desktop that is there."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import punktfunk_audio_pulse as plugin
import pytest
from punktfunk_audio_pulse.driver import PulseAudio
from punktfunk_audio_pulse.recorder import Recorder
from punktfunk_audio_pulse.sinks import connected, create_sink, default_sink, remove_sink

from punktfunk.plugin import STEREO, SURROUND_51, Effect, HostFacts
from punktfunk.testing import FakeSeat

pytestmark = [pytest.mark.desktop, pytest.mark.usefixtures("need_programs")]
both_servers = pytest.mark.parametrize("user_server", ["pipewire", "pulseaudio"], indirect=True)

FRAMES = 240
LIMIT_S = 30.0


def kill(process) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    while process.exit_status() is None:
        time.sleep(0.01)


def read_until(driver: PulseAudio, heard) -> float:
    """Read on until a block says so; returns the seconds it took. Never without a block."""
    began = time.monotonic()
    while time.monotonic() - began < LIMIT_S:
        block = driver.read(0.5)
        if block is not None and heard(block):
            return time.monotonic() - began
    raise AssertionError("listened in vain")


def loud(block) -> bool:
    return bool(np.abs(block).max() > 0.1)


def silent(block) -> bool:
    return not block.any()


@pytest.fixture
def sounding():
    """Starts a program that plays a tone as long as the test lasts."""
    programs = []

    def start(environment) -> None:
        program = Path(__file__).with_name("player_program.py")
        environment = {**os.environ, **environment}
        programs.append(subprocess.Popen([sys.executable, program], env=environment))

    yield start
    for program in programs:
        program.kill()
        program.wait()


def sinks(server) -> list[str]:
    with connected(server.server) as pulse:
        return [sink.name for sink in pulse.sink_list()]


def modules(server) -> list[str]:
    with connected(server.server) as pulse:
        return sorted(f"{module.name} {module.argument}" for module in pulse.module_list())


def set_default(server, name: str) -> None:
    with connected(server.server) as pulse:
        pulse.sink_default_set(name)


def listen(server, sink: str) -> Recorder:
    return Recorder(server.server, f"{sink}.monitor", STEREO, FRAMES)


def hears(recorder: Recorder, what, limit_s: float = LIMIT_S) -> bool:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        block = recorder.read(0.1)
        if block is not None and what(block):
            return True
    return False


@pytest.mark.parametrize("name", ["pipewire", "wireplumber", "pipewire-pulse"])
def test_an_own_server_that_is_killed_comes_back_with_its_sink(
    make_driver, seat, sounding, name, capsys
) -> None:
    driver = make_driver(server="own")
    environment = driver.prepare(seat, STEREO)
    driver.start(STEREO, FRAMES)
    sounding(environment)
    read_until(driver, loud)

    (process,) = [process for process in seat.running if process.name == name]
    kill(process)
    read_until(driver, silent)
    back_s = read_until(driver, loud)

    assert default_sink(environment["PULSE_SERVER"]) == environment["PULSE_SINK"]
    assert len(seat.running) == 3
    with capsys.disabled():
        print(f" [{name} killed: heard again after {back_s:.1f} s of silence] ", end="")


def test_there_is_silence_at_the_pace_of_the_clock_while_the_server_is_away(
    make_driver, user_server
) -> None:
    with FakeSeat() as seat:
        driver = make_driver()
        driver.prepare(seat, STEREO)
        driver.start(STEREO, FRAMES)
        read_until(driver, silent)
        user_server.stop()

        began = time.monotonic()
        blocks = [driver.read(1.0) for _ in range(200)]
        took_s = time.monotonic() - began
        driver.close()

    assert all(block is not None and block.shape == (FRAMES, 2) for block in blocks)
    assert not any(block.any() for block in blocks)
    assert 0.7 < took_s < 10


def test_an_own_server_that_always_dies_is_given_up_and_the_session_stays_silent(
    make_driver, seat, wait, caplog
) -> None:
    driver = make_driver(server="own")
    driver.prepare(seat, STEREO)
    driver.start(STEREO, FRAMES)

    deadline = time.monotonic() + 2 * LIMIT_S
    while "stays silent" not in caplog.text:
        assert time.monotonic() < deadline
        for process in seat.running:
            if process.name == "pipewire":
                kill(process)
        driver.read(0.05)

    assert silent(driver.read(1.0))
    driver.close()
    assert seat.running == []


@both_servers
def test_a_users_server_that_is_started_again_gets_the_sink_again(
    make_driver, user_server, sounding, capsys
) -> None:
    with FakeSeat("s1") as seat:
        driver = make_driver()
        environment = driver.prepare(seat, STEREO)
        driver.start(STEREO, FRAMES)
        sounding(environment)
        read_until(driver, loud)

        user_server.stop()
        read_until(driver, silent)
        user_server.start()
        back_s = read_until(driver, loud)

        assert "punktfunk-s1" in sinks(user_server)
        driver.close()
        assert "punktfunk-s1" not in sinks(user_server)
        assert seat.effects == []
    with capsys.disabled():
        print(f" [heard again {back_s:.1f} s after the server was there] ", end="")


@both_servers
def test_a_sink_that_the_user_removes_is_made_again(
    make_driver, user_server, speakers, sounding
) -> None:
    with FakeSeat("s4") as seat:
        driver = make_driver()
        environment = driver.prepare(seat, STEREO)
        driver.start(STEREO, FRAMES)
        read_until(driver, silent)

        remove_sink(user_server.server, "punktfunk-s4")
        sounding(environment)
        read_until(driver, loud)

        driver.close()
        assert seat.effects == []


def test_a_server_that_died_while_nobody_listened_is_heard_by_the_next_who_does(
    make_driver, user_server, sounding
) -> None:
    with FakeSeat("s4") as seat:
        driver = make_driver()
        environment = driver.prepare(seat, STEREO)
        user_server.stop()

        driver.start(STEREO, FRAMES)
        assert silent(driver.read(1.0))
        user_server.start()
        sounding(environment)

        read_until(driver, loud)
        driver.close()


@both_servers
def test_the_hosts_speakers_play_the_session_too_and_nothing_of_it_stays(
    make_driver, user_server, speakers, sounding
) -> None:
    before = modules(user_server)
    with FakeSeat("s2") as seat:
        driver = make_driver()
        environment = driver.prepare(seat, STEREO)
        room = listen(user_server, "speakers")
        driver.start(STEREO, FRAMES)

        sounding(environment)
        read_until(driver, loud)
        alone = hears(room, loud, limit_s=0.5)
        assert driver.play_here()

        assert not alone
        assert hears(room, loud)
        assert default_sink(user_server.server) == "speakers"
        room.close()
        driver.close()
        assert seat.effects == []
    assert modules(user_server) == before
    assert default_sink(user_server.server) == "speakers"


@both_servers
def test_the_speakers_that_play_along_are_the_default_ones_also_when_they_change(
    make_driver, user_server, speakers, sounding
) -> None:
    create_sink(user_server.server, "headphones", STEREO)
    set_default(user_server, "speakers")
    with FakeSeat("s2") as seat:
        driver = make_driver()
        environment = driver.prepare(seat, STEREO)
        sounding(environment)
        assert driver.play_here()
        first, second = listen(user_server, "speakers"), listen(user_server, "headphones")
        assert hears(first, loud)

        set_default(user_server, "headphones")

        assert hears(second, loud)
        assert hears(first, silent)
        first.close()
        second.close()
        driver.close()


@both_servers
def test_without_speakers_nothing_plays_along(make_driver, user_server, wait) -> None:
    wait(lambda: default_sink(user_server.server) == "auto_null")
    with FakeSeat("s2") as seat:
        driver = make_driver()
        driver.prepare(seat, STEREO)

        assert not driver.play_here()

        assert not any("loopback" in module for module in modules(user_server))
        driver.close()


def test_an_own_server_has_no_speakers(make_driver, seat) -> None:
    driver = make_driver(server="own")
    driver.prepare(seat, STEREO)

    assert not driver.play_here()


def test_a_loopback_left_by_a_crash_is_removed_with_its_sink(user_server, speakers) -> None:
    before = modules(user_server)
    crash = """
import os, sys, json, time
from punktfunk.plugin import STEREO
from punktfunk.testing import FakeSeat
from punktfunk_audio_pulse.driver import PulseAudio
from punktfunk_audio_pulse.sinks import connected
seat = FakeSeat("crashed")
driver = PulseAudio()
driver.prepare(seat, STEREO)
driver.play_here()
with connected(os.environ["SERVER"]) as pulse:
    while not any(module.name == "module-loopback" for module in pulse.module_list()):
        time.sleep(0.01)
print(json.dumps(seat.effects[0].data), seat.runtime_dir.parent)
sys.stdout.flush()
os.kill(os.getpid(), 9)
"""
    died = subprocess.run(
        [sys.executable, "-c", crash],
        env={**os.environ, "SERVER": user_server.server},
        capture_output=True,
        text=True,
        timeout=40,
    )
    data, _, folder = died.stdout.strip().rpartition(" ")
    assert died.returncode == -signal.SIGKILL

    effect = Effect(kind="pulse.sink", data=json.loads(data))
    assert plugin.effect_undo(effect=effect, host=HostFacts())

    assert modules(user_server) == before
    subprocess.run(["rm", "-r", folder], check=True)


@both_servers
def test_an_attached_session_hears_the_default_sink_and_changes_nothing(
    make_driver, user_server, speakers, sounding
) -> None:
    before = modules(user_server)
    with FakeSeat("s5") as seat:
        driver = make_driver()
        environment = driver.attach(seat, SURROUND_51)
        driver.start(STEREO, FRAMES)

        sounding({"PULSE_SERVER": user_server.server})
        read_until(driver, loud)

        assert environment["PULSE_SERVER"] == user_server.server
        assert "PULSE_SINK" not in environment
        assert modules(user_server) == before
        assert seat.recorded == []
        assert seat.running == []
        driver.close()
    assert modules(user_server) == before
    assert default_sink(user_server.server) == "speakers"


@both_servers
def test_an_attached_session_follows_the_default_sink(
    make_driver, user_server, speakers, sounding
) -> None:
    create_sink(user_server.server, "headphones", STEREO)
    set_default(user_server, "speakers")
    with FakeSeat("s5") as seat:
        driver = make_driver()
        driver.attach(seat, STEREO)
        driver.start(STEREO, FRAMES)
        sounding({"PULSE_SERVER": user_server.server, "PULSE_SINK": "headphones"})
        read_until(driver, silent)

        set_default(user_server, "headphones")

        read_until(driver, loud)
        driver.close()


def test_an_attached_session_without_a_users_server_gets_its_own(make_driver, seat) -> None:
    environment = make_driver().attach(seat, STEREO)

    assert environment["PULSE_SINK"] == "punktfunk-seat-test"
