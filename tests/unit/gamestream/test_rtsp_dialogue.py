"""The order of requests, and what each answer carries."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from punktfunk.errors import Refused
from punktfunk.gamestream.rtsp import RtspRequest, RtspResponse, parse_request, write_answer
from punktfunk.gamestream.rtsp_dialogue import RtspDialogue, StartStream, Step
from punktfunk.gamestream.sdp import HostCapabilities
from punktfunk.model.stream import StreamPorts
from punktfunk.model.video import Codec

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "gamestream" / "rtsp.json").read_text()
)
TOKEN = "DEADBEEFCAFE"  # what the recorded client was given
PING = "0123456789ABCDEF"


def recorded_requests() -> list[RtspRequest]:
    requests = []
    for recorded in VECTORS["client_requests"]:
        head = "\r\n".join((*recorded["request_line_and_headers"], "", ""))
        requests.append(parse_request((head + recorded["body"]).encode()))
    return requests


def new_dialogue() -> RtspDialogue:
    return RtspDialogue(
        StreamPorts(video=47_998, control=47_999, audio=48_000),
        PING,
        4_000_000_000,
        HostCapabilities(codecs={Codec.H264}),
        TOKEN,
    )


@pytest.fixture
def dialogue() -> RtspDialogue:
    return new_dialogue()


def advance(dialogue: RtspDialogue, count: int) -> None:
    for request in recorded_requests()[:count]:
        if isinstance(dialogue.receive(request), StartStream):
            dialogue.started()


def status(result: RtspResponse | StartStream) -> int:
    return result.status if isinstance(result, RtspResponse) else 0


def test_the_recorded_client_gets_through_to_play(dialogue):
    answers = []
    for request in recorded_requests():
        result = dialogue.receive(request)
        if isinstance(result, StartStream):
            assert result.announce.width_px == 1_280
            assert not result.announce.stereo_high_quality
            result = dialogue.started()
        answers.append(result)

    assert [answer.status for answer in answers] == [200] * 7
    assert [dict(answer.headers)["CSeq"] for answer in answers] == list("1234567")
    assert dialogue.step is Step.DONE
    assert all(write_answer(answer) for answer in answers)


def test_every_setup_says_its_port_and_the_secrets(dialogue):
    advance(dialogue, 2)

    audio, video, control = (
        dict(dialogue.receive(request).headers) for request in recorded_requests()[2:5]
    )

    assert audio["Transport"] == "server_port=48000"
    assert audio["Session"] == f"{TOKEN};timeout = 90"
    assert audio["X-SS-Ping-Payload"] == video["X-SS-Ping-Payload"] == PING
    assert video["Transport"] == "server_port=47998"
    assert control["Transport"] == "server_port=47999"
    assert control["X-SS-Connect-Data"] == "4000000000"


def test_describe_has_a_body(dialogue):
    advance(dialogue, 1)

    assert b"surround-params=642014235" in dialogue.receive(recorded_requests()[1]).body


@pytest.mark.parametrize("position", range(8))
def test_threat_10_out_of_order_requests_get_a_4xx_and_change_nothing(position):
    dialogue = new_dialogue()
    advance(dialogue, position)
    step = dialogue.step

    for index, request in enumerate(recorded_requests()):
        if index != position:
            assert 400 <= status(dialogue.receive(request)) < 500
            assert dialogue.step is step


@pytest.mark.parametrize("position", range(3, 7))
@pytest.mark.parametrize("session", ["", "OTHER", "DEADBEEFCAFE0", "é"])
def test_threat_10_another_clients_session_id_is_refused(position, session):
    dialogue = new_dialogue()
    advance(dialogue, position)
    request = recorded_requests()[position]
    headers = tuple(pair for pair in request.headers if pair[0] != "Session")

    result = dialogue.receive(
        RtspRequest(
            method=request.method,
            target=request.target,
            headers=(*headers, ("Session", session)),
            body=request.body,
        )
    )

    assert status(result) == 454


def test_an_unknown_method_an_unknown_stream_and_a_missing_number_are_refused(dialogue):
    number = (("CSeq", "1"),)
    assert status(dialogue.receive(RtspRequest(method="OPTIONS", target="/"))) == 400
    assert (
        status(dialogue.receive(RtspRequest(method="TEARDOWN", target="/", headers=number))) == 405
    )
    advance(dialogue, 2)
    setup = RtspRequest(method="SETUP", target="streamid=smell/0/0", headers=number)
    assert status(dialogue.receive(setup)) == 404


def test_a_refused_stream_ends_the_dialogue_with_its_status_and_words(dialogue):
    advance(dialogue, 5)
    assert isinstance(dialogue.receive(recorded_requests()[5]), StartStream)

    response = dialogue.refused(Refused("no such codec", status=400))

    assert (response.status, response.reason) == (400, "no such codec")
    assert dict(response.headers)["CSeq"] == "6"
    assert status(dialogue.receive(recorded_requests()[6])) == 455


def test_while_the_stream_starts_nothing_else_is_accepted(dialogue):
    advance(dialogue, 5)
    dialogue.receive(recorded_requests()[5])

    assert status(dialogue.receive(recorded_requests()[5])) == 455
    assert status(dialogue.receive(recorded_requests()[6])) == 455
    assert dialogue.started().status == 200
    assert status(dialogue.receive(recorded_requests()[6])) == 200


def test_nothing_can_be_started_that_was_not_asked_for(dialogue):
    with pytest.raises(RuntimeError):
        dialogue.started()


def test_an_unreadable_announcement_is_a_400_and_may_be_repeated(dialogue):
    advance(dialogue, 5)
    request = recorded_requests()[5]
    broken = RtspRequest(method="ANNOUNCE", target="x", headers=request.headers, body=b"a=")

    assert status(dialogue.receive(broken)) == 400
    assert isinstance(dialogue.receive(request), StartStream)


@given(
    requests=st.lists(
        st.builds(
            RtspRequest,
            method=st.sampled_from(["OPTIONS", "DESCRIBE", "SETUP", "ANNOUNCE", "PLAY", "X"]),
            target=st.sampled_from(["", "/", "streamid=audio/0/0", "streamid=video/0/0", "=", "é"]),
            headers=st.lists(
                st.sampled_from([("CSeq", "1"), ("CSeq", "x"), ("Session", TOKEN), ("Host", "é")]),
                max_size=3,
            ).map(tuple),
            body=st.binary(max_size=40),
        ),
        max_size=10,
    )
)
def test_any_requests_in_any_order_get_an_answer_that_can_be_written(requests):
    dialogue = new_dialogue()
    for request in requests:
        result = dialogue.receive(request)
        assert isinstance(result, RtspResponse)
        assert write_answer(result).startswith(b"RTSP/1.0 ")
