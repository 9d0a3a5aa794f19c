"""DMA-BUFs from a real producer, see `gpu_producer.py`: as they are, read, and refused.

Ordinary memory takes their place where the kernel makes none: PipeWire hands any descriptor on.
What then is not proven is the kernel's part, the wait for a GPU.
"""

import contextlib
import fcntl
import mmap
import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from punktfunk.errors import DriverFailed
from punktfunk.model.frames import FOURCC, DmaBuf, DmaBufFormat, Frame
from punktfunk.model.video import PixelFormat, VideoMode
from punktfunk.pipewire import PipeWireVideo
from punktfunk.pixels.dmabuf import SYNC

pytestmark = pytest.mark.desktop

MODE = VideoMode(width_px=320, height_px=200, refresh_mhz=60_000)
PATIENCE_S = 120.0
TILED = 0x0100_0000_0000_0001
BGRX, XRGB, CPU = 8, 9, []
ANY_LAYOUT = (DmaBufFormat(PixelFormat.BGRX, (TILED, DmaBuf.LINEAR)),)


def read(video: PipeWireVideo) -> Frame:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        frame = video.read(0.5)
        if frame is not None:
            return frame
    raise AssertionError("no picture came")


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture(params=["memfd", "udmabuf", "vgem"])
def memory(request) -> str:
    nodes = {"memfd": "/dev/null", "udmabuf": "/dev/udmabuf", "vgem": "/dev/dri/card0"}
    node = Path(nodes[request.param])
    if not node.exists():
        pytest.skip(f"no {node}")
    return request.param


@pytest.fixture
def open_video(server, request):
    def start(*dmabufs: DmaBufFormat) -> PipeWireVideo:
        video = PipeWireVideo(server.runtime, "source", MODE, dmabufs=dmabufs)
        request.addfinalizer(video.close)
        return video

    return start


def test_gpu_memory_that_nobody_takes_is_read(start_gpu, open_video, memory) -> None:
    start_gpu(memory=memory, formats=[[BGRX, [DmaBuf.LINEAR]]], padding=64, offset=4_096)
    video = open_video()
    numbers = []

    for _ in range(20):
        frame = read(video)
        assert frame.dmabuf is None
        pixels = frame.planes[0].reshape(200, 320, 4)
        numbers.append(int(pixels[0, 0, 0]))
        assert (pixels == (numbers[-1], 17, 201, 99)).all()
        frame.release()

    assert numbers == sorted(set(numbers))


def test_gpu_memory_that_is_taken_comes_as_it_is(start_gpu, open_video, memory) -> None:
    start_gpu(memory=memory, formats=[[BGRX, [DmaBuf.LINEAR]]], padding=64, offset=4_096)
    video = open_video(*ANY_LAYOUT)
    numbers = []

    for _ in range(20):
        frame = read(video)
        assert frame.planes == ()
        assert frame.dmabuf is not None
        (plane,) = frame.dmabuf.planes
        assert (plane.offset, plane.stride) == (4_096, 1_344)
        assert frame.dmabuf.fourcc == FOURCC[PixelFormat.BGRX]
        if memory != "memfd":
            fcntl.ioctl(plane.fd, SYNC, struct.pack("=Q", 1))  # only a DMA-BUF knows it
        with mmap.mmap(plane.fd, 4_096 + 1_344 * 200, prot=mmap.PROT_READ) as memory_of_it:
            numbers.append(memory_of_it[4_096])
            assert memory_of_it[4_097:4_100] == bytes((17, 201, 99))
        frame.release()

    assert numbers == sorted(set(numbers))


def test_a_producer_chooses_among_the_layouts_that_are_taken(start_gpu, open_video, seat) -> None:
    start_gpu(formats=[[BGRX, [7, TILED, DmaBuf.LINEAR]], [BGRX, CPU]])

    frame = read(open_video(*ANY_LAYOUT))

    assert frame.dmabuf is not None
    assert frame.dmabuf.modifier == TILED
    assert seat.log_tail("source") == f"chose {TILED}"
    frame.release()


def test_cpu_memory_is_preferred_where_gpu_memory_would_have_to_be_read(
    start_gpu, open_video, seat
) -> None:
    start_gpu(formats=[[BGRX, [TILED, DmaBuf.LINEAR]], [BGRX, CPU]])

    frame = read(open_video())

    assert (frame.planes[0][:, 1::4] == 17).all()
    assert seat.log_tail("source") == ""
    frame.release()


@pytest.mark.parametrize("formats", [[[BGRX, CPU]], [[XRGB, [DmaBuf.LINEAR]]]])
def test_a_producer_without_what_is_taken_is_read(start_gpu, open_video, formats) -> None:
    start_gpu(formats=formats)

    frame = read(open_video(*ANY_LAYOUT))

    assert frame.dmabuf is None
    assert (frame.planes[0][:, 1::4] == 17).all()
    frame.release()


def test_a_layout_that_only_a_gpu_can_read_is_not_agreed_on(start_gpu, open_video) -> None:
    start_gpu(formats=[[BGRX, [TILED]]])
    video = open_video()

    # Some session managers break the stream, others try for ever.
    with contextlib.suppress(DriverFailed):
        assert video.read(2.0) is None


def test_who_does_not_say_how_much_it_filled_is_shown(start_gpu, open_video) -> None:
    start_gpu(formats=[[BGRX, [DmaBuf.LINEAR]]], says_size=False)

    frame = read(open_video(*ANY_LAYOUT))

    assert frame.dmabuf is not None
    frame.release()


@pytest.mark.parametrize("dmabufs", [ANY_LAYOUT, ()])
def test_no_descriptor_stays_open(start_gpu, open_video, dmabufs) -> None:
    start_gpu(formats=[[BGRX, [DmaBuf.LINEAR]]])
    counts = []
    for _ in range(4):
        video = open_video(*dmabufs)
        for _ in range(12):
            read(video).release()
        video.close()
        counts.append(open_descriptors())

    assert counts[1] == counts[3]


def test_a_borrowed_picture_outlives_the_stream_and_is_closed_with_its_release(
    start_gpu, open_video
) -> None:
    source = start_gpu(formats=[[BGRX, [DmaBuf.LINEAR]]])
    video = open_video(*ANY_LAYOUT)
    frame = read(video)
    assert frame.dmabuf is not None
    (plane,) = frame.dmabuf.planes
    with mmap.mmap(plane.fd, 64, prot=mmap.PROT_READ) as before:
        number = before[0]

    source.stop()
    video.close()
    with mmap.mmap(plane.fd, 64, prot=mmap.PROT_READ) as after:
        assert np.array_equal(np.frombuffer(after[:4], np.uint8), (number, 17, 201, 99))
    frame.release()
    del frame

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(plane.fd)
