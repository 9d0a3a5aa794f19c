import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import punktfunk_audio_pulse as plugin
import pytest
from punktfunk_audio_pulse.driver import PulseAudio
from punktfunk_audio_pulse.sinks import connected, default_sink

from punktfunk.plugin import (
    STEREO,
    SURROUND_51,
    DriverUnavailable,
    Effect,
    HostFacts,
)
from punktfunk.testing import FakeSeat

pytestmark = [pytest.mark.desktop, pytest.mark.usefixtures("need_programs")]


def sinks(server) -> dict[str, int]:
    with connected(server.server) as pulse:
        return {sink.name: sink.channel_count for sink in pulse.sink_list()}


def modules(server) -> list[str]:
    with connected(server.server) as pulse:
        return [module.name for module in pulse.module_list()]


def test_the_users_server_is_used_when_it_answers(
    make_driver, user_server, speakers, monkeypatch
) -> None:
    with FakeSeat("s7") as seat:
        driver = make_driver()

        environment = driver.prepare(seat, SURROUND_51)

        assert sinks(user_server) == {"speakers": 2, "punktfunk-s7": 6}
        assert environment["PULSE_SERVER"] == user_server.server
        assert environment["PULSE_SINK"] == "punktfunk-s7"
        assert seat.running == []
        driver.close()


def test_the_users_default_sink_stays_what_it_was(make_driver, user_server, speakers) -> None:
    with FakeSeat() as seat:
        driver = make_driver()

        driver.prepare(seat, STEREO)
        driver.start(STEREO, 240)
        for _ in range(100):
            driver.read(0.5)
        during = default_sink(user_server.server)
        driver.close()

    assert during == "speakers"
    assert default_sink(user_server.server) == "speakers"
    assert sinks(user_server) == {"speakers": 2}


def test_a_server_without_any_sink_is_as_before_afterwards(make_driver, user_server, wait) -> None:
    wait(lambda: default_sink(user_server.server) == "auto_null")
    before = modules(user_server)
    with FakeSeat() as seat:
        driver = make_driver()
        driver.prepare(seat, STEREO)

        driver.close()

    wait(lambda: default_sink(user_server.server) == "auto_null")
    wait(lambda: sorted(modules(user_server)) == sorted(before))


def test_the_sink_is_recorded_before_it_is_made_and_forgotten_after(
    make_driver, user_server
) -> None:
    class SeatThatLooks(FakeSeat):
        def record(self, effect: Effect) -> None:
            self.seen_at_record = sinks(user_server)
            super().record(effect)

        def forget(self, effect: Effect) -> None:
            self.seen_at_forget = sinks(user_server)
            super().forget(effect)

    with SeatThatLooks("s3") as seat:
        driver = make_driver()
        driver.prepare(seat, STEREO)
        driver.close()

        data = {"server": user_server.server, "sink": "punktfunk-s3"}
        assert seat.recorded == [Effect(kind="pulse.sink", data=data)]
        assert seat.effects == []
        assert "punktfunk-s3" not in seat.seen_at_record
        assert "punktfunk-s3" not in seat.seen_at_forget


def test_a_sink_left_by_a_crash_is_removed_and_no_other(user_server, speakers, wait) -> None:
    crash = """
import os, sys, json
from punktfunk.plugin import STEREO
from punktfunk.testing import FakeSeat
from punktfunk_audio_pulse.driver import PulseAudio
seat = FakeSeat("crashed")
driver = PulseAudio()
driver.prepare(seat, STEREO)
print(json.dumps(seat.effects[0].data), seat.runtime_dir.parent)
sys.stdout.flush()
os.kill(os.getpid(), 9)
"""
    died = subprocess.run([sys.executable, "-c", crash], capture_output=True, text=True)
    data, _, folder = died.stdout.strip().rpartition(" ")
    assert died.returncode == -signal.SIGKILL
    assert "punktfunk-crashed" in sinks(user_server)

    effect = Effect(kind="pulse.sink", data=json.loads(data))
    first = plugin.effect_undo(effect=effect, host=HostFacts())
    second = plugin.effect_undo(effect=effect, host=HostFacts())

    assert (first, second) == (True, True)
    assert sinks(user_server) == {"speakers": 2}
    subprocess.run(["rm", "-r", folder], check=True)


def test_a_sink_whose_server_is_gone_is_gone(tmp_path) -> None:
    data = {"server": f"unix:{tmp_path}/native", "sink": "punktfunk-s1"}

    assert plugin.effect_undo(effect=Effect(kind="pulse.sink", data=data), host=HostFacts())


def test_a_sink_on_a_remote_server_that_is_silent_is_asked_for_again() -> None:
    data = {"server": "tcp:127.0.0.1:9", "sink": "punktfunk-s1"}

    assert not plugin.effect_undo(effect=Effect(kind="pulse.sink", data=data), host=HostFacts())


def test_a_sink_that_is_not_ours_is_never_removed(user_server, speakers) -> None:
    data = {"server": user_server.server, "sink": "speakers"}

    plugin.effect_undo(effect=Effect(kind="pulse.sink", data=data), host=HostFacts())

    assert "speakers" in sinks(user_server)


def test_a_users_server_that_died_leaves_nothing_to_undo(make_driver, user_server) -> None:
    with FakeSeat() as seat:
        driver = make_driver()
        driver.prepare(seat, STEREO)

        user_server.stop()
        driver.close()

        assert seat.effects == []


def test_without_a_users_server_the_session_gets_its_own(make_driver, seat) -> None:
    driver = make_driver()

    environment = driver.prepare(seat, STEREO)

    assert environment["PULSE_SERVER"] == f"unix:{seat.runtime_dir}/pulse/native"
    assert default_sink(environment["PULSE_SERVER"]) == "punktfunk-seat-test"
    assert seat.recorded == []
    driver.close()
    assert seat.running == []
    assert list(seat.runtime_dir.iterdir()) == []


def test_the_users_server_alone_can_be_asked_for(make_driver, seat) -> None:
    driver = make_driver(server="user")

    with pytest.raises(DriverUnavailable, match="no sound server of the user"):
        driver.prepare(seat, STEREO)

    assert seat.processes == []


def test_an_own_server_can_be_asked_for(make_driver, user_server) -> None:
    with FakeSeat() as seat:
        driver = make_driver(server="own")

        environment = driver.prepare(seat, STEREO)
        driver.close()

        assert environment["PULSE_SERVER"] != user_server.server


def test_an_unknown_server_setting_is_a_reason() -> None:
    with FakeSeat() as seat, pytest.raises(DriverUnavailable, match="server"):
        PulseAudio({"server": "mine"}).prepare(seat, STEREO)


def test_an_unprivileged_user_gets_sound(tmp_path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become someone else; everyone else runs unprivileged anyway")
    code = """
import os
from punktfunk.plugin import STEREO
from punktfunk.testing import FakeSeat
import punktfunk_audio_pulse.recorder
from punktfunk_audio_pulse.driver import PulseAudio
# Only now: the interpreter may lie in root's own folder.
os.setgroups([])
os.setresgid(65_534, 65_534, 65_534)
os.setresuid(65_534, 65_534, 65_534)
with FakeSeat("nobody") as seat:
    driver = PulseAudio({"server": "own"})
    try:
        driver.prepare(seat, STEREO)
        driver.start(STEREO, 240)
        print(driver.read(2.0).shape)
    finally:
        driver.close()
"""
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=40,
    )

    assert (done.stdout.strip(), done.returncode) == ("(240, 2)", 0), done.stderr


def test_the_offer_names_the_server_that_would_be_used(user_server) -> None:
    runtime = str(Path(user_server.server.removeprefix("unix:")).parent.parent)
    environment = {"PATH": os.environ["PATH"]}

    users = plugin.audio_offers(
        host=HostFacts(environment={**environment, "XDG_RUNTIME_DIR": runtime})
    )
    own = plugin.audio_offers(host=HostFacts(environment=environment))

    assert "user" in users[0].availability.reason
    assert "own" in own[0].availability.reason


def test_a_machine_without_any_sound_server_gets_a_reason_and_a_hint(tmp_path) -> None:
    host = HostFacts(environment={"PATH": str(tmp_path)})

    (offer,) = plugin.audio_offers(host=host)

    assert not offer.availability.available
    assert "pipewire-pulse" in offer.availability.reason
    assert offer.availability.hint.startswith("apt install")
