"""The converter against a copy of the frame and against swscale, and stretching against none, as
ratios.
"""

import os
import time
from statistics import median

import av
import numpy as np
import pytest

from punktfunk.model.frames import Area, Frame
from punktfunk.model.video import ColorSpec, PixelFormat
from punktfunk.pixels import Converter, warm_up

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(os.environ.get("PUNKTFUNK_BENCH") != "1", reason="PUNKTFUNK_BENCH is not 1"),
]

ROUNDS = 30


def medians_ms(*candidates):
    """Alternate the candidates round by round, by CPU time of this thread."""
    times = [[] for _ in candidates]
    for _ in range(ROUNDS):
        for place, candidate in enumerate(candidates):
            before = time.thread_time()
            candidate()
            times[place].append((time.thread_time() - before) * 1_000)
    return [median(one) for one in times]


@pytest.mark.parametrize("target", [PixelFormat.I420, PixelFormat.NV12], ids=str)
@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (3840, 2160)], ids=str)
def test_conversion_costs_a_few_copies_and_less_than_swscale(size, target, capsys):
    width, height = size
    plane = np.random.default_rng(0).integers(0, 256, (height, width * 4), dtype=np.uint8)
    frame = Frame(
        format=PixelFormat.BGRX, width_px=width, height_px=height, planes=(plane,), captured_ns=1
    )
    warm_up()
    converter = Converter(PixelFormat.BGRX, target, width, height, ColorSpec())
    copy = np.empty_like(plane)
    picture = av.VideoFrame.from_numpy_buffer(plane.reshape(height, width, 4), format="bgra")
    swscale = av.video.reformatter.VideoReformatter()
    pixel_format = {PixelFormat.I420: "yuv420p", PixelFormat.NV12: "nv12"}[target]

    ours, memcpy, theirs = medians_ms(
        lambda: converter.convert(frame),
        lambda: np.copyto(copy, plane),
        lambda: swscale.reformat(picture, format=pixel_format, threads=1),
    )

    with capsys.disabled():
        print(
            f"\n{width}x{height} {target}: {ours:.2f} ms, {ours / memcpy:.1f} copies, "
            f"{theirs / ours:.1f} times faster than swscale"
        )
    assert ours < 8 * memcpy
    assert ours < theirs


def converting(has, wanted, damage=None):
    """A call that converts a picture of one size to another."""
    width, height = has
    plane = np.random.default_rng(0).integers(0, 256, (height, width * 4), dtype=np.uint8)
    frame = Frame(
        format=PixelFormat.BGRX,
        width_px=width,
        height_px=height,
        planes=(plane,),
        captured_ns=1,
        damage=damage,
    )
    converter = Converter(PixelFormat.BGRX, PixelFormat.I420, *wanted, ColorSpec())
    converter.convert(frame)
    return lambda: converter.convert(frame)


def a_twentieth(width, height):
    return (Area(width // 3, height // 3, width // 4, height // 5),)


def test_stretching_costs_little_where_little_changed(capsys):
    warm_up()
    large, small = (2560, 1440), (1920, 1080)

    plain, stretched, plain_part, stretched_part = medians_ms(
        converting(small, small),
        converting(large, small),
        converting(small, small, a_twentieth(*small)),
        converting(large, small, a_twentieth(*large)),
    )

    with capsys.disabled():
        print(f"\n2560x1440 stretched to 1920x1080 i420, load average {os.getloadavg()[0]:.2f}")
        print(f"  {stretched:.2f} ms, {stretched / plain:.2f} of converting 1080p ({plain:.2f} ms)")
        print(
            f"  with 5 % damage {stretched_part:.2f} ms, {stretched_part / stretched:.3f} of that; "
            f"{stretched_part / plain_part:.2f} of converting as much ({plain_part:.2f} ms)"
        )
    assert stretched_part < stretched
