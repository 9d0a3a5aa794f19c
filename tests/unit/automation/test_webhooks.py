"""Webhooks, to a real server on loopback."""

import asyncio
import hmac
import json
import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from pathlib import Path

import attrs
import pytest

from punktfunk.automation import Automation
from punktfunk.automation.targets import Resolve
from punktfunk.automation.webhooks import Webhook
from punktfunk.config.settings import Settings, WebhookSettings
from punktfunk.errors import ConfigError
from punktfunk.model.events import Event
from punktfunk.trust.identity import load_or_make_identity

SECRET = b"correct horse battery staple"
OK = b"HTTP/1.1 204 No Content\r\n\r\n"
LIMIT_S = 30


@attrs.define
class Received:
    head: str
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.split("\r\n")[1:]
        return {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


@attrs.define
class Server:
    """Answers each request with the next of its answers, the last one for ever."""

    answers: list[bytes] = attrs.field(factory=lambda: [OK])
    received: list[Received] = attrs.field(factory=list)
    sent_bytes: int = 0
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()[:-4]
            request = Received(head, b"")
            request.body = await reader.readexactly(int(request.headers["content-length"]))
            self.received.append(request)
            answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
            for start in range(0, len(answer), 4_096):
                writer.write(answer[start : start + 4_096])
                await writer.drain()
                self.sent_bytes += 4_096
            if not answer:
                await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        yield server


def resolving(*answers: str) -> Resolve:
    """A name service whose answers change; asked once more than there are, it fails the test."""
    left = list(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return [left.pop(0)]

    return resolve


def webhook(server: Server, folder: Path, *, host: str = "127.0.0.1", **more: object) -> Webhook:
    options = {name: more.pop(name) for name in ("resolve", "now_unix_s") if name in more}
    settings = WebhookSettings(
        on=("*",),
        url=more.pop("url", f"http://{host}:{server.port}/api/webhook/s3cret?a=1"),
        **{"allow_private": True, "timeout_s": 20, **more},
    )
    return Webhook("webhook[0]", settings, folder, waits_s=(0, 0, 0), **options)


def write_secret(folder: Path, secret: bytes = SECRET, mode: int = 0o600) -> str:
    (folder / "webhook.key").write_bytes(secret)
    (folder / "webhook.key").chmod(mode)
    return "webhook.key"


async def test_the_events_json_is_posted(server: Server, tmp_path: Path, paired: Event) -> None:
    await webhook(server, tmp_path).handle(paired)

    (request,) = server.received
    assert request.head.startswith("POST /api/webhook/s3cret?a=1 HTTP/1.1\r\n")
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["punktfunk-event"] == "client.paired"
    assert "punktfunk-signature" not in request.headers
    assert json.loads(request.body)["data"]["name"] == paired.data["name"]


async def test_threat_18_a_hostile_name_forges_no_header(
    server: Server, tmp_path: Path, paired: Event
) -> None:
    await webhook(server, tmp_path).handle(paired)

    (request,) = server.received
    assert len(request.headers) == len(request.head.split("\r\n")) - 1 == 6
    assert request.body.isascii()
    assert b"\n" not in request.body


async def test_the_signature_is_one_that_anybody_with_the_secret_can_check(
    server: Server, tmp_path: Path, paired: Event
) -> None:
    file = write_secret(tmp_path, SECRET + b"\n")

    signing = webhook(server, tmp_path, secret_file=file, now_unix_s=lambda: 1_700_000_000.9)
    await signing.handle(paired)

    (request,) = server.received
    timestamp = request.headers["punktfunk-timestamp"]
    signed = timestamp.encode() + b"." + request.body
    expected = "v1=" + hmac.new(SECRET, signed, sha256).hexdigest()
    assert timestamp == "1700000000"
    assert request.headers["punktfunk-signature"] == expected


@pytest.mark.parametrize(
    ("secret", "mode", "says"),
    [
        (SECRET, 0o644, "can be read or changed by others"),
        (b"short", 0o600, "needs at least 16 bytes"),
        (b"x" * 5_000, 0o600, "is too long"),
        (None, 0, "is not there"),
    ],
)
def test_a_secret_that_is_none_keeps_the_host_from_starting_and_is_not_shown(
    tmp_path: Path, secret: bytes | None, mode: int, says: str
) -> None:
    if secret is not None:
        write_secret(tmp_path, secret, mode)
    entry = WebhookSettings(on=("*",), url="http://x.example", secret_file="webhook.key")

    with pytest.raises(ConfigError, match=says) as caught:
        Automation(Settings(webhook=[entry]), tmp_path, {})
    assert "horse" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("status", [500, 503, 429, 408])
async def test_a_server_that_is_busy_is_tried_again(
    server: Server, tmp_path: Path, paired: Event, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = [b"HTTP/1.1 %d Busy\r\nContent-Length: 0\r\n\r\n" % status, OK]

    with caplog.at_level(logging.INFO):
        await webhook(server, tmp_path).handle(paired)

    assert len(server.received) == 2
    assert "webhook[0] told" in caplog.text


async def test_after_three_tries_it_is_given_up(
    server: Server, tmp_path: Path, paired: Event, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = [b"HTTP/1.1 500 No\r\n\r\n"]

    await webhook(server, tmp_path).handle(paired)

    assert len(server.received) == 3
    assert caplog.text.count("could not be told: status 500") == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_threat_22_a_redirect_is_not_followed(
    server: Server, tmp_path: Path, paired: Event, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    here = f"http://127.0.0.1:{server.port}/inside".encode()
    server.answers = [b"HTTP/1.1 %d Over there\r\nLocation: %s\r\n\r\n" % (status, here)]

    await webhook(server, tmp_path).handle(paired)

    assert len(server.received) == 1
    assert f"status {status}" in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000,
        b"",
    ],
    ids=["ssh", "endless header", "endless hesitation", "silence"],
)
async def test_an_answer_that_is_none_is_an_error_and_bounded(
    server: Server,
    tmp_path: Path,
    paired: Event,
    answer: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.answers = [answer]

    async with asyncio.timeout(LIMIT_S):
        await webhook(server, tmp_path, timeout_s=1).handle(paired)

    assert "could not be told" in caplog.text


async def test_a_body_without_end_is_not_read_to_its_end(
    server: Server, tmp_path: Path, paired: Event, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 50_000_000]

    with caplog.at_level(logging.INFO):
        await webhook(server, tmp_path).handle(paired)

    assert "webhook[0] told" in caplog.text
    assert server.sent_bytes < 50_000_000


async def test_threat_22_without_leave_nothing_is_sent_into_the_machine(
    server: Server, tmp_path: Path, paired: Event, caplog: pytest.LogCaptureFixture
) -> None:
    refusing = webhook(server, tmp_path, host="localhost", allow_private=False)

    await refusing.handle(paired)

    assert server.received == []
    assert "webhook[0] refused" in caplog.text
    assert "set allow_private" in caplog.text


async def test_threat_22_a_name_that_changes_is_looked_up_once_and_that_address_is_used(
    server: Server, tmp_path: Path, paired: Event
) -> None:
    rebinding = resolving("127.0.0.1", "169.254.169.254")

    await webhook(server, tmp_path, host="rebind.example", resolve=rebinding).handle(paired)

    (request,) = server.received
    assert request.headers["host"] == f"rebind.example:{server.port}"
    assert await rebinding("rebind.example", 80) == ["169.254.169.254"]  # nobody had asked again


async def test_paths_are_in_no_log_for_they_are_secrets(
    server: Server, tmp_path: Path, paired: Event, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = [b"HTTP/1.1 404 Gone\r\n\r\n"]

    with caplog.at_level(logging.DEBUG):
        await webhook(server, tmp_path).handle(paired)
        await webhook(server, tmp_path, url="http://127.0.0.1:1/api/s3cret").handle(paired)
        await webhook(server, tmp_path, allow_private=False).handle(paired)

    assert len(caplog.records) >= 3
    assert not any("s3cret" in f"{it.getMessage()} {vars(it)}" for it in caplog.records)


async def test_https_names_the_host_and_believes_only_its_certificate(
    tmp_path: Path, paired: Event, caplog: pytest.LogCaptureFixture
) -> None:
    identity = load_or_make_identity(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.path)
    names: list[str] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    server = Server()
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        url = f"https://tv.example:{server.port}/"
        told = webhook(server, tmp_path, url=url, resolve=resolving(*["127.0.0.1"] * 3))
        await told.handle(paired)

    assert names == ["tv.example"] * 3
    assert server.received == []
    assert "certificate verify failed" in caplog.text
