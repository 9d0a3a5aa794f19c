"""`punktfunk ctl events`: the past, and following through breaks."""

import json
from typing import Any

import pytest

LIMIT_S = 50

pytestmark = pytest.mark.parametrize("running", ["http"], indirect=True)


def tell(running: Any, *names: str) -> None:
    for name in names:
        running.tell("client.paired", client="aa" * 32, name=name)


def names(done: Any) -> list[str]:
    return [json.loads(line)["data"].get("name") for line in done.stdout.splitlines()]


def test_the_past_is_listed_and_ends(running: Any) -> None:
    assert running.ask("ctl", "events").stdout == ""
    tell(running, "a", "b\x1b[31m", "c")
    running.tell("stats.started")

    everything = running.ask("ctl", "events", "--json")
    later = running.ask("ctl", "events", "--json", "--since", "1", "--types", "client.*")
    nothing = running.ask("ctl", "events", "--since", "4")
    people = running.ask("ctl", "events")

    assert names(everything) == ["a", "b\x1b[31m", "c", None]
    assert names(later) == ["b\x1b[31m", "c"]
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert people.stdout.splitlines()[1].endswith(
        "2  client.paired       client=aaaaaaaaaaaaaaaa name=b�[31m"
    )


def test_types_and_ids_that_are_none_are_told_apart(running: Any) -> None:
    for args in (["--types", "nope"], ["--follow", "--types", "nope"]):
        done = running.ask("ctl", "events", *args)
        assert (done.exit_code, done.stdout) == (1, "")
        assert "no event is called" in done.stderr
    assert running.ask("ctl", "events", "--since", "x").exit_code == 2


def test_following_misses_nothing_while_the_host_is_away(running: Any, follow: Any) -> None:
    tell(running, "before")
    with follow("events", "--since", "0", "--types", "client.*") as follower:
        assert follower.line()["data"]["name"] == "before"
        tell(running, "one")
        assert follower.line()["data"]["name"] == "one"

        running.stop()
        running.tell("stats.started")
        tell(running, "two")
        assert "trying again in 1 s" in follower.remark()
        running.start()  # at another port
        tell(running, "three")

        assert [follower.line()["data"]["name"] for _ in range(2)] == ["two", "three"]
        assert follower.interrupt() == 0
    assert follower.lines.empty()
    assert "--since" in list(follower.remarks.queue)[-1]
    assert "Traceback" not in "".join(follower.remarks.queue)


def test_following_says_where_something_may_be_missing(running: Any, follow: Any) -> None:
    with follow("events", "--since", "0123abcd-5") as follower:
        assert follower.line() == {"type": "gap", "reason": "restarted"}
        assert follower.interrupt() == 0


def test_nobody_reads_any_more_and_it_ends_without_a_word(running: Any, follow: Any) -> None:
    with follow("events", "--since", "0", reading=False) as follower:
        tell(running, "a")
        assert follower.process.stdout.readline()
        follower.process.stdout.close()
        tell(running, "b")
        assert follower.process.wait(LIMIT_S) == 1
    assert "Traceback" not in "".join(follower.remarks.queue)
