import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from punktfunk.errors import ProtocolError
from punktfunk.model.apps import LaunchSpec
from punktfunk.model.audio import OpusParams
from punktfunk.model.session import (
    DriverRef,
    SessionPlan,
    StageTiming,
    StreamEnd,
    StreamPlan,
    StreamSample,
)
from punktfunk.model.stream import StreamRequest
from punktfunk.model.video import Codec, ColorSpec, VideoMode
from punktfunk.session import messages
from punktfunk.session.messages import (
    Alive,
    Failed,
    Prepare,
    Quit,
    Ready,
    StartStream,
    StopStream,
    StreamEnded,
    Warm,
    decode,
    encode,
)

MODE = VideoMode(width_px=1280, height_px=720, refresh_mhz=59_940)
DRIVER = DriverRef(name="x", settings={"argv": ["foot", "-F"], "level": 3, "on": True})
PLAN = SessionPlan(
    session_id=1,
    seat="pf-1",
    app_title="Desktop",
    launch=LaunchSpec(argv=("foot",), environment={"A": "b"}),
    mode=MODE,
    channels=6,
    compositor=DRIVER,
    capture=DRIVER,
    encoders=(DRIVER, DRIVER),
    audio=DRIVER,
    audio_encoder=DRIVER,
    input=DRIVER,
    runtime_root="/run",
    journal="/j",
    memory="/m",
)
STAGE = StageTiming(name="encode", p50_us=1, p99_us=2)
STREAM = StreamPlan(
    stream_id=7,
    request=StreamRequest(
        mode=MODE,
        codec=Codec.HEVC,
        color=ColorSpec(),
        slices_per_frame=1,
        max_reference_frames=1,
        packet_size=1024,
        bitrate_kbps=10_000,
        encoder_bitrate_kbps=7_000,
        min_fec_packets=2,
        fec_percent=20,
        audio=OpusParams(packet_ms=10),
        encrypt_video=True,
        encrypt_audio=True,
        control_v2=True,
        dscp_video=40,
        dscp_audio=0,
        client_sends_fec_status=True,
        client_knows_ping_payload=True,
    ),
    key=bytes(range(16)),
    key_id=0xCE8F_ED48,
    ping_payload=b"0123456789ABCDEF",
    connect_data=0xDEAD_BEEF,
    client_ip="127.0.0.1",
)


@pytest.mark.parametrize(
    "message",
    [
        Warm(("encode:software",)),
        Prepare(PLAN),
        StartStream(STREAM),
        StopStream(7, StreamEnd.TAKEN_OVER),
        Quit(StreamEnd.UNPAIRED),
        Ready(),
        StreamEnded(7, StreamEnd.CLIENT_LEFT, "bye"),
        Failed(stream_id=7, driver="kwin", reason="not here", hint="install it", available=("x",)),
        Alive((StreamSample(stream_id=7, window_ms=1000, stages=(STAGE,)),)),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_one_side_says_the_other_understands(message):
    assert decode(encode(message)) == message


def test_keys_are_in_no_representation():
    text = repr(StartStream(STREAM))

    assert STREAM.key.hex() not in text
    assert "0123456789ABCDEF" not in text
    assert str(STREAM.connect_data) not in text


def test_descriptors_travel_with_a_message():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reader, writer = os.pipe()
    with ours, theirs:
        messages.send(ours, StartStream(STREAM), (writer,))
        received = messages.receive(theirs)
    assert received is not None
    message, (copy,) = received
    os.write(copy, b"through")

    assert message == StartStream(STREAM)
    assert os.read(reader, 16) == b"through"
    for descriptor in (reader, writer, copy):
        os.close(descriptor)


def test_the_end_of_the_link_is_told_apart_from_a_message():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.close()
    with theirs:
        assert messages.receive(theirs) is None


@given(st.binary(max_size=200))
def test_nonsense_is_an_error_of_ours_and_quotes_nothing(data):
    with pytest.raises(ProtocolError) as caught:
        decode(data)

    assert caught.value.__cause__ is None


def test_a_message_that_would_not_fit_is_refused_before_it_is_sent():
    with pytest.raises(ProtocolError):
        encode(Failed(reason="x" * messages.MAX_MESSAGE_BYTES))
