"""`pair` and `clients` against the real API with a host of the test's own."""

from typing import Any

import attrs
import pytest

from punktfunk.cli import pairing
from punktfunk.host.runtime import read_runtime
from punktfunk.trust.identity import load_or_make_identity


def test_the_paired_devices_are_listed_without_their_tricks(running: Any, deck: Any) -> None:
    for args in (["clients"], ["clients", "list"]):
        done = running.ask(*args)

        assert done.exit_code == 0
        assert done.stdout.startswith(deck.fingerprint)
        assert "\x1b" not in done.stdout


def test_a_device_is_unpaired_once(running: Any, deck: Any) -> None:
    first = running.ask("clients", "unpair", deck.fingerprint)
    again = running.ask("clients", "unpair", deck.fingerprint)

    assert (first.exit_code, again.exit_code) == (0, 1)
    assert again.stderr == "punktfunk: no paired client has that fingerprint\n"


def test_a_pin_goes_to_the_device_that_waits_and_the_person_sees_who_was_paired(
    running: Any, waiting: Any
) -> None:
    running.host.waiting = [waiting(3, "Deck")]

    done = running.ask("pair", "0123")

    assert (done.exit_code, done.stdout) == (0, "Paired as Deck.\n")
    assert running.host.pins == [("0123", 3)]


@pytest.mark.parametrize(
    ("reason", "said"), [("wrong_pin", "the PIN was wrong"), ("given_up", "the device gave up")]
)
def test_a_wrong_pin_is_told_from_a_right_one(
    running: Any, waiting: Any, reason: str, said: str
) -> None:
    running.host.waiting = [waiting(3, "Deck")]
    running.host.on_pin = lambda device: running.host.fail(device, reason)

    done = running.ask("pair", "0123")

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"punktfunk: {said}")


def test_what_becomes_of_another_device_is_not_taken_for_this_one(
    running: Any, waiting: Any
) -> None:
    deck, stranger = running.host.waiting = [waiting(3, "Deck"), waiting(5, "Stranger")]

    def both(device: Any) -> None:
        running.host.fail(deck, "wrong_pin")
        running.host.pair(deck)
        running.host.fail(stranger, "wrong_pin")

    running.host.on_pin = both

    done = running.ask("pair", "0123", "--id", "5")

    assert done.exit_code == 1
    assert "the PIN was wrong" in done.stderr


def test_a_device_that_says_nothing_more_is_not_waited_for_without_end(
    running: Any, waiting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairing, "OUTCOME_LIMIT_S", 0.2)
    running.host.waiting = [waiting(3, "Deck")]
    running.host.on_pin = lambda device: None

    done = running.ask("pair", "0123")

    assert done.exit_code == 1
    assert "the PIN was passed on" in done.stderr


def test_a_pin_is_passed_on_even_where_too_many_follow_the_events(
    running: Any, waiting: Any
) -> None:
    running.host.waiting = [waiting(3, "Deck")]
    followers = running.do(lambda: [running.host.events.subscribe() for _ in range(32)])

    done = running.ask("pair", "0123")

    assert done.exit_code == 1
    assert "the PIN was passed on" in done.stderr
    assert running.host.pins == [("0123", 3)]
    assert len(followers) == 32


def test_when_several_wait_they_are_named_and_none_gets_the_pin(running: Any, waiting: Any) -> None:
    running.host.waiting = [waiting(3, "Deck"), waiting(5, "Stranger")]

    without = running.ask("pair", "0123")
    chosen = running.ask("pair", "0123", "--id", "5")

    assert without.exit_code == 1
    assert "--id 3 for Deck at 192.168.1.9; --id 5 for Stranger" in without.stderr
    assert (chosen.exit_code, chosen.stdout) == (0, "Paired as Stranger.\n")
    assert running.host.pins == [("0123", 5)]


@pytest.mark.parametrize("args", [["letters"], ["1234"], ["1234", "--id", "7"]])
def test_a_pin_that_is_none_and_one_that_nobody_waits_for_are_refused(
    running: Any, args: list[str]
) -> None:
    done = running.ask("pair", *args)

    assert done.exit_code == 1
    assert done.stderr.startswith("punktfunk: ")
    assert "letters" not in done.stderr


@pytest.mark.parametrize("running", ["https"], indirect=True)
def test_somebody_else_on_that_port_never_sees_the_token(running: Any) -> None:
    found = read_runtime(running.folder)
    assert found is not None
    other = load_or_make_identity(running.folder / "other").certificate
    running.held.publish(attrs.evolve(found, tls_fingerprint=other.fingerprint))

    done = running.ask("clients")

    assert done.exit_code == 1
    assert "is not this host" in done.stderr
    assert running.host.asked == []
