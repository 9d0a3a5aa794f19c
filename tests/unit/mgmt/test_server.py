"""The app on real sockets."""

import asyncio
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import attrs
import pytest

from punktfunk.config.addresses import parse_bind
from punktfunk.config.settings import MgmtSettings
from punktfunk.errors import ConfigError
from punktfunk.mgmt.audit import AUDIT_FILE
from punktfunk.mgmt.server import MgmtServer
from punktfunk.mgmt.tls import server_tls
from punktfunk.trust.identity import load_or_make_identity
from punktfunk.trust.token import TOKEN_FILE, load_or_make_token

TOKEN = "0123456789abcdef" * 4
STATUS = b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n"
AUTH = b"Authorization: Bearer " + TOKEN.encode() + b"\r\n"


@pytest.fixture
async def server(api: Any) -> AsyncIterator[MgmtServer]:
    server = MgmtServer(api.app, parse_bind("127.0.0.1:0"))
    await server.start()
    yield server
    await server.stop()


async def talk(server: MgmtServer, request: bytes, context: Any = None) -> tuple[int, Any]:
    """Send one request as it stands; return status and JSON."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context)
    async with asyncio.timeout(10):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length")
            ),
            0,
        )
        body = await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()
    assert b"hypercorn" not in head.lower()
    return int(head.split()[1]), json.loads(body) if body else None


async def test_any_free_port_will_do(server: MgmtServer) -> None:
    status, plain = await talk(server, STATUS + AUTH + b"\r\n")

    assert server.url == f"http://127.0.0.1:{server.port}"
    assert (status, plain["paired_clients"]) == (200, 2)


async def test_an_answer_is_not_held_back_until_the_reader_acknowledges(
    server: MgmtServer,
) -> None:
    """It goes out in two writes, and with Nagle's delay the second waits for 40 ms."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(STATUS + AUTH + b"\r\n")
    await reader.readuntil(b"\r\n\r\n")

    (connection,) = server._listener.connections

    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    writer.close()
    await writer.wait_closed()


async def test_the_audit_file_says_where_a_change_came_from(api: Any, server: MgmtServer) -> None:
    await talk(server, b"DELETE /api/v1/session HTTP/1.1\r\nHost: localhost\r\n" + AUTH + b"\r\n")

    noted = json.loads((api.host.folder / AUDIT_FILE).read_text())
    assert (noted["operation"], noted["address"]) == ("stopSession", "127.0.0.1")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can ask as another user")
async def test_threat_25_another_user_of_this_machine_gets_no_further_than_a_stranger(
    server: MgmtServer, tmp_path: Path
) -> None:
    load_or_make_token(tmp_path)
    asking = (
        "import encodings.idna, http.client, os, sys\n"  # who we become may not read them
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "connection = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=30)\n"
        "connection.request('GET', '/api/v1/status')\n"
        "print(connection.getresponse().status)\n"
        "try:\n"
        "    open(sys.argv[2])\n"
        "except PermissionError:\n"
        "    print('closed')\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", asking, str(server.port), str(tmp_path / TOKEN_FILE)),
        stdout=asyncio.subprocess.PIPE,
    )

    told, _ = await process.communicate()

    assert told.split() == [b"401", b"closed"]


async def test_an_answer_without_a_body_has_neither_type_nor_length(server: MgmtServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"DELETE /api/v1/session HTTP/1.1\r\nHost: localhost\r\n" + AUTH + b"\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()

    assert head.startswith(b"HTTP/1.1 204")
    assert b"\r\ncontent-type" not in head.lower()
    assert b"\r\ncontent-length" not in head.lower()


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (STATUS, 401),
        (b"GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\n" + AUTH, 421),
        (b"GET /api/v1/status HTTP/1.1\r\nHost: \xff\xfe\r\n" + AUTH, 421),
        (b"GET /api/v1/status HTTP/1.1\r\nHost: [::1\r\n" + AUTH, 421),
        (b"GET /api/v1/status HTTP/1.1\r\nHost: a b\r\n" + AUTH, 421),
        (b"GET /api/v1/status HTTP/1.1\r\nHost: \r\n" + AUTH, 421),
        (b"GET /api/v1/status HTTP/1.1\r\nHost: " + b"a" * 300 + b"\r\n" + AUTH, 421),
        (b"GET /api/v1/status HTTP/1.0\r\n" + AUTH, 421),
        (b"GET http://evil.example/api/v1/status HTTP/1.1\r\nHost: localhost\r\n" + AUTH, 400),
        (b"GET http://[/ HTTP/1.1\r\nHost: localhost\r\n" + AUTH, 400),
        (b"GET * HTTP/1.1\r\nHost: localhost\r\n" + AUTH, 400),
        (b"GET //evil.example/api/v1/status HTTP/1.1\r\nHost: localhost\r\n" + AUTH, 404),
        (b"GET /api/v1/%2e%2e/v1/status HTTP/1.1\r\nHost: localhost\r\n" + AUTH, 404),
        (b"GET /api/v1/clients/%00 HTTP/1.1\r\nHost: localhost\r\n" + AUTH, 405),
        (b"BREW /api/v1/status HTTP/1.1\r\nHost: localhost\r\n" + AUTH, 405),
        (STATUS + b"Remote-Addr: 10.0.0.1\r\n" + AUTH, 200),
    ],
)
async def test_odd_requests_are_answered_in_the_envelope(
    server: MgmtServer, request_head: bytes, status: int, caplog: Any
) -> None:
    answered, plain = await talk(server, request_head + b"\r\n")

    assert answered == status
    assert status == 200 or list(plain) == ["error"]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_websocket_is_not_opened(server: MgmtServer) -> None:
    head = (
        b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )

    status, _ = await talk(server, head + AUTH + b"\r\n")

    assert status == 403


async def test_it_stops_at_once_whatever_hangs(server: MgmtServer) -> None:
    idle = await asyncio.open_connection("127.0.0.1", server.port)
    hanging = await asyncio.open_connection("127.0.0.1", server.port)
    hanging[1].write(
        b"POST /api/v1/pair/pin HTTP/1.1\r\nHost: localhost\r\n"
        + AUTH
        + b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    )
    await hanging[1].drain()
    assert (await talk(server, STATUS + AUTH + b"\r\n"))[0] == 200

    before_s = time.monotonic()
    await server.stop()

    assert time.monotonic() - before_s < 2
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", server.port)
    for _, writer in (idle, hanging):
        writer.close()


async def test_a_taken_port_is_said_in_one_line(api: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = MgmtServer(api.app, parse_bind(f"127.0.0.1:{port}"))

        with pytest.raises(ConfigError, match="another program uses this port"):
            await server.start()
        await server.stop()


async def test_an_address_of_another_machine_is_said_in_one_line(api: Any, tmp_path: Path) -> None:
    tls = server_tls(MgmtSettings(tls_own=True), load_or_make_identity(tmp_path).path, tmp_path)

    with pytest.raises(ConfigError, match="does not have that address"):
        await MgmtServer(api.app, parse_bind("192.0.2.1:0"), tls).start()


def test_nothing_but_loopback_goes_without_https(api: Any, tmp_path: Path) -> None:
    for bind in ("0.0.0.0:47990", "[::]:47990", "192.168.1.2:47990", "[fd00::1]:47990"):
        with pytest.raises(ConfigError, match=r"mgmt\.tls_own"):
            server_tls(MgmtSettings(bind=bind), tmp_path / "none", tmp_path)
    with pytest.raises(ConfigError, match="HTTPS"):
        MgmtServer(api.app, parse_bind("[::]:0"))


def test_a_host_that_would_be_open_to_the_network_without_https_does_not_start(
    tmp_path: Path,
) -> None:
    words = ("serve", "--bind", "127.0.0.1", "--mgmt-bind", "0.0.0.0:0")
    ran = subprocess.run(
        [sys.executable, "-m", "punktfunk.cli", *words, "--config-dir", str(tmp_path)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "mgmt.tls_own" in ran.stderr.splitlines()[-1]
    assert "Traceback" not in ran.stderr


async def test_https_with_the_hosts_own_certificate(api: Any, tmp_path: Path) -> None:
    identity = load_or_make_identity(tmp_path)
    tls = server_tls(MgmtSettings(tls_own=True), identity.path, tmp_path)
    server = MgmtServer(api.app, parse_bind("127.0.0.1:0"), tls)
    await server.start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        status, plain = await talk(server, STATUS + AUTH + b"\r\n", context)
    finally:
        await server.stop()

    assert (status, plain["paired_clients"]) == (200, 2)
    assert server.url.startswith("https://127.0.0.1:")
    assert server.tls_fingerprint == sha256(identity.certificate.der).hexdigest()


async def test_threat_03_a_paired_streaming_certificate_opens_no_operation(
    api: Any, tmp_path: Path
) -> None:
    """Not even the host's own, and not on any route."""
    identity = load_or_make_identity(tmp_path)
    tls = server_tls(MgmtSettings(tls_own=True), identity.path, tmp_path)
    server = MgmtServer(api.app, parse_bind("127.0.0.1:0"), tls)
    client = attrs.evolve(
        next(iter(api.host.paired.values())),
        fingerprint=identity.certificate.fingerprint,
        certificate_der=identity.certificate.der,
    )
    api.host.paired[client.fingerprint] = client
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(identity.path)
    before = api.state()
    await server.start()
    try:
        for operation in api.contract.operations.values():
            path = re.sub(r"{\w+}", client.fingerprint, operation.path)
            asked = f"{operation.method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
            status, _ = await talk(server, asked.encode(), context)
            assert status == (200 if operation.scope is None else 401), operation.id
    finally:
        await server.stop()

    assert api.state() == before


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"tls_cert": "a.pem"}, "give both or neither"),
        ({"tls_cert": "a.pem", "tls_key": "b.pem"}, "No such file"),
        ({"tls_cert": "junk.pem", "tls_key": "junk.pem"}, "no HTTPS with"),
    ],
)
def test_unusable_files_are_named(tmp_path: Path, settings: dict[str, str], says: str) -> None:
    (tmp_path / "junk.pem").write_text("junk")

    with pytest.raises(ConfigError, match=says) as caught:
        server_tls(MgmtSettings(**settings), tmp_path / "identity.pem", tmp_path)
    assert "\n" not in str(caught.value)
