"""`punktfunk ctl` against the real API: exit codes, what goes where, and hosts elsewhere."""

import json
import shlex
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from PIL import Image

from punktfunk.cli import main
from punktfunk.mgmt.contract import read_contract
from punktfunk.model.access import Scope
from punktfunk.model.clients import NativeClient

REFUSED, MISUSE, UNREACHABLE, NOT_ALLOWED, NOT_FOUND = 1, 2, 3, 4, 5
NOT_FOR_PEOPLE = {
    "createConsoleLink": "`punktfunk console` takes it",
    "getMetrics": "monitoring systems read it",
    "streamLogs": "a page follows it",
    "streamStats": "a page draws it",
}
"""Operations without a verb."""

http_only = pytest.mark.parametrize("running", ["http"], indirect=True)
https_only = pytest.mark.parametrize("running", ["https"], indirect=True)


def verbs(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from verbs(command, (*words, name))
        else:
            yield (*words, name)


ALL_VERBS = set(verbs(main.commands["ctl"]))


# --- every verb ------------------------------------------------------------------------------


@http_only
def test_every_operation_has_a_verb_and_no_verb_fails_without_words(
    running: Any, waiting: Any, session: Any, tmp_path: Path
) -> None:
    host, fingerprint = running.host, "ab" * 32
    host.waiting = [waiting(3, "Deck")]
    host.views = [session(1)]
    Image.new("RGB", (60, 90)).save(tmp_path / "cover.png")
    phone = NativeClient(fingerprint=fingerprint, name="Phone", paired_at_unix=1)
    running.do(host.native.store.add, phone)
    made = running.ask("ctl", "library", "add", "Tux", "--json")
    game = json.loads(made.stdout)["id"]
    lines = f"""
        status
        health
        host
        compositors
        sessions list
        sessions idr
        sessions stop 1
        pair status
        pair enter 1234
        clients list
        clients rename {host.paired[0].fingerprint[:8]} Penguin
        clients unpair {host.paired[0].fingerprint}
        native status
        native arm
        native disarm
        native clients
        native rename {fingerprint[:8]} Penguin
        native unpair {fingerprint}
        native pending
        native approve 1
        native deny 1
        library list
        library stores
        library refresh
        library add Tux
        library edit {game} --title Penguin
        sessions drop 1
        library art custom:{game} portrait --output {tmp_path / "art"}
        library picture {game} portrait {tmp_path / "cover.png"}
        library picture {game} portrait --remove
        library hide custom:{game}
        library unhide custom:{game}
        library remove {game}
        stats status
        stats start
        stats live
        stats stop
        stats recordings
        stats show a
        stats delete a
        events
        plugins
        plugins --again
        sessions idr 1
        config get
        config set stream.max_fps 60
        config unset stream.max_fps
        config explain
        config override --app steam:570 max_fps=60 codecs=h264,hevc
        config reload
        logs
        doctor
        undo list
        undo run
        undo forget a
        tokens list
        tokens create --scope read
        tokens revoke a
        tokens log-out
    """
    asked = [shlex.split(line) for line in lines.strip().splitlines()]

    for words in asked:
        done = running.ask("ctl", *words)
        assert done.exit_code in (0, REFUSED, NOT_FOUND), (words, done.output)
        assert done.exception is None or isinstance(done.exception, SystemExit), words
        assert all(letter.isprintable() or letter == "\n" for letter in done.output), words
        if done.exit_code:
            assert words[0] == "doctor" or done.stderr.startswith("punktfunk: "), words

    assert {tuple(words[: len(verb)]) for words in asked for verb in ALL_VERBS} >= ALL_VERBS
    operations = set(read_contract().operations)
    assert operations - set(host.asked) == set(NOT_FOR_PEOPLE)


@http_only
@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["sessions"], "getStatus"),
        (["pair"], "getPairingStatus"),
        (["clients"], "listPairedClients"),
        (["native", "--json"], "getNativePairing"),
        (["library"], "getLibrary"),
        (["stats"], "statsCaptureStatus"),
        (["config"], "getConfig"),
        (["undo"], "listEffects"),
        (["tokens"], "listTokens"),
    ],
)
def test_a_noun_alone_shows(running: Any, words: list[str], meant: str) -> None:
    done = running.ask("ctl", *words)

    assert done.exit_code == 0
    assert running.host.asked == [meant]


def test_tables_have_the_names_but_not_their_tricks(running: Any, session: Any) -> None:
    running.host.views = [session(7)]

    people = running.ask("ctl", "sessions")
    program = running.ask("ctl", "clients", "--json")

    assert people.stdout.splitlines()[1].startswith("7   Desktop  Deck �[31m�  owner  1280x720@60")
    assert program.stdout.isascii()
    assert json.loads(program.stdout)[0]["name"] == running.host.paired[0].name


def test_what_was_done_is_a_remark_and_no_data(running: Any) -> None:
    done = running.ask("ctl", "sessions", "stop")

    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "punktfunk: all sessions are stopped\n"


@http_only
def test_a_pin_is_entered_with_a_word_less(running: Any, waiting: Any) -> None:
    running.host.waiting = [waiting(3, "Deck")]

    done = running.ask("ctl", "pair", "1234", "--json")

    assert (done.exit_code, json.loads(done.stdout)) == (0, {"paired": "Deck"})


@http_only
def test_the_first_digits_of_a_fingerprint_will_do_unless_they_are_anothers_too(
    running: Any,
) -> None:
    for number in (1, 2):
        client = NativeClient(fingerprint=f"abcdef{number}" + "0" * 57, name="", paired_at_unix=1)
        running.do(running.host.native.store.add, client)

    several = running.ask("ctl", "native", "unpair", "ABCDEF")
    one = running.ask("ctl", "native", "unpair", "ABCDEF1")
    none = running.ask("ctl", "native", "unpair", "abcdef1")
    short = running.ask("ctl", "native", "unpair", "abc")

    codes = [it.exit_code for it in (several, one, none, short)]
    assert codes == [REFUSED, 0, NOT_FOUND, MISUSE]
    left = running.host.native.store.clients()
    assert [it.fingerprint[:7] for it in left] == ["abcdef2"]


@http_only
def test_an_edit_keeps_what_it_does_not_name(running: Any) -> None:
    words = ["--launch", "command", "tux -f", "--hero", "https://a.b/h", "--logo", "https://a.b/l"]
    made = running.ask("ctl", "library", "add", "Tux", *words, "--json")
    number = json.loads(made.stdout)["id"]

    changed = running.ask("ctl", "library", "edit", f"custom:{number}", "--logo", "")
    other = running.ask("ctl", "library", "edit", "custom:nope", "--title", "x")

    (game,) = running.host.library.games()
    assert (changed.exit_code, other.exit_code) == (0, NOT_FOUND)
    assert (game.title, game.target.value) == ("Tux", "tux -f")
    assert (game.art.hero, game.art.logo) == ("https://a.b/h", None)


@http_only
def test_settings_are_written_as_what_they_are(running: Any) -> None:
    for key, text in (
        ("host.name", "12"),
        ("host.mdns", "off"),
        ("stream.max_fps", "60"),
        ("stream.codecs", "h264,hevc"),
        ("hook", '[{"on": ["*"], "command": ["true"]}]'),
    ):
        done = running.ask("ctl", "config", "set", key, text)
        assert done.exit_code == 0, done.output

    shown = running.ask("ctl", "config", "get", "stream.codecs")
    wrong = running.ask("ctl", "config", "set", "stream.max_fps", "many")
    unknown = running.ask("ctl", "config", "get", "stream.nope")

    text = (running.folder / "config.toml").read_text()
    assert 'name = "12"' in text
    assert "mdns = false" in text
    assert "max_fps = 60" in text
    assert 'value    ["h264", "hevc"]' in shown.stdout
    assert (wrong.exit_code, unknown.exit_code) == (REFUSED, NOT_FOUND)


@http_only
def test_hooks_and_plugins_settings_are_shown_by_how_their_keys_begin(running: Any) -> None:
    folders = "plugin.roms.folders"
    for key, text in (
        ("hook", '[{"on": ["*"], "command": ["true"]}]'),
        (folders, '["~/ROMs"]'),
        (folders, "~/ROMs, /mnt/games"),
        ("plugin.roms.api_token", "abc"),
    ):
        done = running.ask("ctl", "config", "set", key, text)
        assert done.exit_code == 0, done.output

    every = running.ask("ctl", "config", "get").stdout
    hook = running.ask("ctl", "config", "get", "hook").stdout
    roms = running.ask("ctl", "config", "get", "plugin.roms").stdout
    one = running.ask("ctl", "config", "get", folders).stdout
    unset = running.ask("ctl", "config", "get", "plugin.steam")

    assert "hook[0].command" in every and folders in every
    assert "hook[0].command" in hook and "stream" not in hook
    assert '["~/ROMs", "/mnt/games"]' in roms and "***" in roms and "after a new start" in roms
    assert 'value    ["~/ROMs", "/mnt/games"]' in one
    assert (unset.exit_code, "plugin.steam is not set" in unset.stderr) == (NOT_FOUND, True)


# --- exit codes ------------------------------------------------------------------------------


def test_the_exit_status_says_what_kind_of_no_it_was(running: Any) -> None:
    weak, _ = running.host.tokens.create(Scope.READ, "weak", None)
    codes = {
        words: running.ask("ctl", *words.split(), PUNKTFUNK_MGMT_TOKEN=token).exit_code
        for words, token in (
            ("status", weak),
            ("sessions idr", ""),
            ("sessions stop many", ""),
            ("sessions stop", weak),
            ("clients", "0" * 64),
            ("tokens revoke nope", ""),
            ("config set", ""),
        )
    }

    assert codes == {
        "status": 0,
        "sessions idr": REFUSED,
        "sessions stop many": MISUSE,
        "sessions stop": NOT_ALLOWED,
        "clients": NOT_ALLOWED,
        "tokens revoke nope": NOT_FOUND,
        "config set": MISUSE,
    }


def test_without_a_host_nobody_answers(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["ctl", "status", "--config-dir", str(tmp_path)])

    assert (done.exit_code, done.stdout) == (UNREACHABLE, "")
    assert done.stderr.startswith("punktfunk: no host runs with")
    assert list(tmp_path.iterdir()) == []


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Something that says the same to everybody."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65_536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    "body", [b"<html>", b"[[[", b"17", b"[1]", b'{"sessions": 5}', b"[" * 99_999, b'[{"id":{}}]']
)
def test_an_answer_that_is_no_hosts_is_one_line(body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    with answering(head + body) as url:
        for words in (
            *(verb for verb in ALL_VERBS if len(verb) == 1),
            ("sessions", "stop", "1"),
            ("library", "edit", "a"),
            ("pair", "enter", "1"),
            ("clients", "unpair", "abcdef"),
            ("stats", "live"),
            ("tokens", "create", "--scope", "read"),
        ):
            done = CliRunner().invoke(main, ["ctl", "--url", url, *words])

            assert done.exit_code == UNREACHABLE, (words, done.output, done.exception)
            assert len(done.stderr.splitlines()) == 1, words


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/", REFUSED),
        (b"HTTP/1.1 502 \x1b[31m", REFUSED),
        (b"SSH-2.0-OpenSSH_9", UNREACHABLE),
        (b"", UNREACHABLE),
    ],
)
def test_an_answer_that_is_none_is_one_line(head: bytes, code: int) -> None:
    with answering(head + b"\r\n\r\n" if head else b"") as url:
        done = CliRunner().invoke(main, ["ctl", "--url", url, "status"])

    assert (done.exit_code, done.stdout) == (code, "")
    assert len(done.stderr.splitlines()) == 1
    assert "\x1b" not in done.stderr


# --- hosts elsewhere -------------------------------------------------------------------------


@http_only
def test_a_host_elsewhere_gets_the_token_of_a_file_or_of_the_environment(
    running: Any, tmp_path: Path
) -> None:
    weak, _ = running.host.tokens.create(Scope.READ, "weak", None)
    bare, line = tmp_path / "bare", tmp_path / "line"
    for path, text in ((bare, f"{weak}\n"), (line, f"PUNKTFUNK_MGMT_TOKEN={weak}\n")):
        path.touch(mode=0o600)
        path.write_text(text)

    own = str(running.folder / "mgmt-token")
    codes = [
        running.ask_url("status").exit_code,
        running.ask_url("health").exit_code,
        running.ask_url("status", "--token-file", str(bare)).exit_code,
        running.ask_url("status", "--token-file", str(line)).exit_code,
        running.ask_url("tokens", "--token-file", own).exit_code,
        running.ask_url("tokens", PUNKTFUNK_MGMT_TOKEN=weak).exit_code,
        running.ask_url("status", PUNKTFUNK_MGMT_TOKEN=weak).exit_code,
    ]

    assert codes == [NOT_ALLOWED, 0, 0, 0, 0, NOT_ALLOWED, 0]


@http_only
def test_the_token_of_the_host_here_is_not_sent_elsewhere(running: Any) -> None:
    done = running.ask("ctl", "status", "--url", running.url)

    assert done.exit_code == NOT_ALLOWED


@https_only
def test_a_certificate_nobody_signed_has_to_be_named(running: Any) -> None:
    token, shown = running.token, running.server.tls_fingerprint
    colons = ":".join(shown[i : i + 2] for i in range(0, 64, 2)).upper()
    other = sha256(b"another").hexdigest()

    unknown = running.ask_url("status", PUNKTFUNK_MGMT_TOKEN=token)
    named = [
        running.ask_url("status", "--tls-fingerprint", it, PUNKTFUNK_MGMT_TOKEN=token).exit_code
        for it in (shown, colons, other)
    ]

    assert unknown.exit_code == UNREACHABLE
    assert "--tls-fingerprint" in unknown.stderr
    assert named == [0, 0, UNREACHABLE]
    assert running.host.asked == ["getStatus"] * 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--url", "http://192.0.2.1:47990"], "needs https"),
        (["--url", "http://localhost.example.org:1"], "needs https"),
        (["--url", "ftp://127.0.0.1"], "like https://"),
        (["--url", "127.0.0.1:47990"], "like https://"),
        (["--url", "https://[::1"], "no address"),
        (["--url", "https://h:99999"], "no address"),
        (["--url", "https://h\x1b[31m:0"], ""),
        (["--url", "https://me:pw@h:1"], "tokens do not belong there"),
        (["--url", "https://h:1?token=x"], "tokens do not belong there"),
        (["--url", "https://h:1", "--tls-fingerprint", "ab"], "64 hexadecimal digits"),
        (
            ["--url", "http://127.0.0.1:1", "--tls-fingerprint", "ab" * 32],
            "needs a --url with https",
        ),
        (["--tls-fingerprint", "ab" * 32], "needs a --url"),
        (["--url", "https://h:1", "--token-file", "/nowhere/token"], "/nowhere/token is not there"),
        (["--token", "abc"], "--token"),
    ],
)
def test_an_address_or_token_that_makes_no_sense_is_misuse(words: list[str], said: str) -> None:
    done = CliRunner().invoke(main, ["ctl", "status", *words])

    assert (done.exit_code, done.stdout) == (MISUSE, "")
    assert said in done.stderr


def test_a_token_file_that_others_can_read_or_that_holds_something_else_is_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "token"
    path.touch(mode=0o600)
    path.write_text("two words\n")
    words = ["ctl", "status", "--url", "http://127.0.0.1:1", "--token-file", str(path)]

    empty = CliRunner().invoke(main, words)
    path.write_text("abc\n")
    path.chmod(0o644)
    open_ = CliRunner().invoke(main, words)

    assert (empty.exit_code, open_.exit_code) == (MISUSE, MISUSE)
    assert "holds no token" in empty.stderr
    assert "two words" not in empty.stderr
    assert "can be read or changed by others" in open_.stderr
