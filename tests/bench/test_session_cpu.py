"""What a whole 720p60 session costs, against an encoder that does nothing else.

The session counts the worker and its share of the host, the sound included. The drawing of
the test card is taken off: an app pays for that. Nothing is taken off for the tone, which is
read from a table: what it costs is being woken 200 times a second, and any source does that.
The card says which small part of the picture it repainted, so only that is converted, as on a
desktop; `test_pixels` says what the whole costs. Rounds alternate, medians are compared.
"""

import asyncio
import json
import os
import statistics
import sys
from pathlib import Path

import pytest
from harness import MoonlightClient, create_identities
from host_process import HostProcess

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(os.environ.get("PUNKTFUNK_BENCH") != "1", reason="PUNKTFUNK_BENCH=1 only"),
    pytest.mark.timeout(120),
]

WIDTH_PX, HEIGHT_PX, KBPS = 1_280, 720, 10_000
ENCODER_KBPS = 8_000
ROUNDS, ROUND_S = 4, 4
FPS = 60


def cpu_us(pid):
    """CPU time of each of a process's threads so far, the oldest thread first."""
    tasks = sorted(Path(f"/proc/{pid}/task").iterdir(), key=lambda task: int(task.name))
    return [int((task / "schedstat").read_text().split()[0]) / 1_000 for task in tasks]


async def a_session(streaming):
    """Microseconds a frame: all threads of the worker, and its main thread alone."""
    async with streaming(WIDTH_PX, HEIGHT_PX, KBPS) as stream:
        await stream.told(1)
        before = cpu_us(stream.worker.pid)
        await stream.told(1 + ROUND_S)
        after = cpu_us(stream.worker.pid)
    frames = sum(sample.frames_new for sample in stream.samples[1:])
    assert frames > ROUND_S * FPS / 2
    return (sum(after) - sum(before)) / frames, (after[0] - before[0]) / frames


async def a_bare_encoder():
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("bare_encoder.py"))),
        *map(str, (WIDTH_PX, HEIGHT_PX, ENCODER_KBPS, ROUND_S, len(os.sched_getaffinity(0)))),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await child.communicate()
    assert child.returncode == 0
    return json.loads(output)


def control_us(folder):
    """What a real client's control connection and the host cost, microseconds a frame."""
    identity = folder / "identity"
    create_identities([identity])
    with (
        HostProcess() as host,
        MoonlightClient(identity, "127.0.0.1", host.base_port) as client,
    ):
        host.pair(client, identity)
        client.launch("Test pattern", width=WIDTH_PX, height=HEIGHT_PX, fps=FPS)
        client.start(codec="h264", bitrate_kbps=KBPS)
        client.wait_frames(30)
        worker = host.worker_of_port(host.base_port + 9)
        before = sum(cpu_us(host.pid)), cpu_us(worker)[0]
        client.stats(reset=True)
        client.wait_frames(ROUND_S * FPS)
        after = sum(cpu_us(host.pid)), cpu_us(worker)[0]
        client.quit()
    return [(late - early) / ROUND_S / FPS for early, late in zip(before, after, strict=True)]


async def test_a_session_costs_little_more_than_its_encoder(streaming, tmp_path):
    host_us, main_us = await asyncio.to_thread(control_us, tmp_path)
    workers, bare = [], []
    for _ in range(ROUNDS):
        all_us, idle_main_us = await a_session(streaming)
        workers.append(all_us - idle_main_us)
        bare.append(await a_bare_encoder())

    worker_us = statistics.median(workers)
    encode_us, draw_us, convert_us = (
        statistics.median(one[name] for one in bare) for name in ("encode", "draw", "convert")
    )
    session_us = worker_us + host_us + main_us - draw_us
    bare_rounds = [f"{one['encode']:.0f}" for one in bare]
    print(f"\n720p60, CPU microseconds a frame (load average {os.getloadavg()[0]:.2f})")
    print(f"  bare x264: {encode_us:.0f}  ({', '.join(bare_rounds)})")
    print(f"  session: {session_us:.0f} = {session_us / encode_us:.2f} x bare (goal 1.25)")
    print(f"  worker's media threads: {', '.join(f'{value:.0f}' for value in workers)}")
    print(f"  its main thread with a real client: {main_us:.0f}, the host: {host_us:.0f}")
    print(f"  taken off for drawing: {draw_us:.0f}; converting alone: {convert_us:.0f}")
    assert session_us < 3 * encode_us
