"""What a picture from an X server costs, against copying the same bytes once.

A program repaints the whole screen at 60 Hz, the worst case. Counted is the capturing thread, and
what the X server needs more than while nobody captures. Rounds alternate, medians are compared.
"""

import os
import shutil
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from punktfunk_capture_x11.capture import X11Capture
from punktfunk_capture_x11.compositor import X11Compositor

from punktfunk.plugin import VideoMode
from punktfunk.testing import FakeSeat

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(os.environ.get("PUNKTFUNK_BENCH") != "1", reason="PUNKTFUNK_BENCH=1 only"),
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed"),
    pytest.mark.timeout(120),
]

PROGRAM = Path(__file__).parents[2] / "plugins" / "capture_x11" / "tests" / "lab_client.py"
ROUNDS, ROUND_S, COPIES = 3, 3, 40
RATE_HZ = 60


def server_us(pid):
    """CPU time of an X server so far."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1_000


def copy_us(width, height):
    """CPU time of copying a picture's bytes."""
    source, target = np.ones((2, height, width * 4), np.uint8)
    began = time.thread_time_ns()
    for _ in range(COPIES):
        np.copyto(target, source)
    return (time.thread_time_ns() - began) / 1_000 / COPIES


def capture_round(capture):
    """Frames, and CPU microseconds of this thread."""
    frames, cpu_ns, until = 0, time.thread_time_ns(), time.monotonic() + ROUND_S
    while time.monotonic() < until:
        frame = capture.read(0.5)
        if frame is not None:
            frame.release()
            frames += 1
    return frames, (time.thread_time_ns() - cpu_ns) / 1_000


@pytest.mark.parametrize(("width", "height"), [(1_280, 720), (1_920, 1_080)])
def test_a_picture_costs_a_few_copies_of_it(width, height):
    mode = VideoMode(width_px=width, height_px=height, refresh_mhz=RATE_HZ * 1_000)
    compositor, capture = X11Compositor(), X11Capture()
    with FakeSeat() as seat:
        try:
            launched = time.monotonic()
            display = compositor.open(seat, mode)
            capture.open(seat, display, mode)
            capture.read(10).release()
            first_ms = (time.monotonic() - launched) * 1_000
            argv = [sys.executable, str(PROGRAM), "whole", os.devnull]
            seat.spawn("program", argv, environment=display.environment)
            xvfb, client, server, rates, copies = seat.processes[0].pid, [], [], [], []
            capture_round(capture)
            for _ in range(ROUNDS):
                before = server_us(xvfb)
                time.sleep(ROUND_S)
                alone = server_us(xvfb) - before
                frames, cpu_us = capture_round(capture)
                client.append(cpu_us / frames)
                server.append((server_us(xvfb) - before - 2 * alone) / frames)
                rates.append(frames / ROUND_S)
                copies.append(copy_us(width, height))
        finally:
            capture.close()
            compositor.close()

    ours_us, theirs_us, bare_us = (statistics.median(it) for it in (client, server, copies))
    total = (ours_us + theirs_us) / bare_us
    print(f"\n{width}x{height}@{RATE_HZ}, a whole new picture each time")
    print(
        f"  {statistics.median(rates):.1f} frames a second; first picture after {first_ms:.0f} ms"
    )
    print(f"  CPU microseconds a frame: ours {ours_us:.0f}, the X server's {theirs_us:.0f}")
    print(f"  one copy: {bare_us:.0f}; together {total:.2f} copies")
    assert statistics.median(rates) > RATE_HZ / 3
    assert total < 40  # most of ours is Python, which does not shrink with the picture
