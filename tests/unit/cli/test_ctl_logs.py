"""`punktfunk ctl logs`: the last lines, and following them through breaks."""

import logging
from typing import Any

import pytest

pytestmark = pytest.mark.parametrize("running", ["http"], indirect=True)


def write(running: Any, *texts: str, level: str = "WARNING") -> None:
    for text in texts:
        number = logging.getLevelNamesMapping()[level]
        values = {"name": "a.b", "msg": text, "levelname": level, "levelno": number}
        running.do(running.host.operations.log.emit, logging.makeLogRecord(values))


def test_the_last_lines_are_for_people(running: Any) -> None:
    write(running, "one", "two \x1b[31m")

    done = running.ask("ctl", "logs", "--limit", "1")

    assert done.exit_code == 0
    assert done.stdout.endswith(" WARNING a.b: two \\x1b[31m\n")
    assert "one" not in done.stdout


def test_following_goes_on_from_the_last_lines_and_misses_none(running: Any, follow: Any) -> None:
    write(running, "one", "two")
    write(running, "too little", level="INFO")
    with follow("logs", "--limit", "1", "--level", "warning") as follower:
        assert follower.line()["message"] == "two"
        write(running, "too little", level="INFO")
        write(running, "three")
        assert follower.line()["message"] == "three"

        running.stop()
        write(running, "four")
        assert "trying again in 1 s" in follower.remark()
        running.start()  # at another port

        assert follower.line()["message"] == "four"
        assert follower.interrupt() == 0
    assert "Traceback" not in "".join(follower.remarks.queue)


def test_lines_that_are_gone_are_remarked(running: Any, follow: Any) -> None:
    write(running, "one")
    with follow("logs") as follower:
        assert follower.line()["message"] == "one"
        write(running, "two")
        assert follower.line()["message"] == "two"
        running.stop()
        running.do(running.host.operations.log.feed.restart)
        running.start()

        assert "trying again in 1 s" in follower.remark()
        assert "some lines may be missing" in follower.remark()
        assert follower.interrupt() == 0
