"""Attacks on a host while a real client plays: the stream, the memory and the others stay as
they are.

The numbers in the tests' names are the rows of docs/design/threats.md.
"""

import http.client
import os
import random
import re
import secrets
import stat
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import attrs
import machine
import pytest
from attacker import (
    AUDIO,
    CONTROL,
    HTTP,
    HTTPS,
    RTSP,
    STRANGER,
    VIDEO,
    Datagrams,
    RawSession,
    connect,
    crowd,
    exchange,
    https,
    management,
    plain,
    read_rtsp,
    xml_status,
)
from harness import ClientError, MoonlightClient
from host_process import PROGRAM, HostProcess, eventually
from proof import Figures, Player, assert_whole, input_events, play

from punktfunk.gamestream.enet.wire import (
    CONNECTION_CHANNEL,
    UNKNOWN_PEER,
    Command,
    Connect,
    Number,
    command_bytes,
    header_bytes,
)

pytestmark = pytest.mark.e2e

STRANGERS = [f"127.0.1.{number}" for number in range(1, 31)]
HEALTH_LIMIT_S = 1.0
MOST_GROWTH_BYTES = 32 << 20
LEAST_RATE = 0.3  # it goes on; how fast depends on who else computes here, see the figures
KEY = 0x41
CONTROL_V2 = 1
HTTPS_ROUTES = (
    "serverinfo",
    "applist",
    "appasset?appid=1",
    "launch?appid=1&mode=1280x720x60&rikey=00&rikeyid=1",
    "resume?rikey=00&rikeyid=1",
    "cancel",
    "unpair",
    "pair?phrase=pairchallenge",
    "nothing-here",
)


@attrs.frozen(kw_only=True)
class Stream:
    """What goes on while the host is attacked."""

    client: MoonlightClient
    identity: Path
    host_pid: int
    worker_pid: int


class Health:
    """Asks the management API all the time, and remembers the longest answer."""

    def __init__(self, host: HostProcess) -> None:
        self.worst_s = 0.0
        self._host = host
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Health":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def ask(self) -> None:
        began = time.monotonic()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self._host.mgmt_port, timeout=5)
            connection.request("GET", "/api/v1/health")
            assert connection.getresponse().status == 200
            connection.close()
        except (OSError, http.client.HTTPException):
            self.worst_s = float("inf")
        self.worst_s = max(self.worst_s, time.monotonic() - began)

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            self.ask()


@pytest.fixture(scope="module")
def stream(
    shared_host: HostProcess,
    identities: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stream]:
    """Alice plays the test pattern at 720p60 all the while."""
    log_path = tmp_path_factory.mktemp("hostile") / "alice.log"
    identity = identities["alice"]
    with MoonlightClient(identity, "127.0.0.1", shared_host.base_port, log_path) as client:
        shared_host.pair(client, identity)
        play(client, bitrate_kbps=8_000)
        client.wait_frames(60)
        yield Stream(
            client=client,
            identity=identity,
            host_pid=shared_host.pid,
            worker_pid=shared_host.worker_of_port(shared_host.base_port + VIDEO),
        )


@pytest.fixture
def host(shared_host: HostProcess) -> HostProcess:
    """The file's host; its session goes on from test to test."""
    return shared_host


@pytest.fixture
def unharmed(host: HostProcess, stream: Stream, figures: Figures) -> Iterator[None]:
    """Attacks in the test leave Alice's stream, the memory and the answers as they were."""
    pids = (stream.host_pid, stream.worker_pid)
    before = [machine.memory_bytes(pid) for pid in pids]
    stream.client.stats(reset=True)
    with Health(host) as health:
        yield
    health.ask()
    assert host.running, host.log_tail()
    assert machine.is_alive(stream.worker_pid), host.log_tail()
    keys = len(input_events(host))
    stream.client.key(KEY)
    eventually(lambda: len(input_events(host)) == keys + 2, 2, "a key arrives")
    stream.client.wait_frames(60)
    video = stream.client.stats(drain_s=1)["video"]
    grown = [machine.memory_bytes(pid) - was for pid, was in zip(pids, before, strict=True)]
    cards = video["cards"]
    figures(
        fps=video["fps"],
        cards=f"{cards['distinct']}/{cards['last'] - cards['first'] + 1}",
        worst_health_ms=1e3 * health.worst_s,
        host_grew_mb=grown[0] / 1e6,
        worker_grew_mb=grown[1] / 1e6,
    )
    assert health.worst_s < HEALTH_LIMIT_S, host.log_tail()
    assert max(grown) < MOST_GROWTH_BYTES
    assert_whole(video, 60, least_rate=LEAST_RATE)
    errors = re.findall(r"^\d\d:\d\d:\d\d (?:error|critical) .*", host.log_text(), re.MULTILINE)
    assert errors == []


# --- pairing -----------------------------------------------------------------------------------


def stage_one(identity: Path, unique_id: str) -> str:
    certificate = (identity / "cert.pem").read_bytes().hex()
    salt = secrets.token_hex(16)
    return (
        f"pair?uniqueid={unique_id}&devicename=x&updateState=1&phrase=getservercert"
        f"&salt={salt}&clientcert={certificate}"
    )


def test_threat_04_stages_out_of_order_do_not_disturb_a_pairing_that_waits(
    host: HostProcess,
    unharmed: None,
    player: Player,
    identities: dict[str, Path],
) -> None:
    carol = player(host, "carol", pair=False)
    waiting = carol.begin_pair("7206")
    eventually(lambda: pending(host) == 1, 10, "a device asks")
    theirs = (identities["carol"] / "unique_id").read_text()
    other_stages = (
        f"clientchallenge={secrets.token_hex(16)}",
        f"serverchallengeresp={secrets.token_hex(32)}",
        f"clientpairingsecret={secrets.token_hex(16 + 256)}",
        "phrase=getservercert",
        "phrase=getservercert&salt=00&clientcert=00",
        f"phrase=getservercert&salt={'0' * 32}&clientcert={'30' * 9_000}",
        "clientchallenge=zz",
        "clientchallenge=",
        "phrase=pairchallenge",
        "phrase=nonsense",
        "",
    )
    for unique_id in (theirs, theirs.upper(), "0123456789ABCDEF", "x" * 65):
        for stage in other_stages:
            status, text = plain(host, f"pair?uniqueid={unique_id}&{stage}")
            assert status in (400, 401), (stage, text)
            assert "<paired>0</paired>" in text
    assert plain(host, f"unpair?uniqueid={theirs}")[0] == 200  # changes nothing of others
    assert pending(host) == 1
    assert host.api("POST", "/pair/pin", {"pin": "7206"})[0] == 204
    assert waiting.result(20)["pin_matches"] is True
    host.paired.add(identities["carol"])


def test_threat_05_who_tries_again_and_again_is_slowed_down_and_nobody_else(
    host: HostProcess, unharmed: None, player: Player, identities: dict[str, Path]
) -> None:
    began = [
        plain_and_gone(host, stage_one(identities["mallory"], f"{number:016x}"))
        for number in range(40)
    ]
    assert sum("too many pairing attempts" in text for text in began) >= 25
    eventually(lambda: pending(host) == 0, 5, "what hung up is forgotten")
    again = player(host, "carol", pair=False)
    waiting = again.begin_pair("1302")
    host.enter_pin("1302")
    assert waiting.result(20)["pin_matches"] is True


def test_threat_06_a_pin_goes_to_the_device_that_was_named_when_two_wait(
    host: HostProcess,
    unharmed: None,
    player: Player,
    identities: dict[str, Path],
) -> None:
    clients = host.status()["paired_clients"]
    bob = player(host, "bob", pair=False)
    with connect(host.base_port, STRANGERS[0]) as stranger:
        target = stage_one(identities["mallory"], "0123456789ABCDEF")
        stranger.sendall(f"GET /{target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        eventually(lambda: pending(host) == 1, 5, "the stranger asks")
        waiting = bob.begin_pair("4471")
        eventually(lambda: pending(host) == 2, 10, "both ask")
        devices = {it["address"]: it["id"] for it in host.api("GET", "/pair")[1]["pending"]}
        assert set(devices) == {STRANGERS[0], "127.0.0.1"}

        assert host.api("POST", "/pair/pin", {"pin": "4471"})[0] == 409
        assert host.api("POST", "/pair/pin", {"pin": "4471", "id": 99_999})[0] == 409
        assert pending(host) == 2
        named = {"pin": "4471", "id": devices["127.0.0.1"]}
        assert host.api("POST", "/pair/pin", named)[0] == 204
        assert waiting.result(20)["pin_matches"] is True
        assert [it["address"] for it in host.api("GET", "/pair")[1]["pending"]] == [STRANGERS[0]]
    eventually(lambda: pending(host) == 0, 5, "the stranger is forgotten")
    host.paired.add(identities["bob"])
    assert host.status()["paired_clients"] == clients + 1
    assert https(host, identities["mallory"], "applist")[0] == 401


def test_threat_01_who_is_not_paired_changes_nothing_on_any_route(
    host: HostProcess, unharmed: None, stream: Stream, identities: dict[str, Path]
) -> None:
    before = host.api("GET", "/clients"), host.status()["sessions"]
    bearer = {"Authorization": f"Bearer {host.token()}"}
    for route in HTTPS_ROUTES:
        for identity in (identities["mallory"], None):
            for headers in ({}, bearer):
                status, text = https(host, identity, route, source=STRANGER, headers=headers)
                assert status == 401, (route, text)
        assert plain(host, route)[0] in (200 if route in ("serverinfo", "unpair") else 401, 404)
    assert https(host, identities["mallory"], "launch", method="POST")[0] == 400
    assert https(host, stream.identity, "applist", headers={"Origin": "https://x"})[0] == 403
    assert (host.api("GET", "/clients"), host.status()["sessions"]) == before


def test_threat_03_a_streaming_certificate_opens_nothing_of_the_management_api(
    host: HostProcess, unharmed: None, stream: Stream
) -> None:
    fingerprint = host.status()["sessions"][0]["client"]
    certificate = (stream.identity / "cert.pem").read_text()
    shown = re.sub(r"\s+", "", certificate)
    wrong = (
        {},
        {"Authorization": f"Bearer {fingerprint}"},
        {"Authorization": f"Basic {host.token()}"},
        {"Authorization": host.token()},
        {"X-Client-Cert": shown, "X-SSL-Client-Verify": "SUCCESS"},
        {"Cookie": f"token={host.token()}"},
    )
    for headers in wrong:
        for method, path in (("GET", "/clients"), ("DELETE", "/session"), ("GET", "/nothing")):
            status, text = management(
                host, method, f"/api/v1{path}", {"Host": "127.0.0.1", **headers}
            )
            assert status in (401, 429), text
            assert host.token() not in text
    assert (
        management(host, "GET", f"/api/v1/clients?token={host.token()}", {"Host": "127.0.0.1"})[0]
        == 401
    )
    assert len(host.status()["sessions"]) == 1


# --- the web -----------------------------------------------------------------------------------


def owners_headers(host: HostProcess) -> dict[str, str]:
    return {"Authorization": f"Bearer {host.token()}", "Host": f"127.0.0.1:{host.mgmt_port}"}


def test_threat_15_other_sites_pages_get_nothing_done(host: HostProcess, unharmed: None) -> None:
    ours = owners_headers(host)
    pages = (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1.evil.example:{host.mgmt_port}"},
        {"Origin": f"https://127.0.0.1:{host.mgmt_port}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    )
    for page in pages:
        for method, path in (("DELETE", "session"), ("POST", "pair/pin"), ("POST", "session/idr")):
            status, _ = management(host, method, f"/api/v1/{path}", {**ours, **page})
            assert status == 403, (page, path)
    form = {**ours, "Content-Type": "text/plain"}
    assert management(host, "POST", "/api/v1/pair/pin", form, '{"pin":"1"}')[0] == 415
    assert len(host.status()["sessions"]) == 1


def test_threat_16_the_management_api_answers_to_its_own_names_only(
    host: HostProcess, unharmed: None
) -> None:
    ours = owners_headers(host)
    for name in ("evil.example", "127.0.0.1.evil.example", "127.0.0.1@x", "[::ffff:1.2.3.4]", ""):
        assert management(host, "DELETE", "/api/v1/session", {**ours, "Host": name})[0] in (
            400,
            421,
        ), name
    assert management(host, "GET", "http://evil.example/api/v1/status", ours)[0] in (400, 421)
    assert len(host.status()["sessions"]) == 1


# --- datagrams ---------------------------------------------------------------------------------


def connect_datagram(data: int, connect_id: int) -> bytes:
    asked = Connect(
        peer_id=0,
        incoming_session=0xFF,
        outgoing_session=0xFF,
        mtu_bytes=1_400,
        window_bytes=65_536,
        channels=48,
        incoming_bandwidth=0,
        outgoing_bandwidth=0,
        throttle_interval=5_000,
        throttle_acceleration=2,
        throttle_deceleration=2,
        connect_id=connect_id,
        data=data,
    )
    fields = asked.to_fields(Number.CONNECT)
    command = Command(Number.CONNECT, CONNECTION_CHANNEL, 1, fields, wants_ack=True)
    return header_bytes(UNKNOWN_PEER, 0, 1) + command_bytes(command)


def hostile_datagrams(dice: random.Random) -> Iterator[bytes]:
    """Without end: noise, connects, and commands for peers whose number is guessed."""
    sealed = struct.pack("<HHI", 0x0001, 200, 1)
    while True:
        guessed = header_bytes(dice.choice((0, 0, 0, 1, 2, 3, 77)), dice.randrange(4), 9)
        number = dice.randrange(1 << 16)
        noise = dice.randbytes(dice.randrange(0, 400))
        fragment = (number, len(noise), 1_000_000, 0, 0xFFFF_FFFF, 0xFFFF_FFFF)
        sends = (
            Command(Number.SEND_FRAGMENT, 0, number, fragment, noise, wants_ack=True),
            Command(Number.SEND_UNRELIABLE_FRAGMENT, 0, number, fragment, noise),
            Command(Number.SEND_RELIABLE, 0, number, (len(noise),), noise, wants_ack=True),
            Command(
                Number.SEND_RELIABLE, 0, 1, (208,), sealed + dice.randbytes(200), wants_ack=True
            ),
            Command(Number.SEND_UNSEQUENCED, 0, 0, (number, len(noise)), noise),
            Command(Number.DISCONNECT, CONNECTION_CHANNEL, number, (0,), wants_ack=True),
            Command(Number.ACKNOWLEDGE, 0, number, (number, 1)),
            Command(Number.PING, CONNECTION_CHANNEL, number, wants_ack=True),
        )
        yield noise
        yield connect_datagram(dice.randrange(1 << 32), dice.randrange(1 << 32))
        yield connect_datagram(0, 1)[: dice.randrange(48)]
        for command in sends:
            whole = guessed + command_bytes(command)
            yield whole
            yield whole[: dice.randrange(2, len(whole))]
        yield guessed + command_bytes(sends[-1]) * 32


def flood(
    send: Callable[[bytes], None], datagrams: Iterator[bytes], count: int, a_second: int
) -> None:
    """So many, evenly enough that the sockets' buffers see all of them."""
    began = time.monotonic()
    for number in range(count):
        send(next(datagrams))
        ahead_s = began + number / a_second - time.monotonic()
        if ahead_s > 0.002:
            time.sleep(ahead_s)


def test_threat_09_floods_on_the_control_port_draw_nothing_and_disturb_nobody(
    host: HostProcess, unharmed: None, figures: Figures
) -> None:
    dice = random.Random(9)
    with Datagrams() as stranger, Datagrams("127.0.0.1") as neighbour:
        attackers = (stranger, neighbour)
        port = host.base_port + CONTROL
        flood(
            lambda data: dice.choice(attackers).send(port, data),
            hostile_datagrams(dice),
            count=6_000,
            a_second=3_000,
        )
        answers = stranger.collect(0.5) + neighbour.collect()
        figures(
            sent_bytes=stranger.sent_bytes + neighbour.sent_bytes,
            drawn_bytes=stranger.received_bytes + neighbour.received_bytes,
        )
        assert answers == []
        assert stranger.sent_bytes > 100_000


def test_threat_13_a_stream_goes_nowhere_but_to_the_client(
    host: HostProcess, unharmed: None, figures: Figures
) -> None:
    """Floods of pings that prove nothing, from its own address and from others."""
    dice = random.Random(13)
    with ExitStack() as stack:
        attackers = [
            stack.enter_context(Datagrams(source))
            for source in ("127.0.0.1", STRANGER, "127.9.9.9")
        ]

        def pings() -> Iterator[bytes]:
            while True:
                yield b"PING"
                yield dice.randbytes(16).hex().upper().encode()[:16] + struct.pack(">I", 1)
                yield bytes(20)
                yield dice.randbytes(dice.randrange(1_500))

        for offset in (VIDEO, AUDIO):
            flood(
                lambda data, port=host.base_port + offset: dice.choice(attackers).send(port, data),
                pings(),
                count=3_000,
                a_second=3_000,
            )
        answers = [attacker.collect(0.3) for attacker in attackers]
        figures(pinged_bytes=sum(attacker.sent_bytes for attacker in attackers))
        assert answers == [[], [], []]


def test_threat_14_secrets_heard_on_the_way_do_not_divert_a_stream_or_draw_more_than_was_sent(
    host: HostProcess, unharmed: None, player: Player, identities: dict[str, Path], figures: Figures
) -> None:
    """Plain RTSP shows the ping payload and the connect data to whoever listens."""
    bob = player(host, "bob")
    session = RawSession(host, identities["bob"])
    try:
        status, reason, _ = session.request("OPTIONS", "rtsp://x", source=STRANGER)
        assert (status, reason) == (403, "no one launch waits for this address")
        session.set_up()
        with Datagrams() as stranger, Datagrams("127.0.0.1") as client:
            ping = session.ping_payload + struct.pack(">I", 1)
            assert session.announce(CONTROL_V2)[0] == 200
            session.play()
            for _ in range(200):
                stranger.send(session.ports["video"], ping)
                stranger.send(session.ports["audio"], ping)
            assert stranger.collect(0.5) == []

            # Somebody else's address as the sender: at most what was spent comes back.
            for number in range(400):
                stranger.send(
                    session.ports["control"], connect_datagram(session.connect_data, number)
                )
            stranger.collect(1.5)
            figures(
                connect_bytes=stranger.sent_bytes - 400 * len(ping),
                drawn_bytes=stranger.received_bytes,
            )
            assert 0 < stranger.received_bytes <= 400 * len(connect_datagram(0, 0))

            client.send(session.ports["video"], ping)
            assert client.collect(1.0), "the client itself gets its stream"
            assert stranger.collect() == []
    finally:
        bob.quit()


# --- connections -------------------------------------------------------------------------------


def test_threat_10_hostile_rtsp_is_cut_off_and_others_are_served(
    host: HostProcess, unharmed: None, player: Player, identities: dict[str, Path]
) -> None:
    port = host.base_port + RTSP
    head = b"OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 1\r\n"
    endless = head + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 900) for n in range(1_150))
    assert len(endless) > 1_000_000
    refused = {
        "endless head": endless,
        "one line": b"A" * 1_000_000,
        "two requests": head + b"\r\n" + head + b"\r\n",
        "lying length": head + b"Content-length: 4294967295\r\n\r\n",
        "negative length": head + b"Content-length: -1\r\n\r\n",
        "two lengths": head + b"Content-length: 1\r\nContent-length: 2\r\n\r\n",
        "no RTSP": b"GET / HTTP/1.1\r\n\r\n",
        "sealed and huge": b"\xff\xff\xff\xff" + bytes(40),
    }
    for name, data in refused.items():
        status, _, _ = read_rtsp(exchange(port, data))
        assert status in (0, 400), name
    for method in ("OPTIONS", "DESCRIBE", "ANNOUNCE", "PLAY", "SETUP", "TEARDOWN"):
        data = f"{method} streamid=video/0/0 RTSP/1.0\r\nCSeq: 3\r\n\r\n".encode()
        assert read_rtsp(exchange(port, data))[0] == 403, method
    for length in (1, 16, 4_000):
        sealed = struct.pack(">II", 0x8000_0000 | length, 1) + secrets.token_bytes(16 + length)
        assert exchange(port, sealed) == b""

    bob = player(host, "bob")
    with crowd(port, 200, STRANGERS, head) as taken:
        assert taken >= 64
        began = time.monotonic()
        session = RawSession(host, identities["bob"])
        try:
            session.set_up()
            assert time.monotonic() - began < 2
        finally:
            bob.quit()


def test_threat_33_half_open_connections_do_not_keep_the_paired_out(
    host: HostProcess, unharmed: None, stream: Stream, figures: Figures
) -> None:
    hello = bytes.fromhex("1603010200010001fc0303") + bytes(32)
    smuggled = (
        b"GET /serverinfo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /unpair HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    requests = (
        b"GET /serverinfo HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"y" * 1_000_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://evil.example/applist HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /applist\0 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /../applist HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01" + bytes(200),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        smuggled,
        smuggled.replace(b"Content-Length: 5", b"Transfer-Encoding: identity"),
    )
    for request in requests:
        answer = exchange(host.base_port + HTTP, request)
        assert answer.count(b"HTTP/1.1 ") <= 1, "one answer at most"
        assert b'status_code="200"' not in answer or request is smuggled
    worst_s = 0.0
    for offset, first in (
        (HTTPS, b""),
        (HTTPS, hello),
        (HTTP, b""),
        (HTTP, b"GET /x HTTP/1.1\r\n"),
    ):
        with crowd(host.base_port + offset, 300, STRANGERS, first) as taken:
            assert taken >= 100
            for _ in range(2):
                began = time.monotonic()
                assert https(host, stream.identity, "serverinfo")[0] == 200
                assert https(host, stream.identity, "applist")[0] == 200
                worst_s = max(worst_s, time.monotonic() - began)
    figures(serverinfo_and_applist_ms=1e3 * worst_s)
    assert worst_s < 2


# --- sessions ----------------------------------------------------------------------------------


def test_threat_34_a_client_that_once_encrypted_its_control_stream_cannot_be_talked_down(
    host: HostProcess, unharmed: None, player: Player, identities: dict[str, Path]
) -> None:
    bob = player(host, "bob")
    play(bob, width=640, height=360, fps=30, bitrate_kbps=2_000)
    bob.wait_frames(10)
    status, reason, _ = read_rtsp(
        exchange(
            host.base_port + RTSP, b"OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 1\r\n\r\n", "127.0.0.1"
        )
    )
    assert (status, reason) == (403, "no one launch waits for this address")
    bob.stop()
    bob.quit()

    session = RawSession(host, identities["bob"])
    try:
        session.set_up()
        status, reason = session.announce(encryption=0)
        assert status == 403
        assert "control_v2" in reason
        assert session.request("PLAY", "/")[0] == 403
    finally:
        bob.quit()


def test_threat_39_one_session_more_than_allowed_is_refused_and_the_first_goes_on(
    host: HostProcess, unharmed: None, player: Player, identities: dict[str, Path]
) -> None:
    bob, carol = player(host, "bob"), player(host, "carol")
    bob.launch("Test pattern", width=640, height=360, fps=30)
    try:
        for _ in range(10):
            with pytest.raises(ClientError) as refused:
                carol.launch("Test pattern", width=640, height=360, fps=30)
            assert refused.value.code == 503
            assert "max_sessions" in refused.value.message
        assert len(host.status()["sessions"]) == 2
    finally:
        bob.quit()


# --- the machine -------------------------------------------------------------------------------


def test_threat_36_a_second_host_says_in_one_line_why_it_cannot_start(
    host: HostProcess, unharmed: None, tmp_path: Path
) -> None:
    def start(folder: Path, mgmt_port: int) -> subprocess.CompletedProcess[str]:
        words = ("serve", "--config-dir", str(folder), "--bind", "127.0.0.1")
        ports = ("--base-port", str(host.base_port), "--mgmt-bind", f"127.0.0.1:{mgmt_port}")
        return subprocess.run(
            [str(PROGRAM), *words, *ports],
            env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    runtime_file = (host.config / "runtime.json").read_bytes()
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    for ran, why in (
        (start(host.config, host.mgmt_port), f"process {host.pid}"),
        (start(other, host.mgmt_port + 50), "--base-port"),
        (start(other, host.mgmt_port), "--mgmt-bind"),
    ):
        said = [line for line in ran.stderr.splitlines() if line.startswith("punktfunk: ")]
        assert ran.returncode in (1, 2), ran.stderr
        assert ran.stdout == ""
        assert len(said) == 1, ran.stderr
        assert why in said[0]
        assert "Traceback" not in ran.stderr
    assert (host.config / "runtime.json").read_bytes() == runtime_file
    assert not (other / "runtime.json").exists()


@pytest.mark.parametrize("app", ["Test pattern", "Desktop"])
def test_threat_23_secrets_are_in_no_log_no_argument_and_no_environment(
    host: HostProcess,
    unharmed: None,
    player: Player,
    identities: dict[str, Path],
    request: pytest.FixtureRequest,
    app: str,
) -> None:
    if app == "Desktop":
        request.getfixturevalue("desktop_tools")
    bob = player(host, "bob")
    session = RawSession(host, identities["bob"], app)
    try:
        session.set_up()
        pids = [host.pid, *host.processes()]
        workers = {host.worker_of_port(session.ports["video"])}
        assert workers < set(pids)
        words = "".join(map(machine.describe, pids))
        assert ("sway" in words) is (app == "Desktop")
        scoped = scoped_token(host)
        secrets_now = [host.token(), scoped, session.key.hex(), session.ping_payload.decode()]
        secrets_now += private_key_lines(host.config)
        seen = [host.log_text(), *filter(None, map(shown_by_the_system, pids))]
        for number, secret in enumerate(secrets_now):
            assert not [text for text in seen if secret.lower() in text.lower()], number
    finally:
        bob.quit()
    for path in (path for path in host.config.rglob("*") if path.is_file()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        held = path.read_bytes()
        assert scoped.encode() not in held, path
        assert (host.token().encode() in held) is (path.name == "mgmt-token"), path
    assert "createToken" in (host.config / "audit.jsonl").read_text()
    folders = [host.config, *(path for path in host.config.rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


def scoped_token(host: HostProcess) -> str:
    """Made, used, used wrongly, where it is not allowed, and in a place where none belongs."""
    status, made = host.api("POST", "/tokens", {"scope": "read", "name": "canary"})
    assert status == 201
    token: str = made["token"]
    for method, path, sent, answered in (
        ("GET", "/api/v1/status", token, 200),
        ("DELETE", "/api/v1/session", token, 403),
        ("GET", "/api/v1/status", token + "x", 401),
        ("GET", f"/api/v1/status?token={token}", "", 401),
        ("DELETE", f"/api/v1/session?token={token}", "", 401),
    ):
        headers = {"Host": "127.0.0.1", "Authorization": f"Bearer {sent}"}
        assert management(host, method, path, headers)[0] in (answered, 429)
    return token


def private_key_lines(folder: Path) -> list[str]:
    pems = [path.read_text() for path in folder.rglob("*.pem")]
    keys = [pem for pem in pems if "PRIVATE KEY" in pem]
    assert keys
    return [line for pem in keys for line in pem.splitlines() if len(line) == 64]


def shown_by_the_system(pid: int) -> str:
    """Arguments and environment, as other programs of this user may read them."""
    found = ""
    for name in ("cmdline", "environ"):
        try:
            found += Path(f"/proc/{pid}/{name}").read_text("utf-8", "replace")
        except OSError:
            continue  # not even we may
    return found


def test_pairing_still_works_after_all_that(
    host: HostProcess, unharmed: None, player: Player, identities: dict[str, Path]
) -> None:
    fingerprint = next(
        it["fingerprint"]
        for it in host.api("GET", "/clients")[1]
        if it["fingerprint"] != host.status()["sessions"][0]["client"]
    )
    assert host.api("DELETE", f"/clients/{fingerprint}")[0] == 204
    mallory = player(host, "mallory", pair=False)
    waiting = mallory.begin_pair("2580")
    host.enter_pin("2580")
    assert waiting.result(20)["pin_matches"] is True
    assert mallory.serverinfo("https")["paired"] is True


def pending(host: HostProcess) -> int:
    return len(host.api("GET", "/pair")[1]["pending"])


def plain_and_gone(host: HostProcess, target: str) -> str:
    """Ask and hang up at once, unless the answer is there already."""
    request = f"GET /{target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    answer: Any = exchange(host.base_port, request, STRANGER, 0.05)
    if answer:
        assert xml_status(answer.partition(b"\r\n\r\n")[2].decode()) == 503
    return answer.decode()
