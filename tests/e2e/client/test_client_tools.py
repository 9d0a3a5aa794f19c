"""The tools of the end-to-end proof, proven themselves: client, decoders, card reader, relay."""

import contextlib
import ctypes
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from card_reader import Card, draw_card, read_card
from harness import ClientError, MoonlightClient, Relay, create_identities
from moonlight_audio import AudioPipeline, OpusDecoder, OpusError, OpusLayout, dominant_tone
from moonlight_library import format_log
from moonlight_video import Unit, VideoPipeline

WIDTH_PX, HEIGHT_PX = 640, 360
STEREO = OpusLayout(48_000, 2, 1, 1, 240, (0, 1))
SEVEN_ONE_HIGH = OpusLayout(48_000, 8, 8, 0, 240, tuple(range(8)))
SUNSHINE_LIKE = {"app_version": "7.1.431.-1", "gfe_version": "3.23.0.74", "codec_mode_support": 1}


def encoded_cards(codec: str, count: int, key_interval: int = 600) -> list[bytes]:
    """Frames as a host would send them, each with a card."""
    encoder = av.CodecContext.create(
        {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1"}[codec], "w"
    )
    encoder.width, encoder.height = WIDTH_PX, HEIGHT_PX
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, 60)
    encoder.framerate = Fraction(60)
    if codec != "av1":  # SVT-AV1 starves a short clip at a constant rate
        encoder.bit_rate = 4_000_000
    encoder.gop_size = key_interval
    encoder.options = {
        "h264": {"preset": "ultrafast", "tune": "zerolatency"},
        "hevc": {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "x265-params": "info=0:log-level=none:repeat-headers=1",
        },
        "av1": {"preset": "10", "crf": "10", "svtav1-params": "pred-struct=1:lookahead=0:rtc=1"},
    }[codec]
    frames = []
    for number in range(count):
        picture = av.VideoFrame(WIDTH_PX, HEIGHT_PX, "yuv420p")
        for plane in picture.planes:
            plane.update(bytes([128]) * plane.buffer_size)
        luma = np.full((HEIGHT_PX, WIDTH_PX), 60 + number, np.uint8)
        draw_card(luma, number, time.monotonic_ns())
        rows = np.zeros((HEIGHT_PX, picture.planes[0].line_size), np.uint8)
        rows[:, :WIDTH_PX] = luma
        picture.planes[0].update(rows.tobytes())
        picture.pts = number
        picture.time_base = encoder.time_base
        frames += [bytes(packet) for packet in encoder.encode(picture)]
    return frames + [bytes(packet) for packet in encoder.encode(None)]


def unit(number: int, data: bytes) -> Unit:
    return Unit(number, number == 1, 1.5, number * 1_500, time.monotonic_ns(), data)


def tones_packet_stream(layout: OpusLayout, tones_hz: list[float], packets: int) -> list[bytes]:
    """Opus multistream packets from libopus itself, one tone for each channel."""
    library = ctypes.CDLL("libopus.so.0")
    library.opus_multistream_encoder_create.restype = ctypes.c_void_p
    error = ctypes.c_int()
    encoder = ctypes.c_void_p(
        library.opus_multistream_encoder_create(
            48_000,
            layout.channels,
            layout.streams,
            layout.coupled_streams,
            bytes(layout.mapping),
            2_051,  # restricted low delay
            ctypes.byref(error),
        )
    )
    assert error.value == 0
    assert library.opus_multistream_encoder_ctl(encoder, 4_006, 0) == 0  # constant bit rate
    samples = np.arange(packets * 240)[:, None] / 48_000
    pcm = (0.4 * np.sin(2 * np.pi * samples * np.array(tones_hz))).astype(np.float32)
    buffer = ctypes.create_string_buffer(4_000)
    found = []
    for index in range(packets):
        block = np.ascontiguousarray(pcm[index * 240 : (index + 1) * 240])
        length = library.opus_multistream_encode_float(
            encoder, ctypes.c_void_p(block.ctypes.data), 240, buffer, 4_000
        )
        assert length > 0
        found.append(buffer.raw[:length])
    library.opus_multistream_encoder_destroy(encoder)
    return found


@pytest.fixture
def client(tmp_path: Path) -> Iterator[MoonlightClient]:
    with MoonlightClient(tmp_path / "id", http_port=1, log_path=tmp_path / "log") as running:
        yield running


# --- card ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("height_px", [360, 720, 1080])
def test_a_card_is_read_as_it_was_drawn(height_px: int) -> None:
    luma = np.full((height_px, height_px * 16 // 9), 90, np.uint8)
    draw_card(luma, 0xDEADBEEF, 0x0123_4567_89AB_CDEF)
    assert read_card(luma) == Card(0xDEADBEEF, 0x0123_4567_89AB_CDEF)


def test_one_wrong_cell_is_no_card() -> None:
    luma = np.zeros((720, 1280), np.uint8)
    draw_card(luma, 7, 9)
    luma[:16, :16] = 235
    assert read_card(luma) is None


def test_a_picture_too_small_for_a_card_has_none() -> None:
    assert read_card(np.zeros((32, 64), np.uint8)) is None


# --- video --------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_every_encoded_frame_is_decoded_and_its_card_read(codec: str, tmp_path: Path) -> None:
    pipeline = VideoPipeline(codec)
    for number, data in enumerate(encoded_cards(codec, 12), start=1):
        pipeline.submit(unit(number, data))
    assert pipeline.drain(20)
    found = pipeline.statistics()
    assert (found["frames_received"], found["frames_decoded"], found["frames_undecodable"]) == (
        12,
        12,
        0,
    )
    cards = found["cards"]
    assert (cards["first"], cards["last"], cards["distinct"], cards["missing"]) == (0, 11, 12, [])
    assert pipeline.save_picture(tmp_path / "last.png")["width"] == WIDTH_PX
    assert (tmp_path / "last.png").read_bytes().startswith(b"\x89PNG")
    assert len(set(pipeline.pixel(WIDTH_PX - 1, HEIGHT_PX - 1))) == 1
    pipeline.close()


def test_a_gap_in_frame_numbers_and_in_counters_is_reported() -> None:
    pipeline = VideoPipeline("h264")
    for number, data in enumerate(encoded_cards("h264", 8, key_interval=1), start=1):
        if number != 7:
            pipeline.submit(unit(number, data))
    assert pipeline.drain(10)
    found = pipeline.statistics()
    assert found["frames_missing_on_wire"] == 1
    assert found["frame_number_gaps"][0]["first"] == 7
    assert found["cards"]["missing"] == [6]
    pipeline.close()


def test_a_damaged_frame_is_counted_and_a_key_frame_is_asked_for_once() -> None:
    asked: list[int] = []
    pipeline = VideoPipeline("h264", lambda: asked.append(1))
    frames = encoded_cards("h264", 3)
    pipeline.submit(unit(1, frames[0]))
    for number in (2, 3):
        pipeline.submit(unit(number, b"\0\0\0\1\x41" + bytes(200)))
    assert pipeline.drain(10)
    found = pipeline.statistics()
    assert (found["frames_decoded"], found["frames_undecodable"], asked) == (1, 2, [1])
    pipeline.close()


def test_a_reset_begins_a_new_window() -> None:
    pipeline = VideoPipeline("h264")
    frames = encoded_cards("h264", 6)
    for number in range(1, 4):
        pipeline.submit(unit(number, frames[number - 1]))
    assert pipeline.drain(10)
    pipeline.reset()
    for number in range(4, 7):
        pipeline.submit(unit(number, frames[number - 1]))
    assert pipeline.drain(10)
    found = pipeline.statistics()
    assert (found["frames_received"], found["cards"]["first"], found["cards"]["last"]) == (3, 3, 5)
    assert found["frames_missing_on_wire"] == 0
    pipeline.close()


# --- audio --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "tones_hz"),
    [
        (STEREO, [440, 1_000]),
        (SEVEN_ONE_HIGH, [300, 500, 700, 900, 1_100, 1_300, 1_500, 1_700]),
    ],
)
def test_every_channel_keeps_its_own_tone(layout: OpusLayout, tones_hz: list[float]) -> None:
    pipeline = AudioPipeline(layout)
    for packet in tones_packet_stream(layout, tones_hz, 150):
        pipeline.submit(packet)
    assert pipeline.drain(10)
    found = pipeline.statistics()
    assert (found["packets"], found["samples"], found["decode_errors"]) == (150, 150 * 240, 0)
    assert [each["hz"] for each in found["channels"]] == pytest.approx(tones_hz, abs=4)
    assert all(each["share"] > 0.8 for each in found["channels"])
    pipeline.close()


def test_a_lost_packet_is_concealed_and_counted() -> None:
    pipeline = AudioPipeline(STEREO)
    packets = tones_packet_stream(STEREO, [440, 440], 8)
    for packet in [*packets[:4], None, *packets[5:]]:
        pipeline.submit(packet)
    assert pipeline.drain(10)
    found = pipeline.statistics()
    assert (found["packets"], found["packets_lost"], found["samples"]) == (7, 1, 8 * 240)
    pipeline.close()


def test_silence_has_no_tone() -> None:
    assert dominant_tone(np.zeros(24_000, np.float32), 48_000)["hz"] is None


def test_an_impossible_layout_is_an_error_with_libopus_own_code() -> None:
    with pytest.raises(OpusError) as caught:
        OpusDecoder(OpusLayout(48_000, 2, 1, 1, 240, (0, 9)))
    assert caught.value.code == -1


# --- the library and the process ----------------------------------------------------------------


def test_log_templates_are_filled_from_machine_words() -> None:
    text = ctypes.c_char_p(b"video")
    address = ctypes.cast(text, ctypes.c_void_p).value or 0
    words = (address, 2**64 - 5, 255)
    assert format_log(b"%s: %d of %02x, %u%%\n", words) == "video: -5 of ff, ?%"


def test_a_bad_request_is_answered_and_the_process_goes_on(client: MoonlightClient) -> None:
    for command, members in (("fly", {}), ("key", {"vk": 65}), ("start", {"codec": "mjpeg"})):
        with pytest.raises(ClientError):
            client.request(command, **members)
    assert client.request("ping")["pid"] == client.pid


def test_a_host_that_is_not_there_is_named_with_the_stage(client: MoonlightClient) -> None:
    with pytest.raises(ClientError) as caught:
        client.serverinfo()
    assert (caught.value.kind, caught.value.stage) == ("network", "serverinfo http")


def test_a_refused_rtsp_request_names_the_stage_and_the_hosts_code(
    client: MoonlightClient,
) -> None:
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for code in (b"200 OK", b"454 Session Not Found"):
                connection, _peer = listener.accept()
                with connection:
                    requests.append(connection.recv(4_096))
                    connection.sendall(b"RTSP/1.0 " + code + b"\r\nCSeq: 1\r\n\r\n")

        server = threading.Thread(target=serve)
        server.start()
        port = listener.getsockname()[1]
        with pytest.raises(ClientError) as caught:
            client.start(session_url=f"rtsp://127.0.0.1:{port}", server=SUNSHINE_LIKE)
        server.join(5)
    assert [line.split()[0] for line in requests] == [b"OPTIONS", b"DESCRIBE"]
    assert (caught.value.kind, caught.value.stage, caught.value.code) == (
        "connection",
        "RTSP handshake",
        454,
    )
    stages = [event["stage"] for event in client.events_named("stage_complete")]
    assert "name resolution" in stages
    assert client.stats()["state"] == "failed"


def test_a_vanished_client_leaves_no_process(client: MoonlightClient) -> None:
    client.vanish()
    assert client.process.returncode == -9
    with pytest.raises(ClientError) as caught:
        client.request("ping")
    assert caught.value.kind == "gone"


def test_the_client_leaves_when_its_input_ends(tmp_path: Path) -> None:
    with MoonlightClient(tmp_path / "id", http_port=1) as running:
        process = running.process
    assert process.returncode == 0


def test_two_identities_share_subject_and_serial_but_not_the_key(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    create_identities(folders, serial=0)
    first, second = (
        ssl.PEM_cert_to_DER_cert((folder / "cert.pem").read_text()) for folder in folders
    )
    assert first != second
    for der in (first, second):
        assert b"NVIDIA GameStream Client" in der
        assert b"\xa0\x03\x02\x01\x02\x02\x01\x00" in der  # version 3, then serial 0


# --- relay --------------------------------------------------------------------------------------


@pytest.fixture
def echo_port() -> Iterator[int]:
    """A UDP echo on 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as echo:
        echo.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                data, peer = echo.recvfrom(2_048)
                if data == b"end":
                    return
                echo.sendto(peer[0].encode() + b" " + data, peer)

        server = threading.Thread(target=serve)
        server.start()
        yield echo.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"end", echo.getsockname())
        server.join(5)


def ask(relay_port: int, count: int) -> list[bytes]:
    """Send numbered datagrams through the relay, and collect the answers until none come."""
    answers: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(("127.0.0.3", relay_port))
        asking.settimeout(1.0)
        for number in range(count):
            asking.send(b"%d" % number)
        with contextlib.suppress(TimeoutError):
            while len(answers) < count:
                answers.append(asking.recv(2_048))
    return answers


def test_without_loss_everything_passes_and_the_host_sees_the_relays_address(
    echo_port: int,
) -> None:
    with Relay("--udp", f"video=0:{echo_port}") as relay:
        port = relay.events[0]["udp"]["video"]
        answers = ask(port, 50)
        assert answers == [b"127.0.0.3 %d" % number for number in range(50)]
        flows = relay.stats()["flows"]
        assert (flows["video:up"]["forwarded"], flows["video:down"]["forwarded"]) == (50, 50)


def test_loss_hits_the_same_datagrams_for_the_same_seed(echo_port: int) -> None:
    lost = []
    for _run in range(2):
        with Relay(
            "--udp", f"video=0:{echo_port}", "--loss", "video:up=20", "--seed", "7"
        ) as relay:
            ask(relay.events[0]["udp"]["video"], 60)
            flow = relay.stats()["flows"]["video:up"]
            assert flow["received"] == flow["forwarded"] + flow["dropped"] == 60
            lost.append(flow["dropped_at"])
    assert lost[0] == lost[1]
    assert 3 <= len(lost[0]) <= 25


def test_loss_can_change_while_the_relay_runs(echo_port: int) -> None:
    with Relay("--udp", f"video=0:{echo_port}") as relay:
        port = relay.events[0]["udp"]["video"]
        relay.set_loss(["video:down=100"])
        assert ask(port, 5) == []
        relay.set_loss(["all:both=0"])
        assert len(ask(port, 5)) == 5
        with pytest.raises(ClientError):
            relay.set_loss(["microphone:up=1"])


def test_tcp_passes_unchanged_with_half_close() -> None:
    question, reply = b"q" * 300_000, b"r" * 500_000
    with socket.create_server(("127.0.0.1", 0)) as listener:
        seen: dict[str, object] = {}

        def serve() -> None:
            connection, peer = listener.accept()
            with connection:
                data = b""
                while chunk := connection.recv(65_536):
                    data += chunk
                seen.update(data=data, ip=peer[0])
                connection.sendall(reply)

        server = threading.Thread(target=serve)
        server.start()
        host_port = listener.getsockname()[1]
        with Relay("--tcp", f"0:{host_port}") as relay:
            port = relay.events[0]["tcp"][str(host_port)]
            with socket.create_connection(("127.0.0.3", port), timeout=5) as connection:
                connection.sendall(question)
                connection.shutdown(socket.SHUT_WR)
                answer = b""
                while chunk := connection.recv(65_536):
                    answer += chunk
        server.join(5)
    assert (seen["data"], seen["ip"], answer) == (question, "127.0.0.3", reply)
