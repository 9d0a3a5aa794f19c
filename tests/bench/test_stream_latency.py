"""What the host adds to a picture's age, and what a worker needs of memory.

From capture to the last packet, without the encoder and without intended pacing pauses: the
worker measures that itself and reports it once a second.
"""

import asyncio
import os
import statistics

import pytest

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(os.environ.get("PUNKTFUNK_BENCH") != "1", reason="PUNKTFUNK_BENCH=1 only"),
]

SECONDS = 8
STAGES = ("capture", "submit", "encode", "packetize", "send")


@pytest.mark.parametrize(
    ("width_px", "height_px", "bitrate_kbps"),
    [(1_280, 720, 10_000), (1_920, 1_080, 20_000)],
    ids=["720p60", "1080p60"],
)
@pytest.mark.parametrize("encrypt", [False, True], ids=["clear", "encrypted"])
async def test_the_host_adds_little_to_a_pictures_age(
    streaming, memory_of, width_px, height_px, bitrate_kbps, encrypt
):
    load_before = os.getloadavg()[0]
    async with streaming(width_px, height_px, bitrate_kbps, encrypt) as stream:
        await asyncio.sleep(SECONDS)
        memory = memory_of(stream.worker.pid)
        seconds = stream.samples[1:]  # the first is not whole
        assert len(seconds) >= SECONDS - 2
        assert stream.listener.video_bytes > 0

    p50s = [second.latency_p50_us for second in seconds]
    p99s = [second.latency_p99_us for second in seconds]
    kind = "encrypted" if encrypt else "clear"
    print(f"\n{width_px}x{height_px}@60, {bitrate_kbps} kbit/s, {kind}, one second at a time, us")
    print(f"  load average before: {load_before:.2f}")
    print(f"  latency p50: median {statistics.median(p50s):.0f}")
    print(f"  latency p99: median {statistics.median(p99s):.0f}, {min(p99s)} to {max(p99s)}")
    for number, name in enumerate(STAGES):
        p50 = statistics.median(second.stages[number].p50_us for second in seconds)
        p99 = statistics.median(second.stages[number].p99_us for second in seconds)
        print(f"  {name}: p50 {p50:.0f}, p99 {p99:.0f}")
    starts = ", ".join(f"{name} {value:.0f}" for name, value in stream.start_ms.items())
    print(f"  a warm worker's start, ms: {starts}")
    for what, used in (("spare", stream.spare_memory), ("streaming", memory)):
        print(f"  {what}: {used.resident_mb:.0f} MB resident, {used.proportional_mb:.0f} its share")

    frames = sum(second.frames_new for second in seconds)
    assert frames > 50 * len(seconds)
    assert statistics.median(p50s) < 0.3 * 16_667
    assert memory.resident_mb < 3 * stream.spare_memory.resident_mb
