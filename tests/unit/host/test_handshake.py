"""The RTSP dialogue of a launch, as the real client speaks it."""

import attrs
import pytest

from punktfunk.config.settings import StreamSettings
from punktfunk.errors import DriverFailed, DriverUnavailable, Refused
from punktfunk.gamestream.negotiation import StreamLimits
from punktfunk.gamestream.rtsp import RtspRequest
from punktfunk.gamestream.sdp import Encryption, HostCapabilities
from punktfunk.host.handshake import Handshake
from punktfunk.host.policy import check_launch, encryption_requested, encryption_required
from punktfunk.model.stream import StreamPorts
from punktfunk.model.video import Codec

PORTS = StreamPorts(video=1_001, control=1_002, audio=1_003)


class Host:
    """What a handshake calls, and what was called."""

    def __init__(self, request, *, refusal=None, **limits):
        self.started = []
        self.touched = self.over = 0
        self.refusal = refusal
        self.handshake = Handshake(
            stream_id=5,
            request=request,
            remote_ip="192.0.2.7",
            local_ip="192.0.2.1",
            ports=PORTS,
            capabilities=HostCapabilities(codecs={Codec.H264}),
            limits=StreamLimits(codecs={Codec.H264}, **limits),
            start=self.start,
            touched=self.touch,
            over=self.end,
        )

    async def start(self, plan):
        self.started.append(plan)
        if self.refusal is not None:
            raise self.refusal

    def touch(self):
        self.touched += 1

    def end(self):
        self.over += 1


@pytest.fixture
def make_host(make_request):
    return lambda **changes: Host(make_request(), **changes)


async def test_the_recorded_client_gets_a_stream_of_what_it_asked_for(make_host, converse):
    host = make_host()

    answers = await converse(host.handshake)

    assert [answer.status for answer in answers] == [200] * 7
    (plan,) = host.started
    assert (plan.stream_id, plan.client_ip, plan.local_ip) == (5, "192.0.2.7", "192.0.2.1")
    assert str(plan.request.mode) == "1280x720@60"
    assert plan.request.packet_size == 1_392
    assert plan.request.control_v2
    assert not plan.request.encrypt_video
    headers = [dict(answer.headers) for answer in answers]
    assert headers[2]["X-SS-Ping-Payload"].encode() == plan.ping_payload
    assert int(headers[4]["X-SS-Connect-Data"]) == plan.connect_data
    ports = [headers[n]["Transport"] for n in (2, 3, 4)]
    assert ports == ["server_port=1003", "server_port=1001", "server_port=1002"]


async def test_every_request_is_a_sign_of_life_and_play_is_the_last(make_host, converse):
    host = make_host()

    await converse(host.handshake, requests=6)
    assert (host.touched, host.over) == (6, 0)
    await converse(make_host().handshake)
    again = make_host()
    await converse(again.handshake)

    assert (again.touched, again.over) == (7, 1)


@pytest.mark.parametrize(
    ("refusal", "status", "words"),
    [
        (Refused("this launch is over", status=403), 403, "this launch is over"),
        (DriverFailed("the encoder broke"), 503, "the encoder broke"),
        (
            DriverUnavailable("nvenc", "the chip is taken", hint="close another game"),
            503,
            "nvenc: the chip is taken (close another game)",
        ),
    ],
)
async def test_a_stream_that_does_not_start_is_a_readable_refusal_and_the_end(
    make_host, converse, refusal, status, words
):
    host = make_host(refusal=refusal)

    answers = await converse(host.handshake)

    assert [answer.status for answer in answers] == [200] * 5 + [status]
    assert answers[-1].reason == words
    assert host.over == 1


async def test_what_cannot_be_agreed_on_never_reaches_the_worker(make_host, converse):
    host = make_host()

    answers = await converse(host.handshake, **{"bitStreamFormat:0": "bitStreamFormat:1"})

    assert answers[-1].status == 400
    assert "hevc" in answers[-1].reason
    assert (host.started, host.over) == ([], 1)


async def test_a_wrong_request_is_answered_and_ends_nothing(make_host, converse):
    host = make_host()
    early = RtspRequest(method="PLAY", target="/", headers=(("CSeq", "1"),))

    assert (await host.handshake.handle(early)).status == 455
    assert host.over == 0
    assert [answer.status for answer in await converse(host.handshake)] == [200] * 7


async def test_two_handshakes_share_no_secret(make_host, converse):
    hosts = [make_host(), make_host()]
    for host in hosts:
        await converse(host.handshake)
    first, second = (host.started[0] for host in hosts)

    assert first.ping_payload != second.ping_payload
    assert first.connect_data != second.connect_data


def test_an_old_client_speaks_plain_rtsp_and_a_new_one_does_not(make_request):
    assert Host(make_request(core_version=None)).handshake.seal is None
    assert Host(make_request(core_version=0)).handshake.seal is None
    assert Host(make_request(core_version=1)).handshake.seal is not None


async def test_a_client_that_once_encrypted_its_control_is_held_to_it(make_host, converse):
    host = make_host(encryption_required=encryption_required("client", control_v2_used=True))

    answers = await converse(host.handshake, **{"encryptionEnabled:1": "encryptionEnabled:0"})

    assert answers[-1].status == 403
    assert host.started == []


@pytest.mark.parametrize(
    ("policy", "ip", "requested"),
    [
        ("client", "8.8.8.8", Encryption.CONTROL_V2),
        ("remote", "192.168.1.5", Encryption.CONTROL_V2),
        ("remote", "8.8.8.8", Encryption.ALL),
        ("always", "127.0.0.1", Encryption.ALL),
    ],
)
def test_what_is_switched_on_follows_the_setting_and_where_the_client_is(policy, ip, requested):
    assert encryption_requested(policy, ip) == requested


def test_a_host_that_always_encrypts_refuses_clients_that_cannot(make_request):
    always = attrs.evolve(StreamSettings(), encryption="always")
    check_launch(make_request(core_version=0), always)
    check_launch(make_request(core_version=None), StreamSettings())

    with pytest.raises(Refused) as refused:
        check_launch(make_request(core_version=None), always)

    assert refused.value.fields["status"] == 403
