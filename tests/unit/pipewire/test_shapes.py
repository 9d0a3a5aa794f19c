"""Formats, sizes and cuts of pictures, from a real producer where it takes one."""

import ctypes
import os
import time
from pathlib import Path

import numpy as np
import pytest

from punktfunk.errors import DriverFailed
from punktfunk.model.frames import Area, DmaBuf, Frame
from punktfunk.model.video import PixelFormat, VideoMode
from punktfunk.pipewire import PipeWireVideo, library
from punktfunk.pipewire.buffers import Memory
from punktfunk.pipewire.formats import DMA_BUF, MEM_FD, PictureFormat
from punktfunk.pipewire.shapes import cropped

PATIENCE_S = 20.0
NV12 = PixelFormat.NV12


def mode(width_px: int, height_px: int) -> VideoMode:
    return VideoMode(width_px=width_px, height_px=height_px, refresh_mhz=60_000)


def read(video: PipeWireVideo) -> Frame:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        frame = video.read(0.5)
        if frame is not None:
            return frame
    raise AssertionError("no picture came")


@pytest.mark.desktop
@pytest.mark.parametrize(("width", "height"), [(320, 200), (322, 181)])
def test_nv12_comes_in_two_planes_when_it_is_asked_for(
    start_source, server, request, width: int, height: int
) -> None:
    start_source(f"format=NV12,width={width},height={height},framerate=30/1")
    video = PipeWireVideo(server.runtime, "source", mode(width, height), formats=(NV12,))
    request.addfinalizer(video.close)

    frame = read(video)

    assert frame.format is NV12
    luma, chroma = frame.planes
    assert luma.shape == (height, width)
    assert chroma.shape == ((height + 1) // 2, width)
    assert (chroma == 128).all()  # the ball is white on black: no colour in it
    assert luma.min() < 40
    assert luma.max() > 200
    frame.release()


@pytest.mark.desktop
def test_a_producer_that_comes_back_larger_is_shown_by_a_new_stream(
    start_source, server, request
) -> None:
    for width, height in ((320, 200), (640, 360)):
        source = start_source(f"format=BGRx,width={width},height={height},framerate=30/1")
        video = PipeWireVideo(server.runtime, "source", mode(320, 200))
        request.addfinalizer(video.close)
        frame = read(video)
        assert (frame.width_px, frame.height_px) == (width, height)
        frame.release()
        source.stop()
        with pytest.raises(DriverFailed):
            while True:
                read(video).release()


def test_only_rgb_is_drawn_into(tmp_path) -> None:
    with pytest.raises(ValueError, match="packed formats"):
        PipeWireVideo(tmp_path, "source", mode(16, 16), formats=(NV12,), cursor=True)


def nv12(width_px: int, height_px: int):
    chroma = (height_px + 1) // 2, width_px + width_px % 2
    return np.zeros((height_px, width_px), np.uint8), np.zeros(chroma, np.uint8)


@pytest.mark.parametrize(
    ("crop", "expected"),
    [
        (Area(2, 4, 6, 5), [(5, 6), (3, 6)]),
        (Area(1, 4, 6, 5), [(20, 20), (10, 20)]),
        (Area(2, 4, 60, 5), [(20, 20), (10, 20)]),
        (None, [(20, 20), (10, 20)]),
    ],
)
def test_a_cut_keeps_both_planes_together(crop, expected) -> None:
    planes, agreed = cropped(nv12(20, 20), PictureFormat(NV12, 20, 20), crop)

    assert [plane.shape for plane in planes] == expected
    assert (agreed.height_px, agreed.width_px) == expected[0]


@pytest.fixture
def buffer(request):
    """A producer's buffer in shared memory, with whatever its chunk says."""

    def make(
        size_bytes: int, *, offset: int = 0, size: int = 1, stride: int = 0, kind: int = MEM_FD
    ) -> Memory:
        fd = os.memfd_create("picture")
        request.addfinalizer(lambda: os.close(fd))
        os.truncate(fd, size_bytes)
        chunk = library.Chunk(offset=offset, size=size, stride=stride)
        data = library.Data(type=kind, fd=fd, maxsize=size_bytes, chunk=ctypes.pointer(chunk))
        inner = library.SpaBuffer(n_datas=1, datas=ctypes.pointer(data))
        outer = library.Buffer(buffer=ctypes.pointer(inner))
        kept.append((chunk, data, inner, outer))
        return Memory(ctypes.addressof(outer))

    kept: list[object] = []
    return make


@pytest.mark.parametrize(
    "chunk",
    [
        {"offset": 4_000_000_000},
        {"offset": 1},
        {"stride": 2**31 - 1},
        {"stride": -80},
        {"stride": 79},
    ],
)
@pytest.mark.parametrize("pixels", [PixelFormat.BGRX, NV12])
def test_a_chunk_that_lies_about_its_place_is_refused(buffer, chunk, pixels) -> None:
    width_px = 20 if pixels is PixelFormat.BGRX else 80
    rows = 10 if pixels is PixelFormat.BGRX else 15

    with pytest.raises(DriverFailed, match="does not fit"):
        buffer(80 * rows, **chunk).picture(PictureFormat(pixels, width_px, 10))


@pytest.mark.parametrize(
    "chunk", [{"offset": 4_000_000_000}, {"offset": 4}, {"stride": -80}, {"stride": 79}]
)
def test_gpu_memory_whose_chunk_lies_about_its_place_is_refused(buffer, chunk) -> None:
    agreed = PictureFormat(PixelFormat.BGRX, 20, 10, DmaBuf.LINEAR)
    memory = buffer(800, kind=DMA_BUF, **{"stride": 80, **chunk})

    for use in (memory.dmabuf, memory.picture):
        with pytest.raises(DriverFailed, match="does not fit"):
            use(agreed)


def test_gpu_memory_in_a_layout_of_its_own_is_handed_on_but_not_read(buffer) -> None:
    agreed = PictureFormat(PixelFormat.BGRX, 20, 10, 7)
    memory = buffer(300, kind=DMA_BUF, stride=16)

    assert memory.dmabuf(agreed).planes[0].stride == 16
    with pytest.raises(DriverFailed, match="only a GPU"):
        memory.picture(agreed)


def test_a_format_of_two_planes_has_two_in_gpu_memory(buffer) -> None:
    with pytest.raises(DriverFailed, match="makes no sense"):
        buffer(80 * 15, kind=DMA_BUF, stride=80).dmabuf(PictureFormat(NV12, 80, 10, 0))


def test_gpu_memory_that_is_none_is_refused() -> None:
    data = library.Data(type=DMA_BUF, fd=-1)
    inner = library.SpaBuffer(n_datas=1, datas=ctypes.pointer(data))
    outer = library.Buffer(buffer=ctypes.pointer(inner))

    with pytest.raises(DriverFailed, match="cannot be used"):
        Memory(ctypes.addressof(outer))


def test_a_second_plane_beyond_the_memory_is_refused(buffer) -> None:
    memory = buffer(80 * 15, size=2**32 - 1, stride=80)

    with pytest.raises(DriverFailed, match="does not fit"):
        memory.picture(PictureFormat(NV12, 80, 10))


def test_a_chunk_that_fits_exactly_is_read(buffer) -> None:
    planes = buffer(80 * 15, size=80 * 15, stride=80).picture(PictureFormat(NV12, 80, 10))

    assert [plane.shape for plane in planes] == [(10, 80), (5, 80)]


def test_memory_that_is_smaller_than_it_says_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "picture").open("wb+") as file:
        data = library.Data(type=MEM_FD, fd=file.fileno(), maxsize=4_096)
        inner = library.SpaBuffer(n_datas=1, datas=ctypes.pointer(data))
        outer = library.Buffer(buffer=ctypes.pointer(inner))

        with pytest.raises(DriverFailed, match="smaller than it says"):
            Memory(ctypes.addressof(outer))
