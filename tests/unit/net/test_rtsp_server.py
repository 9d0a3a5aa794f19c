"""RTSP over real sockets on this machine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import attrs
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from punktfunk.errors import ProtocolError, Refused
from punktfunk.gamestream.rtsp import RtspRequest, RtspResponse, SealedRtsp, answer
from punktfunk.net.rtsp_server import RtspServer

OPTIONS = b"OPTIONS rtsp://127.0.0.1:48010 RTSP/1.0\r\nCSeq: 1\r\nHost: 127.0.0.1\r\n\r\n"
KEY = bytes(range(16))

Handler = Callable[[RtspRequest], Awaitable[RtspResponse]]


async def say_ok(request: RtspRequest) -> RtspResponse:
    return answer(request.cseq or 0, body=request.body)


@attrs.define(kw_only=True)
class Session:
    id: int = 1
    seal: SealedRtsp | None = None
    remote_ip: str = "127.0.0.1"
    handler: Handler = say_ok
    seen: list[RtspRequest] = attrs.field(factory=list)

    async def handle(self, request: RtspRequest) -> RtspResponse:
        self.seen.append(request)
        return await self.handler(request)


@attrs.define
class Host:
    sessions: list[Session] = attrs.field(factory=list)

    def pending_sessions(self) -> list[Session]:
        return self.sessions


@pytest.fixture
def host() -> Host:
    return Host()


@contextlib.asynccontextmanager
async def listening(host: Host, address: str = "127.0.0.1", **limits) -> AsyncIterator[RtspServer]:
    server = RtspServer(host, **limits)
    await server.start([address], port=0)
    try:
        yield server
    finally:
        await server.close()


async def connect(server: RtspServer, address: str = "127.0.0.1"):
    return await asyncio.open_connection(address, server.port)


async def exchange(server: RtspServer, *pieces: bytes, address: str = "127.0.0.1") -> bytes:
    """Send pieces one by one and read until the host closes, like the client does."""
    reader, writer = await connect(server, address)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await read_to_end(reader)
    finally:
        writer.close()


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionError:
        return b""


def seal(message: bytes, sequence: int, key: bytes = KEY) -> bytes:
    sealed = AESGCM(key).encrypt(sequence.to_bytes(4, "little") + bytes(6) + b"CR", message, None)
    head = (0x8000_0000 | len(message)).to_bytes(4, "big") + sequence.to_bytes(4, "big")
    return head + sealed[-16:] + sealed[:-16]


def unseal(frame: bytes) -> tuple[int, bytes]:
    length = int.from_bytes(frame[:4], "big") & 0x7FFF_FFFF
    sequence = int.from_bytes(frame[4:8], "big")
    assert len(frame) == 24 + length
    nonce = sequence.to_bytes(4, "little") + bytes(6) + b"HR"
    return sequence, AESGCM(KEY).decrypt(nonce, frame[24:] + frame[8:24], None)


async def test_a_plain_request_is_answered_and_the_connection_closed(host):
    host.sessions.append(Session())
    async with listening(host) as server:
        assert await exchange(server, OPTIONS) == b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"


async def test_a_request_may_come_byte_by_byte(host):
    host.sessions.append(Session())
    request = b"ANNOUNCE a RTSP/1.0\r\nCSeq: 6\r\nContent-length: 3\r\n\r\nv=0"
    async with listening(host) as server:
        response = await exchange(server, *(bytes([byte]) for byte in request))

    assert response.endswith(b"\r\n\r\nv=0")


async def test_a_sealed_request_finds_its_session_and_gets_a_sealed_answer(host):
    other = Session(id=1, seal=SealedRtsp(bytes(16)))
    ours = Session(id=2, seal=SealedRtsp(KEY))
    host.sessions += [Session(id=3), other, ours]
    async with listening(host) as server:
        first = unseal(await exchange(server, seal(OPTIONS, 1)))
        second = unseal(await exchange(server, seal(OPTIONS, 2)))

    assert first == (1, b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n")
    assert second[0] == 2
    assert len(ours.seen) == 2
    assert not other.seen


async def test_a_sealed_request_of_nobody_gets_no_answer(host):
    host.sessions += [Session(seal=SealedRtsp(KEY)), Session()]
    async with listening(host) as server:
        assert await exchange(server, seal(OPTIONS, 1, bytes(16))) == b""


async def test_a_replayed_sealed_request_does_not_reach_the_session(host):
    session = Session(seal=SealedRtsp(KEY))
    host.sessions.append(session)
    async with listening(host) as server:
        await exchange(server, seal(OPTIONS, 1))
        _, response = unseal(await exchange(server, seal(OPTIONS, 1)))

    assert response.startswith(b"RTSP/1.0 400 replayed request")
    assert len(session.seen) == 1


async def test_threat_34_plain_text_never_reaches_a_sealed_session(host):
    session = Session(seal=SealedRtsp(KEY))
    host.sessions.append(session)
    async with listening(host) as server:
        response = await exchange(server, OPTIONS)

    assert response.startswith(b"RTSP/1.0 403 ")
    assert not session.seen


@pytest.mark.parametrize("ips", [[], ["192.168.9.9"], ["127.0.0.1", "127.0.0.1"]])
async def test_plain_text_needs_exactly_one_launch_waiting_for_its_address(host, ips):
    host.sessions += [Session(id=number, remote_ip=ip) for number, ip in enumerate(ips)]
    async with listening(host) as server:
        response = await exchange(server, OPTIONS)

    assert response.startswith(b"RTSP/1.0 403 ")
    assert all(not session.seen for session in host.sessions)


async def test_two_clients_at_two_addresses_reach_their_own_sessions(host):
    first, second = Session(id=1, remote_ip="127.0.0.1"), Session(id=2, remote_ip="::1")
    host.sessions += [first, second]
    async with listening(host) as server:
        await exchange(server, OPTIONS)
    async with listening(host, "::1") as server:
        await exchange(server, OPTIONS, address="::1")

    assert len(first.seen) == len(second.seen) == 1


async def test_a_launch_over_a_mapped_address_belongs_to_the_plain_ipv4_client(host):
    session = Session(remote_ip="::ffff:127.0.0.1")
    host.sessions.append(session)
    async with listening(host) as server:
        await exchange(server, OPTIONS)

    assert session.seen


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (Refused("no such codec", status=400), b"RTSP/1.0 400 no such codec"),
        (Refused("encrypt, please", status=403), b"RTSP/1.0 403 encrypt, please"),
        (Refused("busy"), b"RTSP/1.0 400 busy"),
        (ProtocolError("nonsense"), b"RTSP/1.0 400 nonsense"),
    ],
)
async def test_a_sessions_refusal_becomes_the_status_line(host, error, line):
    async def refuse(request: RtspRequest) -> RtspResponse:
        raise error

    host.sessions.append(Session(handler=refuse))
    async with listening(host) as server:
        response = await exchange(server, OPTIONS)

    assert response == line + b"\r\nCSeq: 1\r\n\r\n"


async def test_a_session_that_fails_costs_one_500_and_no_secret(host):
    async def fail(request: RtspRequest) -> RtspResponse:
        raise KeyError("the key is 00010203")

    host.sessions.append(Session(handler=fail))
    async with listening(host) as server:
        response = await exchange(server, OPTIONS)
        host.sessions[0] = Session()
        again = await exchange(server, OPTIONS)

    assert response.startswith(b"RTSP/1.0 500 KeyError\r\n")
    assert again.startswith(b"RTSP/1.0 200")


async def test_a_session_may_take_its_time_and_does_not_hold_up_another(host):
    release = asyncio.Event()

    async def wait(request: RtspRequest) -> RtspResponse:
        await release.wait()
        return answer(6)

    slow = Session(id=1, handler=wait)
    host.sessions += [slow, Session(id=2, seal=SealedRtsp(KEY))]
    async with listening(host) as server:
        pending = asyncio.create_task(exchange(server, OPTIONS))
        _, quick = unseal(await exchange(server, seal(OPTIONS, 1)))
        assert not pending.done()
        release.set()
        response = await pending

    assert quick.startswith(b"RTSP/1.0 200")
    assert response.startswith(b"RTSP/1.0 200")


async def test_connections_that_close_without_data_do_no_harm(host):
    host.sessions.append(Session())
    async with listening(host) as server:
        for _ in range(20):
            reader, writer = await connect(server)
            writer.close()
            await writer.wait_closed()
        for _ in range(20):
            reader, writer = await connect(server)
            writer.write_eof()
            assert await read_to_end(reader) == b""
            writer.close()
        assert (await exchange(server, OPTIONS)).startswith(b"RTSP/1.0 200")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"ANNOUNCE a RTSP/1.0\r\nContent-length: -1\r\n\r\n",
        b"ANNOUNCE a RTSP/1.0\r\nContent-length: 9223372036854775808\r\n\r\n",
        OPTIONS + OPTIONS,
        b"OPTIONS / RTSP/1.0\r\n" + b"H: x\r\n" * 200 + b"\r\n",
        b"x" * 40_000,
    ],
)
async def test_threat_10_malformed_requests_get_a_400_that_arrives(host, request_bytes):
    host.sessions.append(Session())
    async with listening(host) as server:
        response = await exchange(server, request_bytes)

    assert response.startswith(b"RTSP/1.0 400 ")
    assert not host.sessions[0].seen


@pytest.mark.parametrize("sent", [b"", b"OPTIONS", b"\x80", OPTIONS[:-2]])
async def test_threat_10_a_slow_head_is_cut_off(host, sent):
    async with listening(host, head_timeout_s=0.05) as server:
        assert await exchange(server, sent) == b""


async def test_threat_10_a_slow_body_is_cut_off(host):
    head = b"ANNOUNCE a RTSP/1.0\r\nCSeq: 6\r\nContent-length: 5\r\n\r\n"
    async with listening(host, total_timeout_s=0.1) as server:
        assert await exchange(server, head, b"v") == b""


async def test_threat_10_a_client_that_drips_bytes_for_ever_is_cut_off(host):
    async with listening(host, head_timeout_s=0.1) as server:
        reader, writer = await connect(server)
        drip = asyncio.create_task(drip_headers(writer))
        assert await read_to_end(reader) == b""
        await drip
        writer.close()


async def drip_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"OPTIONS / RTSP/1.0\r\n")
    with contextlib.suppress(ConnectionError):
        for _ in range(1_000):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.005)


async def test_one_address_cannot_hold_more_than_its_share(host):
    host.sessions.append(Session())
    async with listening(host, max_per_address=2) as server:
        held = [await connect(server) for _ in range(2)]
        assert await exchange(server, OPTIONS) == b""
        reader, writer = held[0]
        writer.write(OPTIONS)
        assert (await read_to_end(reader)).startswith(b"RTSP/1.0 200")
        for _, writer in held:
            writer.close()


async def test_threat_33_idle_connections_on_all_places_keep_nobody_out(host):
    host.sessions.append(Session())
    async with listening(host, max_connections=3) as server:
        idle = []
        for number in range(6):
            source = (f"127.0.0.{60 + number % 2}", 0)
            _, writer = await asyncio.open_connection("127.0.0.1", server.port, local_addr=source)
            writer.write(b"OPTIONS")
            idle.append(writer)
        assert (await exchange(server, OPTIONS)).startswith(b"RTSP/1.0 200")
        for writer in idle:
            writer.transport.abort()


async def test_closed_connections_give_their_place_back(host):
    host.sessions.append(Session())
    async with listening(host, max_connections=1, max_per_address=1) as server:
        for _ in range(5):
            # The client is done when the host has closed; its place is free a moment later.
            async with asyncio.timeout(5):
                while not (await exchange(server, OPTIONS)).startswith(b"RTSP/1.0 200"):
                    await asyncio.sleep(0)


async def test_closing_drops_what_is_open_and_may_be_done_twice(host):
    server = RtspServer(host)
    await server.start(["127.0.0.1"], port=0)
    reader, writer = await connect(server)
    writer.write(b"OPTIONS")
    await writer.drain()

    await server.close()
    await server.close()

    assert await read_to_end(reader) == b""
    writer.close()
    with pytest.raises(RuntimeError):
        _ = server.port
