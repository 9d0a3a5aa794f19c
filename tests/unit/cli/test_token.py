"""`punktfunk token` without a host, on the file; and through one that runs."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import attrs
import pytest
from click.testing import CliRunner, Result

from punktfunk.cli import main
from punktfunk.config.addresses import parse_bind
from punktfunk.host.runtime import Runtime, RuntimeFile
from punktfunk.mgmt.app import create_app
from punktfunk.mgmt.audit import AUDIT_FILE, Audit
from punktfunk.mgmt.server import MgmtServer
from punktfunk.model.access import Scope
from punktfunk.trust.token import TOKEN_FILE, TokenFile, load_or_make_token
from punktfunk.trust.tokens import TOKENS_FILE, TokenStore


@attrs.frozen
class Place:
    folder: Path
    running: TokenStore | None

    def ask(self, *words: str) -> Result:
        return CliRunner().invoke(main, ["token", *words, "--config-dir", str(self.folder)])

    def store(self) -> TokenStore:
        return self.running or TokenStore(self.folder)

    def noted(self) -> list[dict[str, object]]:
        path = self.folder / AUDIT_FILE
        return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(params=["no host", "a host"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "no host":
        yield Place(tmp_path, None)
        return
    store = TokenStore(tmp_path)
    host = SimpleNamespace(tokens=store, audit=Audit(tmp_path))
    app = create_app(host, TokenFile(tmp_path).current)  # type: ignore[arg-type]
    server = MgmtServer(app, parse_bind("127.0.0.1:0"))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(30)
        with RuntimeFile(tmp_path) as held:
            held.publish(Runtime(pid=1, mgmt_url=server.url, http_port=1))
            yield Place(tmp_path, store)
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_a_token_is_printed_alone_and_works(place: Place) -> None:
    done = place.ask("create", "--scope", "control", "--name", "Home", "--expires", "30")

    assert done.exit_code == 0
    text = done.stdout.strip()
    found = place.store().match(text)
    assert found
    assert (found.scope, found.name) == (Scope.CONTROL, "Home")
    assert found.expires_at_unix == found.created_at_unix + 30 * 86_400
    assert found.id in done.stderr
    assert text not in done.stderr


def test_a_program_gets_json(place: Place) -> None:
    made = json.loads(place.ask("create", "--scope", "read", "--json").stdout)
    listed = json.loads(place.ask("list", "--json").stdout)

    assert listed == [made["info"]]
    assert place.store().match(made["token"])


def test_tokens_are_listed_without_themselves(place: Place) -> None:
    assert "no tokens" in place.ask("list").stderr
    text = place.ask("create", "--scope", "read", "--name", "Home").stdout.strip()
    place.ask("create", "--scope", "admin", "--expires", "1")

    lines = place.ask("list").stdout.splitlines()

    assert [line.split()[1] for line in lines] == ["read", "admin"]
    assert "never expires" in lines[0]
    assert lines[0].endswith("Home")
    assert "until 20" in lines[1]
    assert text not in "".join(lines)


def test_a_revoked_token_is_out(place: Place) -> None:
    text = place.ask("create", "--scope", "read").stdout.strip()
    token_id = place.store().tokens()[0].id

    first, again = (place.ask("revoke", token_id) for _ in range(2))

    assert (first.exit_code, again.exit_code) == (0, 1)
    assert again.stderr == "punktfunk: no token has that id\n"
    assert place.store().match(text) is None


def test_what_was_done_is_in_the_audit_file_whoever_did_it(place: Place) -> None:
    text = place.ask("create", "--scope", "read").stdout.strip()
    token_id = place.store().tokens()[0].id
    place.ask("revoke", token_id)

    noted = place.noted()
    assert [(it["operation"], it["path"], it["status"]) for it in noted] == [
        ("createToken", "/api/v1/tokens", 201),
        ("revokeToken", f"/api/v1/tokens/{token_id}", 204),
    ]
    assert {it["token"] for it in noted} == {"mgmt-token" if place.running else "cli"}
    assert text not in str(noted)


@pytest.mark.parametrize(
    "words",
    [
        ("create",),
        ("create", "--scope", "root"),
        ("create", "--scope", "read", "--expires", "0"),
        ("revoke", "../x"),
    ],
)
def test_misuse_changes_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = Place(tmp_path, None).ask(*words)

    assert done.exit_code == 2
    assert not (tmp_path / TOKENS_FILE).exists()


def test_threat_36_while_a_host_is_starting_the_file_is_left_alone(tmp_path: Path) -> None:
    with RuntimeFile(tmp_path):
        done = Place(tmp_path, None).ask("create", "--scope", "read")

    assert done.exit_code == 1
    assert "try again" in done.stderr
    assert not (tmp_path / TOKENS_FILE).exists()


def test_a_new_administrators_token_counts_at_once_and_is_not_printed(place: Place) -> None:
    first = load_or_make_token(place.folder)

    done = place.ask("reset")

    second = load_or_make_token(place.folder)
    assert done.exit_code == 0
    assert first != second
    assert done.stdout == f"A new token is in {place.folder / TOKEN_FILE}.\n"
    assert ("the host knows it already" in done.stderr) is (place.running is not None)
    assert second not in done.output
    assert [(it["token"], it["operation"]) for it in place.noted()] == [("cli", "resetToken")]
    assert place.ask("list").exit_code == 0


@pytest.mark.parametrize("content", ["", "garbage", None])
def test_it_helps_whatever_became_of_the_file(place: Place, content: str | None) -> None:
    path = place.folder / TOKEN_FILE
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_text(content)
        path.chmod(0o644)

    assert place.ask("reset").exit_code == 0
    assert place.ask("list").exit_code == 0


def test_a_host_that_does_not_follow_the_file_is_to_be_started_anew(
    tmp_path: Path,
) -> None:
    async def other() -> None:
        host = SimpleNamespace(tokens=TokenStore(tmp_path), audit=Audit(tmp_path))
        server = MgmtServer(create_app(host, "a" * 64), parse_bind("127.0.0.1:0"))  # type: ignore[arg-type]
        await server.start()
        with RuntimeFile(tmp_path) as held:
            held.publish(Runtime(pid=1, mgmt_url=server.url, http_port=1))
            done = await asyncio.to_thread(Place(tmp_path, None).ask, "reset")
        await server.stop()
        assert done.exit_code == 1
        assert "restart it" in done.stderr

    asyncio.run(other())
