"""RTSP messages and their seals."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from punktfunk.errors import ProtocolError, Refused
from punktfunk.gamestream.rtsp import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    RequestReader,
    RtspRequest,
    RtspResponse,
    SealedFrame,
    SealedRtsp,
    answer,
    parse_request,
    refusal,
    try_open,
    write_answer,
)

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "gamestream" / "rtsp.json").read_text()
)
KEY = bytes.fromhex(VECTORS["key"])
FROM_CLIENT, FROM_HOST = VECTORS["encrypted"]
ANNOUNCE = b"ANNOUNCE streamid=control/13/0 RTSP/1.0\r\nCSeq: 6\r\nContent-length: 5\r\n\r\nv=0\r\n"


def request_bytes(recorded: dict) -> bytes:
    head = "\r\n".join((*recorded["request_line_and_headers"], "", ""))
    return (head + recorded["body"]).encode()


def seal_as_client(message: bytes, sequence: int, key: bytes = KEY) -> bytes:
    sealed = AESGCM(key).encrypt(sequence.to_bytes(4, "little") + bytes(6) + b"CR", message, None)
    head = (0x8000_0000 | len(message)).to_bytes(4, "big") + sequence.to_bytes(4, "big")
    return head + sealed[-16:] + sealed[:-16]


def frame_of(wire: bytes) -> SealedFrame:
    frame = RequestReader().receive(wire)
    assert isinstance(frame, SealedFrame)
    return frame


@pytest.mark.parametrize("recorded", VECTORS["client_requests"])
def test_requests_of_the_real_client_are_read_to_the_last_byte(recorded):
    request = parse_request(request_bytes(recorded))

    method, target, _ = recorded["request_line_and_headers"][0].split(" ")
    headers = [tuple(line.split(": ", 1)) for line in recorded["request_line_and_headers"][1:]]
    assert (request.method, request.target) == (method, target)
    assert list(request.headers) == headers
    assert request.body == recorded["body"].encode()
    assert request.cseq == int(dict(headers)["CSeq"])


@given(cuts=st.lists(st.integers(0, len(ANNOUNCE)), max_size=8), sealed=st.booleans())
def test_a_request_does_not_depend_on_how_its_bytes_were_split(cuts, sealed):
    stream = seal_as_client(ANNOUNCE, 1) if sealed else ANNOUNCE
    edges = sorted({0, *cuts, len(stream)})
    reader = RequestReader()

    results = [reader.receive(stream[start:end]) for start, end in pairwise(edges)]

    assert results[:-1] == [None] * (len(results) - 1)
    assert results[-1] == RequestReader().receive(stream) is not None


@given(data=st.binary(max_size=400))
def test_no_bytes_whatever_make_the_reader_fail_in_another_way(data):
    try:
        result = RequestReader().receive(data)
    except ProtocolError:
        return
    assert result is None or isinstance(result, RtspRequest | SealedFrame)


@given(at=st.integers(0, len(ANNOUNCE) - 1), byte=st.integers(0, 255))
def test_a_damaged_request_is_read_refused_or_waited_for(at, byte):
    damaged = bytearray(ANNOUNCE)
    damaged[at] = byte
    try:
        RequestReader().receive(bytes(damaged))
    except ProtocolError as error:
        assert str(error)


@pytest.mark.parametrize(
    "value", ["-1", "+1", "0x10", "1e3", "", "٣", str(2**63), "99999999999999", "5, 5", "5 5"]
)
def test_threat_10_a_content_length_that_is_no_plain_number_is_refused(value):
    head = f"ANNOUNCE a RTSP/1.0\r\nCSeq: 1\r\nContent-length: {value}\r\n\r\n".encode()

    with pytest.raises(ProtocolError):
        RequestReader().receive(head)


def test_threat_10_two_content_lengths_are_refused():
    with pytest.raises(ProtocolError):
        RequestReader().receive(
            b"ANNOUNCE a RTSP/1.0\r\nContent-length: 1\r\ncontent-LENGTH: 1\r\n\r\nx"
        )


def test_threat_10_an_absent_content_length_means_no_body():
    assert parse_request(b"PLAY / RTSP/1.0\r\nCSeq: 7\r\n\r\n").body == b""


def test_threat_10_too_many_headers_are_refused():
    headers = [f"H{number}: x" for number in range(MAX_HEADERS + 1)]
    within = "\r\n".join(("PLAY / RTSP/1.0", *headers[:-1], "", "")).encode()
    beyond = "\r\n".join(("PLAY / RTSP/1.0", *headers, "", "")).encode()

    assert len(parse_request(within).headers) == MAX_HEADERS
    with pytest.raises(ProtocolError, match="too many headers"):
        parse_request(beyond)


def test_threat_10_a_head_without_end_is_refused_at_the_cap():
    reader = RequestReader()
    chunk = b"H: " + b"x" * 1_000 + b"\r\n"
    sent = 0
    with pytest.raises(ProtocolError, match="head too long"):
        for _ in range(100):
            sent += len(chunk)
            reader.receive(chunk)

    assert sent <= MAX_HEAD_BYTES + 2 * len(chunk)


def test_threat_10_a_body_above_the_cap_is_refused_before_it_arrives():
    head = f"ANNOUNCE a RTSP/1.0\r\nContent-length: {MAX_BODY_BYTES + 1}\r\n\r\n".encode()

    with pytest.raises(ProtocolError, match="body too long"):
        RequestReader().receive(head)


def test_threat_10_pipelined_requests_are_refused():
    play = b"PLAY / RTSP/1.0\r\nCSeq: 7\r\n\r\n"
    with pytest.raises(ProtocolError, match="more than one"):
        RequestReader().receive(play + b"P")
    reader = RequestReader()
    assert reader.receive(play) is not None
    with pytest.raises(ProtocolError, match="more than one"):
        reader.receive(b"P")


@pytest.mark.parametrize(
    "head",
    [
        b"PLAY / RTSP/1.0\nCSeq: 7\n\r\n\r\n",  # bare line feeds
        b"PLAY / RTSP/1.0\r\nCSeq: 7\rX: y\r\n\r\n",
        b"PLAY / RTSP/1.0\r\nCSeq 7\r\n\r\n",
        b"PLAY / RTSP/1.0\r\n: 7\r\n\r\n",
        b"PLAY / RTSP/1.0\r\nCSeq: 7\x00\r\n\r\n",
        b"PLAY / RTSP/1.0\r\nCSeq: \xc3\xa9\r\n\r\n",
        b"PLAY / RTSP/1.0\r\n X: folded\r\n\r\n",
        b"PLAY  / RTSP/1.0\r\n\r\n",
        b"PLAY / RTSP/2.0\r\n\r\n",
        b"play / RTSP/1.0\r\n\r\n",
        b"\r\n\r\n",
    ],
)
def test_threat_10_malformed_heads_are_refused(head):
    with pytest.raises(ProtocolError):
        RequestReader().receive(head)


def test_the_recorded_sealed_request_opens():
    frame = frame_of(bytes.fromhex(FROM_CLIENT["wire"]))

    assert try_open(frame, KEY) == FROM_CLIENT["plaintext"].encode()
    assert try_open(frame, bytes(16)) is None
    assert SealedRtsp(KEY).try_open(frame) == FROM_CLIENT["plaintext"].encode()


def test_our_first_answer_is_sealed_as_recorded_and_no_nonce_is_used_twice():
    seal = SealedRtsp(KEY)
    message = FROM_HOST["plaintext"].encode()

    first, second = seal.seal(message), seal.seal(message)

    assert first == bytes.fromhex(FROM_HOST["wire"])
    assert second[4:8] == (2).to_bytes(4, "big")
    assert second[24:] != first[24:]


def test_a_replayed_or_older_sealed_request_is_refused():
    seal = SealedRtsp(KEY)
    seal.try_open(frame_of(seal_as_client(b"first", 1)))
    seal.try_open(frame_of(seal_as_client(b"third", 3)))

    for sequence in (1, 2, 3):
        with pytest.raises(ProtocolError, match="replayed"):
            seal.try_open(frame_of(seal_as_client(b"again", sequence)))
    assert seal.try_open(frame_of(seal_as_client(b"fourth", 4))) == b"fourth"


def test_a_frame_that_does_not_open_does_not_move_the_replay_window():
    seal = SealedRtsp(KEY)
    seal.try_open(frame_of(seal_as_client(b"forged", 2**32 - 1, bytes(16))))

    assert seal.try_open(frame_of(seal_as_client(b"real", 1))) == b"real"


@given(bit=st.integers(0, len(FROM_CLIENT["wire"]) * 4 - 1))
def test_a_sealed_request_with_any_bit_changed_does_not_open(bit):
    wire = bytearray.fromhex(FROM_CLIENT["wire"])
    wire[bit // 8] ^= 1 << bit % 8
    try:
        frame = RequestReader().receive(bytes(wire))
    except ProtocolError:
        return
    assert not isinstance(frame, SealedFrame) or try_open(frame, KEY) is None


@pytest.mark.parametrize("length", [0, MAX_HEAD_BYTES + MAX_BODY_BYTES + 1, 0x7FFF_FFFF])
def test_a_sealed_request_of_impossible_length_is_refused_before_it_arrives(length):
    with pytest.raises(ProtocolError, match="impossible length"):
        RequestReader().receive((0x8000_0000 | length).to_bytes(4, "big") + bytes(20))


def test_an_answer_looks_the_way_the_client_parses_it():
    message = write_answer(answer(3, ("Session", "ABC;timeout = 90"), body=b"v=0\n"))

    assert message == b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nSession: ABC;timeout = 90\r\n\r\nv=0\n"


@pytest.mark.parametrize(
    "response",
    [
        RtspResponse(headers=()),
        RtspResponse(headers=(("CSeq", ""),)),
        RtspResponse(headers=(("CSeq", " 1"),)),
        RtspResponse(headers=(("CSeq", "1\r\nX: y"),)),
        RtspResponse(headers=(("CSeq", "1"),), reason=""),
        RtspResponse(headers=(("CSeq", "1"),), body=b"a\0b"),
    ],
)
def test_an_answer_the_client_would_stumble_over_is_not_written(response):
    with pytest.raises(ValueError, match="RTSP answer"):
        write_answer(response)


def test_a_refusal_carries_its_status_and_words_on_one_line():
    response = refusal(6, Refused("no\r\nX: injected — sorry", status=403))

    assert write_answer(response) == b"RTSP/1.0 403 no X: injected sorry\r\nCSeq: 6\r\n\r\n"


def test_a_refusal_with_an_absurd_status_is_a_plain_400():
    assert refusal(None, Refused("", status=200)).status == 400


def test_no_repr_shows_a_key_or_a_body():
    frame = frame_of(bytes.fromhex(FROM_CLIENT["wire"]))

    assert KEY.hex() not in repr(SealedRtsp(KEY)) and str(KEY) not in repr(SealedRtsp(KEY))
    assert "ciphertext" not in repr(frame)
    assert "secret" not in repr(answer(1, ("X-SS-Ping-Payload", "secret0123456789")))
