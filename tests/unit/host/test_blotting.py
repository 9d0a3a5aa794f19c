"""What is taken out of a bug report's text, and what stays."""

import pwd
import socket
import time
from pathlib import Path

import pytest

from punktfunk.host.blotting import Blotter

FINGERPRINT = "0123456789abcdef" * 4


@pytest.fixture
def alice(monkeypatch: pytest.MonkeyPatch) -> Blotter:
    """On the machine `alices-box`, as the user alice."""
    entry = pwd.struct_passwd(
        ("alice", "x", 1000, 1000, "Alice Smith,,,", "/home/alice", "/bin/sh")
    )
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: entry)
    monkeypatch.setattr(socket, "gethostname", lambda: "alices-box.lan")
    monkeypatch.setenv("HOME", "/home/alice")
    return Blotter()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/home/alice/games is not there", "~/games is not there"),
        ("/home/alice2 and /home/alicex", "/home/alice2 and /home/alicex"),
        ("run/alice/bus of Alice Smith", "run/(user)/bus of (user)"),
        ("alices-box.lan, ALICES-BOX", "(host), (host)"),
        ("malice aforethought", "malice aforethought"),
    ],
)
def test_home_user_and_machine_are_not_named(alice: Blotter, text: str, left: str) -> None:
    assert alice.blotted([text]) == [left]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("rikey=00112233445566778899aabbccddeeff", "rikey=***"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("pin: 1234", "pin: ***"),
        ("-----BEGIN PRIVATE KEY-----\\nMIIE and more", "*** private key ***"),
        ("to https://user:pw@hooks.example/T0/secret?x=1: 404", "to https://hooks.example/…"),
        ("a session eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9x", "a session ***"),
        ("8.8.8.8:4711, 2001:4860:4860::8888.", "(public address):4711, (public address)"),
        ("link 52:54:00:12:34:56", "link ***"),
        ("from 192.168.1.5 and fe80::1 at 21:04:05", "from 192.168.1.5 and fe80::1 at 21:04:05"),
        ("kernel 6.18.44-generic x86_64", "kernel 6.18.44-generic x86_64"),
        ("no \x1b[31m red", "no \\x1b[31m red"),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_goes_and_what_does_not_stays(text: str, left: str) -> None:
    (blotted,) = Blotter().blotted([text])
    assert blotted.startswith(left)


def test_known_secrets_go_also_from_inside_a_word_and_in_any_case() -> None:
    blotter = Blotter()
    blotter.add_secrets(["hunter2", 'a"b\n', "", "abc"])

    assert blotter.blotted(["xHunter2x", 'it is a"b\\x0a']) == ["x***x", "it is ***"]
    assert blotter.blotted(["abc"]) == ["abc"]  # blotting out every abc would leave nothing


def test_of_devices_the_beginning_stays() -> None:
    blotter = Blotter()
    blotter.add_devices(["Mary's Deck \x1b", "TV", ""], [FINGERPRINT, ""])

    told = blotter.blotted([f"Mary's Deck \x1b ({FINGERPRINT}) and TV"])

    assert told == ["Mar… (01234567…) and TV"]


def test_a_private_key_that_does_not_end_takes_no_other_line_with_it() -> None:
    lines = ["-----BEGIN PRIVATE KEY----- x", "next"]

    assert Blotter().blotted(lines) == ["*** private key ***", "next"]


def test_a_long_line_costs_no_more_than_its_length() -> None:
    for text in ("a" * 300_000, "1:" * 150_000, "1." * 150_000, "https:" * 50_000):
        began = time.process_time()
        Blotter().blotted([text])
        assert time.process_time() - began < 10


def test_a_user_without_an_entry_is_no_obstacle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.delenv("HOME")

    assert Blotter().blotted(["text"]) == ["text"]
