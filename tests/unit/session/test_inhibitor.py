"""The machine stays awake for a session, and nothing of it can keep a launch from working."""

import importlib.util
import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest

from punktfunk.session.inhibitor import Inhibitor

WHY = "Deck plays Hades"


def _fakes():
    path = Path(__file__).with_name("fake_services.py")
    spec = importlib.util.spec_from_file_location("fake_services_of_inhibitor", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fakes = _fakes()


@pytest.fixture
def bus(tmp_path):
    """One bus is the machine's and the user's."""
    with fakes.message_bus_at(tmp_path / "bus") as address:
        yield {"DBUS_SYSTEM_BUS_ADDRESS": address, "DBUS_SESSION_BUS_ADDRESS": address}


@pytest.fixture
def logind(bus):
    service = fakes.Logind(bus["DBUS_SYSTEM_BUS_ADDRESS"])
    yield service
    service.close()


@pytest.fixture
def screen_saver(bus):
    service = fakes.ScreenSaver(bus["DBUS_SESSION_BUS_ADDRESS"])
    yield service
    service.close()


@pytest.fixture
def inhibit():
    made = []

    def start(environment, why=WHY, *, desktop=False):
        made.append(Inhibitor(why, environment, desktop=desktop))
        return made[-1]

    yield start
    for it in made:
        it.close()


@pytest.fixture
def remarks(caplog):
    caplog.set_level(logging.INFO)
    return lambda: [it.getMessage() for it in caplog.records if it.levelno >= logging.INFO]


def test_the_machine_neither_sleeps_nor_idles_while_a_session_runs(bus, logind, inhibit):
    inhibitor = inhibit(bus)
    assert fakes.until(lambda: logind.locks)
    assert list(logind.locks.values()) == [("idle:sleep", "punktfunk", WHY, "block")]

    inhibitor.close()
    inhibitor.close()

    assert fakes.until(lambda: not logind.locks)


def test_an_inhibitor_ends_with_the_process_that_is_killed(bus, logind):
    script = (
        "import json, sys, time\nfrom punktfunk.session.inhibitor import Inhibitor\n"
        "Inhibitor('why', json.loads(sys.argv[1]), desktop=False)\ntime.sleep(60)"
    )
    words = [sys.executable, "-c", script, str(bus).replace("'", '"')]
    with subprocess.Popen(words) as worker:
        assert fakes.until(lambda: logind.locks)
        worker.kill()

    assert fakes.until(lambda: not logind.locks)


def test_who_may_not_forbid_sleep_still_forbids_idling(bus, logind, inhibit, remarks):
    logind.allows = {"idle"}

    inhibit(bus)

    assert fakes.until(lambda: logind.locks)
    assert [what for what, *_ in logind.locks.values()] == ["idle"]
    assert fakes.until(remarks)
    assert remarks() == [
        "the machine may be put to sleep during the session: Inhibit: Permission denied"
    ]


def test_who_may_forbid_nothing_is_told_once(bus, logind, inhibit, remarks):
    logind.allows = set()

    inhibit(bus)

    assert fakes.until(remarks)
    assert remarks() == [
        "the machine may go to sleep during the session: Inhibit: Permission denied"
    ]


def test_without_a_bus_a_line_in_the_log_is_all(inhibit, remarks):
    inhibit({"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere"}).close()

    assert fakes.until(remarks)
    assert len(remarks()) == 1
    assert "no message bus at unix:path=/nowhere" in remarks()[0]


def test_nobody_waits_for_a_slow_logind(bus, logind, inhibit, remarks):
    logind.slow_s = 3.0
    began = time.monotonic()
    inhibitor = inhibit(bus)
    inhibitor.close()

    assert time.monotonic() - began < logind.slow_s
    assert fakes.until(remarks)
    assert "not answered within 1 s" in remarks()[0]
    assert fakes.until(lambda: not logind.locks)


def test_an_answer_that_comes_after_the_session_is_given_back(bus, logind, inhibit):
    logind.slow_s = 0.5
    inhibitor = inhibit(bus)
    assert fakes.until(lambda: logind.heard)

    inhibitor.close()

    assert fakes.until(lambda: not inhibitor._thread.is_alive())
    assert fakes.until(lambda: not logind.locks)


def test_an_attached_desktop_does_not_blank_its_screen(bus, logind, screen_saver, inhibit):
    inhibitor = inhibit(bus, desktop=True)
    assert fakes.until(lambda: screen_saver.inhibitors and logind.locks)
    assert screen_saver.calls("Inhibit") == [("punktfunk", WHY)]

    inhibitor.close()

    assert fakes.until(lambda: not screen_saver.inhibitors)


def test_a_device_cannot_smuggle_anything_into_the_reason(bus, logind, inhibit):
    inhibit(bus, "\x1b[31m\0\n" + "x" * 1_000)

    assert fakes.until(lambda: logind.locks)
    ((_, _, why, _),) = logind.locks.values()
    assert why.isprintable()
    assert len(why) == 120
