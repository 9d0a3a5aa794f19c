"""GPU memory read by the CPU. Ordinary memory stands in; the pipewire tests have a kernel's."""

import os
from pathlib import Path

import numpy as np
import pytest

from punktfunk.errors import DriverFailed
from punktfunk.model.frames import FOURCC, DmaBuf, DmaBufPlane, Frame
from punktfunk.model.video import PixelFormat
from punktfunk.pixels.dmabuf import MappedDmaBuf, readable_planes


@pytest.fixture
def gpu_frame():
    """A frame in memory that is a GPU's by name."""
    fds = []

    def make(*, size=4_096, stride=64, offset=128, modifier=DmaBuf.LINEAR):
        fd = os.memfd_create("picture")
        fds.append(fd)
        os.write(fd, (np.arange(size) % 251).astype(np.uint8).tobytes())
        return Frame(
            format=PixelFormat.BGRX,
            width_px=10,
            height_px=20,
            planes=(),
            dmabuf=DmaBuf(
                fourcc=FOURCC[PixelFormat.BGRX],
                modifier=modifier,
                planes=(DmaBufPlane(fd, offset, stride),),
            ),
            captured_ns=1,
        )

    yield make
    for fd in fds:
        os.close(fd)


def test_rows_are_found_where_the_frame_says_they_are(gpu_frame):
    with readable_planes(gpu_frame()) as (plane,):
        wanted = (np.arange(4_096) % 251).astype(np.uint8)[128:].reshape(-1, 64)[:20, :40]

        assert np.array_equal(plane, wanted)
        assert not plane.flags.writeable


def test_of_a_frame_in_cpu_memory_its_own_planes_are_read(gpu_frame):
    frame = gpu_frame()
    frame.dmabuf, frame.planes = None, (np.zeros((20, 40), np.uint8),)

    with readable_planes(frame) as planes:
        assert planes is frame.planes


@pytest.mark.parametrize(
    "lie",
    [{"offset": -4}, {"offset": 4_096 - 19 * 64 - 39}, {"stride": 39}, {"stride": 2**31 - 1}],
)
def test_a_place_outside_of_the_memory_is_refused(gpu_frame, lie):
    with pytest.raises(DriverFailed, match="does not fit"), readable_planes(gpu_frame(**lie)):
        pass


@pytest.mark.parametrize("modifier", [DmaBuf.IMPLICIT, 7])
def test_a_layout_that_only_the_gpu_knows_is_refused(gpu_frame, modifier):
    with (
        pytest.raises(DriverFailed, match="only the GPU"),
        readable_planes(gpu_frame(modifier=modifier)),
    ):
        pass


def test_what_cannot_be_mapped_is_refused_in_words():
    reading, writing = os.pipe()
    try:
        for fd in (reading, writing, -1):
            with pytest.raises(DriverFailed, match="cannot be read by the CPU"):
                MappedDmaBuf(fd)
    finally:
        os.close(reading)
        os.close(writing)


def test_nothing_stays_open_or_mapped_after_reading(gpu_frame):
    frame = gpu_frame()
    name = str(Path(f"/proc/self/fd/{frame.dmabuf.planes[0].fd}").readlink()).split(" ")[0]
    for _ in range(20):
        with readable_planes(frame) as planes:
            assert planes
        del planes

    assert name not in Path("/proc/self/maps").read_text()
