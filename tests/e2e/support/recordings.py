"""Recordings of streams that nobody streamed."""

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from punktfunk.model.session import StageTiming
from punktfunk.stats import Capture, CaptureMeta, StatsSample
from punktfunk.stats.recording_file import line_of
from punktfunk.stats.recordings import FOLDER, Recordings

STAGES_US = {"capture": 600, "submit": 900, "encode": 4_200, "packetize": 500, "send": 350}


def made_samples(count: int, stages: Sequence[str] = tuple(STAGES_US)) -> list[StatsSample]:
    """A second each of 60 pictures, with slow ones and losses now and then; always the same."""
    chance = random.Random(count)
    samples = []
    for second in range(count):
        wave = 1 + 0.5 * math.sin(second / 40)
        slow = 4 if chance.random() < 0.01 else 1
        times_us = {name: STAGES_US.get(name, 800) * wave for name in stages}
        repeated = chance.choice((0, 0, 0, 0, 2, 8, 20))
        lost = chance.choice((*[0] * 30, 12, 25, 4))
        samples.append(
            StatsSample(
                t_ms=1_000 * second + chance.randint(0, 30),
                session_id=1,
                stages=tuple(
                    StageTiming(
                        name=name,
                        p50_us=round(us * chance.uniform(0.85, 1.15)),
                        p99_us=round(us * slow * chance.uniform(1.6, 2.4)),
                    )
                    for name, us in times_us.items()
                ),
                fps=60.0 - repeated,
                repeat_fps=float(repeated),
                mbps=round(18 * wave * chance.uniform(0.7, 1.1), 3),
                bitrate_kbps=20_000,
                frames_dropped=chance.choice((*[0] * 40, 1)),
                packets_dropped=lost,
                send_dropped=0,
                fec_recovered=lost * 3 // 4,
                client="c0ffee00",
            )
        )
    return samples


def save_recording(config: Path, samples: Sequence[StatsSample], **members: Any) -> str:
    """Put one into the configuration folder of a host; returns its id."""
    meta = {
        "id": f"made-{len(samples)}",
        "started_unix_ms": 1_782_504_843_000,
        "duration_ms": 1_000 * len(samples),
        "kind": "gamestream",
        "width": 2_560,
        "height": 1_440,
        "fps": 60,
        "codec": "hevc",
        "client": "c0ffee00",
        "sample_count": len(samples),
        **members,
    }
    capture = Capture(CaptureMeta(**meta), tuple(map(line_of, samples)))
    return Recordings(config / FOLDER).save(capture).id
