import contextlib
import os
import signal
import socket
import time
from pathlib import Path

import numpy as np
import pytest

from punktfunk.errors import DriverFailed, DriverUnavailable
from punktfunk.model.frames import Frame
from punktfunk.model.video import PixelFormat, VideoMode
from punktfunk.pipewire import PipeWireServer, PipeWireVideo

MODE = VideoMode(width_px=640, height_px=360, refresh_mhz=60_000)
PATIENCE_S = 20.0
BGRX, CPU = 8, []


def read(video: PipeWireVideo) -> Frame:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        frame = video.read(0.5)
        if frame is not None:
            return frame
    raise AssertionError("no picture came")


@pytest.fixture
def open_video(server, request):
    def start(node: str = "source", mode: VideoMode = MODE, **more: object) -> PipeWireVideo:
        video = PipeWireVideo(server.runtime, node, mode, **more)
        request.addfinalizer(video.close)
        return video

    return start


@pytest.mark.desktop
def test_a_moving_picture_arrives_frame_by_frame(start_source, open_video) -> None:
    start_source()
    video = open_video()
    pictures, stamps = set(), []

    for _ in range(20):
        frame = read(video)
        assert (frame.format, frame.width_px, frame.height_px) == (PixelFormat.BGRX, 640, 360)
        assert frame.planes[0].shape == (360, 2_560)
        pictures.add(frame.planes[0].tobytes())
        stamps.append(frame.captured_ns)
        frame.release()

    assert len(pictures) > 15
    assert stamps == sorted(set(stamps))
    assert abs(time.monotonic_ns() - stamps[-1]) < 2_000_000_000


@pytest.mark.desktop
@pytest.mark.parametrize(
    ("name", "expected"),
    [("BGRA", PixelFormat.BGRX), ("RGBx", PixelFormat.RGBX), ("RGBA", PixelFormat.RGBX)],
)
def test_other_orders_of_colours_are_named(start_source, open_video, name, expected) -> None:
    start_source(f"format={name},width=320,height=200,framerate=30/1")

    frame = read(open_video())

    assert frame.format is expected
    assert frame.planes[0].shape == (200, 1_280)


@pytest.mark.desktop
def test_a_slower_client_gets_fewer_pictures(start_source, open_video) -> None:
    start_source()
    video = open_video(mode=VideoMode(width_px=640, height_px=360, refresh_mhz=10_000))
    read(video).release()

    began = time.monotonic()
    for _ in range(10):
        read(video).release()

    assert time.monotonic() - began > 0.8


@pytest.mark.desktop
def test_pictures_that_are_out_stay_as_they_are(start_source, open_video) -> None:
    start_source()
    video = open_video()
    first, second = read(video), read(video)
    kept = first.planes[0].copy(), second.planes[0].copy()

    for _ in range(10):
        read(video).release()

    assert (first.planes[0] == kept[0]).all()
    assert (second.planes[0] == kept[1]).all()
    first.release()
    second.release()


@pytest.mark.desktop
def test_a_borrowed_picture_outlives_producer_and_stream(start_source, open_video) -> None:
    source = start_source()
    video = open_video()
    frame = read(video)
    kept = frame.planes[0].copy()

    source.stop()
    with pytest.raises(DriverFailed):
        drain(video)
    video.close()

    assert (frame.planes[0] == kept).all()
    frame.release()


@pytest.mark.desktop
def test_a_producer_that_dies_is_told_in_words(start_source, open_video) -> None:
    source = start_source()
    video = open_video()
    read(video).release()

    os.kill(source.pid, signal.SIGKILL)

    with pytest.raises(DriverFailed, match=r"gone|broke"):
        drain(video)


@pytest.mark.desktop
def test_a_pipewire_that_dies_is_told_in_words(start_source, open_video, seat) -> None:
    start_source()
    video = open_video()
    read(video).release()

    pipewire = next(process for process in seat.processes if process.name == "pictures-pipewire")
    os.kill(pipewire.pid, signal.SIGKILL)

    with pytest.raises(DriverFailed, match=r"gone|broke"):
        drain(video)


@pytest.mark.desktop
def test_a_node_that_is_not_there_is_an_error_not_a_wait(open_video, server) -> None:
    video = open_video(node="nobody")

    with pytest.raises(DriverFailed):
        drain(video)


@pytest.mark.desktop
def test_no_other_size_than_an_exact_one_is_taken(start_source, open_video) -> None:
    start_source()
    mode = VideoMode(width_px=328, height_px=184, refresh_mhz=30_000)
    video = open_video(mode=mode, exact_size=True)

    # Some session managers break the stream, others try for ever.
    with contextlib.suppress(DriverFailed):
        assert video.read(2.0) is None


@pytest.mark.desktop
def test_opening_and_closing_keeps_no_file_and_no_thread(start_gpu, open_video) -> None:
    start_gpu(formats=[[BGRX, CPU]])  # GStreamer's sink does not always come back for the next one
    counts = []
    for _ in range(4):
        video = open_video()
        read(video).release()
        video.close()
        video.close()
        counts.append([len(list(Path(f"/proc/self/{of}").iterdir())) for of in ("fd", "task")])

    assert counts[1] == counts[3]


@pytest.mark.desktop
def test_one_that_is_closed_while_it_opens_keeps_no_file_either(start_source, open_video) -> None:
    start_source()
    counts = []
    for attempt in range(120):
        video = open_video()
        time.sleep(attempt % 40 / 2_000)  # what PipeWire sends meanwhile differs
        video.close()
        counts.append(len(list(Path("/proc/self/fd").iterdir())))

    assert counts[-1] == counts[0]


@pytest.mark.desktop
def test_the_server_leaves_nothing_behind(server: PipeWireServer, seat) -> None:
    server.check()

    server.stop()
    server.stop()

    assert seat.running == []
    assert list(seat.runtime_dir.iterdir()) == []


def test_without_a_pipewire_the_reason_names_the_place(tmp_path) -> None:
    with pytest.raises(DriverUnavailable, match="no PipeWire answers") as error:
        PipeWireVideo(tmp_path, "source", MODE)

    assert "install" in error.value.hint


def test_someone_who_is_no_pipewire_gives_no_picture_and_breaks_nothing(tmp_path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(tmp_path / "pipewire-0"))
        listening.listen()
        video = PipeWireVideo(tmp_path, "source", MODE)
        stranger, _ = listening.accept()
        with stranger:
            stranger.sendall(np.random.default_rng(1).bytes(4_096))
        with contextlib.suppress(DriverFailed):
            assert video.read(1.0) is None
        video.close()


def drain(video: PipeWireVideo) -> None:
    """Read until it fails."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        frame = video.read(0.5)
        if frame is not None:
            frame.release()
