"""nvhttp over real sockets on loopback."""

import asyncio
import contextlib
import ssl
import time
from xml.etree import ElementTree

import attrs
import pytest

from punktfunk.errors import DriverUnavailable, Refused
from punktfunk.gamestream import nvhttp
from punktfunk.gamestream.certificates import der_from_pem, read_certificate
from punktfunk.model.apps import App
from punktfunk.model.clients import PairedClient
from punktfunk.model.video import Codec
from punktfunk.net.nvhttp_server import Limits, NvHttpServer, plain_address
from punktfunk.trust.identity import load_or_make_identity
from punktfunk.trust.pairing import PairingService
from punktfunk.trust.store import ClientStore

LAUNCH = "/launch?appid=2&mode=1280x720x60&rikey=" + "ab" * 16 + "&rikeyid=-5&corever=1"
RESUME = "/resume?appid=2&mode=1280x720x60&rikey=" + "ab" * 16 + "&rikeyid=-5&corever=1"
PAIRED_ONLY = ["/applist", "/appasset?appid=2&AssetType=2&AssetIdx=0", LAUNCH, RESUME, "/cancel"]
OVER_TLS_PAIRED_ONLY = [*PAIRED_ONLY, "/serverinfo", "/unpair", "/pair?phrase=pairchallenge", "/no"]


class FakeHost:
    """An honest host with one app and a list of what was asked of it."""

    def __init__(self) -> None:
        self.calls: list[tuple] = []
        self.running = 0
        self.failure: Exception | None = None
        self.before_launch_returns = lambda: None

    def server_info(self, client, local_address, tls):
        return nvhttp.ServerInfo(
            hostname="testhost",
            unique_id="11111111-2222-3333-4444-555555555555",
            https_port=47984,
            http_port=47989,
            local_address=local_address,
            mac="aa:bb:cc:dd:ee:ff",
            codecs=frozenset({Codec.H264}),
            current_game=self.running,
        )

    def apps(self):
        return [App(library_id="desktop:desktop", title="Desktop")]

    async def app_asset(self, moonlight_id):
        self.calls.append(("app_asset", moonlight_id))
        return b"\x89PNG of seven" if moonlight_id == 7 else None

    async def launch(self, client, request, remote_address, local_address):
        if self.failure:
            raise self.failure
        self.calls.append(("launch", client.fingerprint, request.app_id, remote_address))
        self.running = request.app_id
        self.before_launch_returns()
        return request.session_url(local_address, 48010)

    async def resume(self, client, request, remote_address, local_address):
        self.calls.append(("resume", client.fingerprint, request.app_id, remote_address))
        return request.session_url(local_address, 48010)

    async def cancel(self, client):
        self.calls.append(("cancel", client.fingerprint))
        self.running = 0


@attrs.define(kw_only=True)
class Answer:
    head: str
    body: bytes

    @property
    def root(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.body)

    @property
    def status(self) -> str | None:
        return self.root.get("status_code")


@attrs.define(kw_only=True)
class Running:
    """A server, all that belongs to it, and a client to talk to it with."""

    server: NvHttpServer
    host: FakeHost
    store: ClientStore
    pairing: PairingService
    identity: object
    folder: object

    def trust(self, client) -> None:
        facts = read_certificate(client.certificate_der)
        self.store.add(
            PairedClient(
                fingerprint=facts.fingerprint,
                name="Moonlight",
                certificate_der=client.certificate_der,
                paired_at_unix=0,
                subject=facts.subject,
                not_before_unix=facts.not_before_unix,
                not_after_unix=facts.not_after_unix,
            )
        )

    async def connect(self, client=None, *, tls=True, source="127.0.0.1", version=None):
        if not tls:
            return await asyncio.open_connection(
                "127.0.0.1", self.server.http_port, local_addr=(source, 0)
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if version:
            context.minimum_version = context.maximum_version = version
        if client:
            pem = self.folder / f"{client.fingerprint}.pem"
            pem.write_bytes(client.key_pem + client.certificate_pem)
            context.load_cert_chain(pem)
        return await asyncio.open_connection(
            "127.0.0.1", self.server.https_port, ssl=context, local_addr=(source, 0)
        )

    async def get(self, target, client=None, *, tls=True, headers="", method="GET", **how):
        async with asyncio.timeout(20):
            reader, writer = await self.connect(client, tls=tls, **how)
            writer.write(f"{method} {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
            return await answer_from(reader, writer)

    async def pair_stage(self, pairing, parameters, *, source="127.0.0.1"):
        target = f"/pair?uniqueid=0123456789ABCDEF&uuid=1&devicename=roth&{parameters}"
        return await self.get(target, tls=False, source=source)

    async def begin_pairing(self, pairing, *, source="127.0.0.1"):
        """Stage 1, as a task that has reached the point where a person is asked."""
        before = len(self.pairing.pending())
        task = asyncio.ensure_future(
            self.pair_stage(
                pairing,
                f"phrase=getservercert&salt={pairing.salt.hex()}"
                f"&clientcert={pairing.client.certificate_pem.hex()}",
                source=source,
            )
        )
        await until(lambda: len(self.pairing.pending()) > before or task.done())
        return task

    async def finish_pairing(self, pairing, *, source="127.0.0.1"):
        """Stages 2 to 4. Returns the last answer."""
        two = await self.pair_stage(
            pairing, f"clientchallenge={pairing.stage2().hex()}", source=source
        )
        reply = bytes.fromhex(two.root.findtext("challengeresponse"))
        three = await self.pair_stage(
            pairing, f"serverchallengeresp={pairing.stage3(reply).hex().upper()}", source=source
        )
        assert three.root.findtext("paired") == "1"
        return await self.pair_stage(
            pairing, f"clientpairingsecret={pairing.stage4().hex()}", source=source
        )


async def answer_from(reader, writer) -> Answer:
    try:
        raw = await reader.read()
    finally:
        writer.transport.abort()
    head, _, body = raw.partition(b"\r\n\r\n")
    return Answer(head=head.decode(), body=body)


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    return load_or_make_identity(tmp_path_factory.mktemp("identity"))


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
async def running(tmp_path, identity, limits):
    store = ClientStore(tmp_path / "state")
    pairing = PairingService(identity, store)
    host = FakeHost()
    server = NvHttpServer(host, store, pairing, identity, limits)
    await server.start(["127.0.0.1"], 0, 0)
    yield Running(
        server=server, host=host, store=store, pairing=pairing, identity=identity, folder=tmp_path
    )
    await server.stop()
    assert server.connections == 0


async def test_a_whole_pairing_as_moonlight_does_it(running, moonlights) -> None:
    client = moonlights[0]
    pairing = client.pairing("0427")
    begun = await running.begin_pairing(pairing)
    info = await running.get("/serverinfo", tls=False)  # clients poll meanwhile
    running.pairing.submit_pin("0427")

    one = await begun
    four = await running.finish_pairing(pairing)
    five = await running.get("/pair?phrase=pairchallenge&uniqueid=x", client)
    apps = await running.get("/applist", client)

    assert info.status == "200"
    plain_pem = bytes.fromhex(one.root.findtext("plaincert"))
    assert der_from_pem(plain_pem) == await presented_certificate(running)
    assert [a.root.findtext("paired") for a in (one, four, five)] == ["1", "1", "1"]
    assert apps.root.findtext("App/AppTitle") == "Desktop"
    assert [c.name for c in running.store.clients()] == ["Moonlight"]


async def presented_certificate(running) -> bytes:
    _, writer = await running.connect()
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return der


async def test_a_wrong_pin_pairs_nobody_and_the_right_one_comes_too_late(
    running, moonlights
) -> None:
    pairing = moonlights[0].pairing("0427")
    begun = await running.begin_pairing(pairing)
    attempt = running.pairing.pending()[0].id
    running.pairing.submit_pin("7240", attempt)
    await begun

    with pytest.raises(Refused):
        running.pairing.submit_pin("0427", attempt)
    four = await running.finish_pairing(pairing)
    again = await running.pair_stage(pairing, f"clientpairingsecret={pairing.stage4().hex()}")

    assert (four.status, four.root.findtext("paired")) == ("200", "0")
    assert (again.status, again.root.findtext("paired")) == ("400", "0")
    assert running.store.clients() == ()
    assert (await running.get("/applist", moonlights[0])).status == "401"


async def test_a_pin_reaches_only_the_device_it_was_given_to(running, moonlights) -> None:
    honest, attacker = moonlights[0].pairing("1111"), moonlights[1].pairing("1111")
    honest_begun = await running.begin_pairing(honest, source="127.0.0.1")
    attacker_begun = await running.begin_pairing(attacker, source="127.0.0.66")
    waiting = running.pairing.pending()
    assert [p.address for p in waiting] == ["127.0.0.1", "127.0.0.66"]
    with pytest.raises(Refused, match="which one"):
        running.pairing.submit_pin("1111")

    running.pairing.submit_pin("1111", waiting[0].id)
    await honest_begun
    stolen = await running.pair_stage(
        attacker, f"clientchallenge={attacker.stage2().hex()}", source="127.0.0.66"
    )
    four = await running.finish_pairing(honest)

    assert (stolen.status, stolen.root.findtext("paired")) == ("400", "0")
    assert (await attacker_begun).root.findtext("paired") == "0"
    assert four.root.findtext("paired") == "1"
    assert [c.fingerprint for c in running.store.clients()] == [moonlights[0].fingerprint]


async def test_a_client_that_hangs_up_while_waiting_is_forgotten(running, moonlights) -> None:
    for _ in range(3):
        begun = await running.begin_pairing(moonlights[0].pairing("1"))
        assert len(running.pairing.pending()) == 1

        begun.cancel()
        await asyncio.wait([begun])

        await until(lambda: not running.pairing.pending())
    await until(lambda: running.server.connections == 0)


async def test_a_restarted_client_replaces_its_own_stale_attempt(running, moonlights) -> None:
    stale = await running.begin_pairing(moonlights[0].pairing("1"))
    pairing = moonlights[0].pairing("22")
    fresh = asyncio.ensure_future(
        running.pair_stage(
            pairing,
            f"phrase=getservercert&salt={pairing.salt.hex()}"
            f"&clientcert={moonlights[0].certificate_pem.hex()}",
        )
    )

    assert (await stale).root.findtext("paired") == "0"
    running.pairing.submit_pin("22")
    assert (await fresh).root.findtext("paired") == "1"
    assert (await running.finish_pairing(pairing)).root.findtext("paired") == "1"


@pytest.mark.parametrize(
    "parameters",
    [
        "phrase=getservercert",
        "phrase=getservercert&salt=00&clientcert=00",
        "phrase=getservercert&salt=zz&clientcert=00",
        "phrase=nonsense",
        "clientchallenge=" + "00" * 16,
        "serverchallengeresp=" + "00" * 32,
        "clientpairingsecret=" + "00" * 272,
        "clientchallenge=%FF",
    ],
)
async def test_malformed_or_early_stages_are_refused_and_end_the_attempt(
    running, moonlights, parameters
) -> None:
    begun = await running.begin_pairing(moonlights[0].pairing("1"))

    answer = await running.pair_stage(None, parameters)

    assert (answer.status, answer.root.findtext("paired")) == ("400", "0")
    assert (await begun).root.findtext("paired") == "0"
    assert running.pairing.pending() == ()


async def test_plain_unpair_ends_an_attempt_but_never_a_pairing(running, moonlights) -> None:
    running.trust(moonlights[0])
    begun = await running.begin_pairing(moonlights[1].pairing("1"))

    answer = await running.get("/unpair?uniqueid=0123456789ABCDEF", tls=False)

    assert answer.status == "200"
    assert (await begun).root.findtext("paired") == "0"
    assert len(running.store.clients()) == 1


async def test_a_paired_client_may_unpair_itself_over_tls(running, moonlights) -> None:
    for client in moonlights[:2]:
        running.trust(client)

    await running.get("/unpair?uniqueid=0123456789ABCDEF", moonlights[0])

    assert (await running.get("/applist", moonlights[0])).status == "401"
    assert (await running.get("/applist", moonlights[1])).status == "200"


def strangers(make_moonlight, paired):
    """Certificates that resemble a paired one in everything but the bytes."""
    day_s = 86_400
    return {
        "no certificate": None,
        "unknown, same subject and serial": make_moonlight(),
        "expired": make_moonlight(begins_s=-9 * day_s, ends_s=-day_s),
        "not yet valid": make_moonlight(begins_s=day_s, ends_s=9 * day_s),
        "same public key, another certificate": make_moonlight(paired.key, ends_s=10 * day_s),
    }


async def test_no_stranger_gets_past_tls_on_any_route(running, moonlights, make_moonlight) -> None:
    paired, removed = moonlights[:2]
    running.trust(paired)
    running.trust(removed)
    running.store.remove(removed.fingerprint)
    everybody = strangers(make_moonlight, paired) | {"unpaired again": removed}

    for target in OVER_TLS_PAIRED_ONLY:
        for who, client in everybody.items():
            answer = await running.get(target, client)

            assert answer.head.startswith("HTTP/1.1 200 OK"), (target, who)
            assert answer.status == "401", (target, who)
            assert "Certificate verification failed" in answer.root.get("status_message")

    assert running.host.calls == []
    assert [c.fingerprint for c in running.store.clients()] == [paired.fingerprint]
    for target in ["/applist", "/serverinfo"]:
        assert (await running.get(target, paired)).status == "200"


@pytest.mark.parametrize("target", PAIRED_ONLY)
async def test_plain_http_gets_nowhere_that_needs_pairing(running, moonlights, target) -> None:
    running.trust(moonlights[0])

    answer = await running.get(target, tls=False)

    assert answer.status == "401"
    assert running.host.calls == []


def test_every_route_is_in_the_matrix(running) -> None:
    covered = {target.partition("?")[0] for target in OVER_TLS_PAIRED_ONLY} - {"/no"}

    assert covered == set(running.server._routes.routes)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_several_clients_with_the_same_subject_are_told_apart(
    running, moonlights, version
) -> None:
    for client in moonlights[:3]:
        running.trust(client)

    statuses = [
        (await running.get("/serverinfo", client, version=version)).status for client in moonlights
    ]

    assert statuses == ["200", "200", "200", "401"]


async def test_dates_do_not_matter_for_a_paired_certificate(running, make_moonlight) -> None:
    old, early = make_moonlight(ends_s=-3_600), make_moonlight(begins_s=3_600)
    running.trust(old)
    running.trust(early)

    assert (await running.get("/applist", old)).status == "200"
    assert (await running.get("/applist", early)).status == "200"


async def test_unpairing_acts_on_a_connection_that_is_already_open(running, moonlights) -> None:
    running.trust(moonlights[0])
    reader, writer = await running.connect(moonlights[0])
    running.store.remove(moonlights[0].fingerprint)

    writer.write(b"GET /applist HTTP/1.1\r\nHost: x\r\n\r\n")

    assert (await answer_from(reader, writer)).status == "401"


async def test_a_connection_carries_one_request_only(running, moonlights) -> None:
    running.trust(moonlights[0])
    reader, writer = await running.connect(moonlights[0])
    request = b"GET /cancel HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"

    writer.write(request * 2)
    answer = await answer_from(reader, writer)

    assert "connection: close" in answer.head.lower()
    assert len(running.host.calls) == 1
    assert answer.body.count(b"<root") == 1


async def test_a_client_unpaired_while_its_app_starts_loses_the_app(running, moonlights) -> None:
    running.trust(moonlights[0])
    running.host.before_launch_returns = lambda: running.store.remove(moonlights[0].fingerprint)

    answer = await running.get(LAUNCH, moonlights[0])

    assert answer.status == "401"
    assert [call[0] for call in running.host.calls] == ["launch", "cancel"]


async def test_launch_resume_and_cancel_reach_the_host(running, moonlights) -> None:
    client = moonlights[0]
    running.trust(client)

    launched = await running.get(LAUNCH, client)
    busy = await running.get("/serverinfo", client)
    stranger = await running.get("/serverinfo", tls=False)
    resumed = await running.get(RESUME, client)
    cancelled = await running.get("/cancel", client)

    assert launched.root.findtext("sessionUrl0") == "rtspenc://127.0.0.1:48010"
    assert launched.root.findtext("gamesession") == "1"
    assert busy.root.findtext("state") == "PUNKTFUNK_SERVER_BUSY"
    assert busy.root.findtext("PairStatus") == "1"
    assert stranger.root.findtext("state") == "PUNKTFUNK_SERVER_FREE"
    assert stranger.root.findtext("currentgame") == "0"
    assert stranger.root.findtext("PairStatus") == "0"
    assert stranger.root.findtext("mac") == "00:00:00:00:00:00"
    assert resumed.root.findtext("resume") == "1"
    assert cancelled.root.findtext("cancel") == "1"
    assert running.host.calls == [
        ("launch", client.fingerprint, 2, "127.0.0.1"),
        ("resume", client.fingerprint, 2, "127.0.0.1"),
        ("cancel", client.fingerprint),
    ]


@pytest.mark.parametrize(
    ("failure", "status", "message"),
    [
        (Refused("an app is running", status=400), "400", "an app is running"),
        (Refused("both seats are taken", status=503), "503", "both seats are taken"),
        (Refused("not for you"), "403", "not for you"),
        (
            DriverUnavailable("sway", "not installed", hint="install sway"),
            "503",
            "sway cannot run here: not installed (available: none) (install sway)",
        ),
        (ConnectionRefusedError("inner trouble"), "500", "the host failed; its log says why"),
        (RuntimeError("inner trouble"), "500", "the host failed; its log says why"),
    ],
)
async def test_a_refusal_says_why(running, moonlights, failure, status, message) -> None:
    running.trust(moonlights[0])
    running.host.failure = failure

    answer = await running.get(LAUNCH, moonlights[0])

    assert answer.head.startswith("HTTP/1.1 200 OK")
    assert (answer.status, answer.root.get("status_message")) == (status, message)
    assert answer.root.findtext("resume") == "0"
    assert answer.root.findtext("gamesession") == "0"


async def test_the_session_key_is_never_logged(running, moonlights, caplog) -> None:
    caplog.set_level("DEBUG")
    running.trust(moonlights[0])
    running.host.failure = RuntimeError("inner trouble")
    await running.get(LAUNCH, moonlights[0])
    await running.get(LAUNCH.replace("1280x720x60", "junk"), moonlights[0])

    assert "inner trouble" in caplog.text
    assert "abab" not in caplog.text
    assert "\\xab" not in caplog.text


async def test_box_art_is_the_hosts_or_a_default(running, moonlights) -> None:
    running.trust(moonlights[0])

    own = await running.get("/appasset?appid=7", moonlights[0])
    default = await running.get("/appasset?appid=8", moonlights[0])

    assert "image/png" in own.head
    assert own.body == b"\x89PNG of seven"
    assert default.body[:8] == b"\x89PNG\r\n\x1a\n"
    assert default.body[16:24] == (600).to_bytes(4, "big") + (800).to_bytes(4, "big")


@pytest.mark.parametrize(
    "headers",
    [
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "sec-fetch-site: same-origin\r\n",
        "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n",
    ],
)
@pytest.mark.parametrize("target", [*PAIRED_ONLY, "/serverinfo", "/unpair", "/pair"])
async def test_web_pages_are_refused_on_every_route(running, moonlights, target, headers) -> None:
    running.trust(moonlights[0])

    over_tls = await running.get(target, moonlights[0], headers=headers)
    plain = await running.get(target, tls=False, headers=headers)

    assert (over_tls.status, plain.status) == ("403", "403")
    assert running.host.calls == []
    assert len(running.store.clients()) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_only_get_is_answered(running, moonlights, method) -> None:
    running.trust(moonlights[0])

    answer = await running.get("/cancel", moonlights[0], method=method)

    assert answer.status == "400"
    assert running.host.calls == []


async def test_head_gets_no_body(running) -> None:
    answer = await running.get("/serverinfo", tls=False, method="HEAD")

    assert answer.head.startswith("HTTP/1.1 200 OK")
    assert answer.body == b""


@pytest.mark.parametrize("target", ["/", "/nothing", "http://x/serverinfo", "/serverinfo/"])
async def test_unknown_paths_are_xml_404_in_http_200(running, target) -> None:
    answer = await running.get(target, tls=False)

    assert answer.head.startswith("HTTP/1.1 200 OK")
    assert answer.status == "404"


async def test_a_long_request_line_is_fine(running) -> None:
    answer = await running.get("/serverinfo?junk=" + "a" * 16_000, tls=False)

    assert answer.status == "200"


@pytest.mark.parametrize("tls", [False, True])
async def test_a_header_of_a_megabyte_is_cut_off(running, tls) -> None:
    reader, writer = await running.connect(tls=tls)

    with contextlib.suppress(OSError):
        writer.write(b"GET /serverinfo HTTP/1.1\r\nX: " + b"a" * 1_000_000)
        await writer.drain()
        await asyncio.wait_for(reader.read(), 5)

    await until(lambda: running.server.connections == 0)
    writer.transport.abort()
    assert (await running.get("/serverinfo", tls=False)).status == "200"


@pytest.mark.parametrize("junk", [b"\0\1\2\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00"])
async def test_what_is_not_http_is_answered_and_closed(running, junk) -> None:
    reader, writer = await running.connect(tls=False)
    writer.write(junk)
    writer.write_eof()

    answer = await answer_from(reader, writer)

    assert answer.head == "" or answer.status == "400"
    await until(lambda: running.server.connections == 0)


async def test_a_probe_that_connects_and_closes_is_ignored(running, caplog) -> None:
    for port in (running.server.http_port, running.server.https_port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        await writer.wait_closed()

    await until(lambda: running.server.connections == 0)

    assert not [r for r in caplog.records if r.levelname in ("WARNING", "ERROR")]


class TestWithTightLimits:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(connections=6, connections_per_address=4, read_s=0.3, write_s=0.5)

    async def test_slow_requests_are_cut_off(self, running) -> None:
        reader, writer = await running.connect(tls=False)
        began_s = time.monotonic()
        writer.write(b"GET /serverinfo HTTP/1.1\r\n")

        with contextlib.suppress(OSError):
            while not reader.at_eof() and time.monotonic() < began_s + 10:
                writer.write(b"X: y\r\n")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(1), 0.05)

        await until(lambda: running.server.connections == 0)
        assert time.monotonic() - began_s < 5
        writer.transport.abort()

    async def test_a_handshake_that_never_ends_is_cut_off(self, running) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.server.https_port)
        writer.write(b"\x16\x03\x01\x02\x00\x01")

        assert await asyncio.wait_for(reader.read(), 5) == b""

        await until(lambda: running.server.connections == 0)
        writer.transport.abort()

    async def test_many_half_open_handshakes_shut_nobody_else_out(self, running) -> None:
        port = running.server.https_port
        greedy = [
            await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.66", 0))
            for _ in range(50)
        ]
        await until(lambda: running.server.connections == 4)

        answer = await running.get("/serverinfo", tls=False)

        assert answer.status == "200"
        assert running.server.connections <= 6
        for _, writer in greedy:
            writer.transport.abort()
        await until(lambda: running.server.connections == 0)

    async def test_all_connections_together_are_capped(self, running) -> None:
        port = running.server.http_port
        writers = []
        for number in range(20):
            _, writer = await asyncio.open_connection(
                "127.0.0.1", port, local_addr=(f"127.0.0.{number + 2}", 0)
            )
            writers.append(writer)
        await until(lambda: running.server.connections == 6)

        await until(lambda: running.server.connections == 0)

        assert (await running.get("/serverinfo", tls=False)).status == "200"
        for writer in writers:
            writer.transport.abort()

    @pytest.mark.parametrize("tls", [False, True])
    async def test_threat_33_idle_connections_on_all_places_keep_nobody_out(
        self, running, tls: bool
    ) -> None:
        port = running.server.https_port if tls else running.server.http_port
        writers = []
        for number in range(12):
            source = (f"127.0.0.{60 + number % 4}", 0)
            _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=source)
            writers.append(writer)

        assert (await running.get("/serverinfo", tls=False)).status == "200"

        for writer in writers:
            writer.transport.abort()
        await until(lambda: running.server.connections == 0)

    async def test_a_client_that_does_not_read_is_cut_off(self, running, moonlights) -> None:
        running.trust(moonlights[0])

        async def enormous(_moonlight_id):
            return bytes(30_000_000)

        running.host.app_asset = enormous
        _, writer = await running.connect(moonlights[0])
        writer.transport.pause_reading()
        writer.write(b"GET /appasset?appid=7 HTTP/1.1\r\nHost: x\r\n\r\n")

        await until(lambda: running.server.connections == 1)
        await until(lambda: running.server.connections == 0)
        writer.transport.abort()


async def test_stop_ends_whoever_is_waiting(running, moonlights) -> None:
    begun = await running.begin_pairing(moonlights[0].pairing("1"))

    async with asyncio.timeout(5):
        await running.server.stop()
        answer = await begun

    assert answer.body == b""
    assert running.pairing.pending() == ()


async def test_a_taken_port_leaves_nothing_open(running, identity) -> None:
    second = NvHttpServer(FakeHost(), running.store, running.pairing, identity)

    with pytest.raises(OSError):
        await second.start(["127.0.0.1"], 0, running.server.https_port)

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", second.http_port)


async def test_sessions_are_never_resumed(running, moonlights) -> None:
    running.trust(moonlights[0])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def session():
        import socket

        with (
            socket.create_connection(("127.0.0.1", running.server.https_port)) as tcp,
            context.wrap_socket(tcp) as tls,
        ):
            tls.sendall(b"GET /serverinfo HTTP/1.0\r\n\r\n")
            while tls.recv(4_096):
                pass
            return tls.session

    first = await asyncio.to_thread(session)

    assert not first.has_ticket
    assert first.id == b""


async def test_ipv6_clients_are_served(tmp_path, identity) -> None:
    store = ClientStore(tmp_path / "state")
    server = NvHttpServer(FakeHost(), store, PairingService(identity, store), identity)
    try:
        await server.start(["127.0.0.1", "::1"], 0, 0)
    except OSError:
        pytest.skip("no IPv6 here")
    reader, writer = await asyncio.open_connection("::1", server.http_port)
    writer.write(b"GET /serverinfo HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = await answer_from(reader, writer)
    await server.stop()

    assert answer.root.findtext("LocalIP") == "127.0.0.1"


@pytest.mark.parametrize(
    ("address", "plain"),
    [("::ffff:10.0.0.1", "10.0.0.1"), ("10.0.0.1", "10.0.0.1"), ("fe80::1%eth0", "fe80::1%eth0")],
)
def test_addresses_have_one_spelling(address: str, plain: str) -> None:
    assert plain_address(address) == plain
