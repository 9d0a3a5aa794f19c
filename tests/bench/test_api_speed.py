"""The management API beside a stream: requests a second, and what they do to the pace.

Everything is compared within one run: the status with the health check, which is as little as
an answer can be, and frames with 200 requests a second beside them with frames without.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import MoonlightClient, create_identities
from host_process import HostProcess, eventually

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(os.environ.get("PUNKTFUNK_BENCH") != "1", reason="PUNKTFUNK_BENCH=1 only"),
    pytest.mark.timeout(240),
]

ROUNDS, ROUND_S = 5, 1.0
GAMES = 2_000
PACE_ROUNDS, PACE_FRAMES = 4, 360
REQUESTS_PER_S = 200
REQUESTER = Path(__file__).with_name("requester.py")


@pytest.fixture(scope="module")
def streaming(tmp_path_factory):
    """A host with a stream of the test pattern to a real client."""
    identity = tmp_path_factory.mktemp("bench") / "identity"
    create_identities([identity])
    with (
        HostProcess() as host,
        MoonlightClient(identity, "127.0.0.1", host.base_port) as client,
    ):
        host.pair(client, identity)
        client.launch("Test pattern", width=1_280, height=720, fps=60)
        client.start(codec="h264", bitrate_kbps=10_000)
        client.wait_frames(120)
        yield host, client


def requests_per_s(host, path, **headers):
    """One connection, one request at a time."""
    connection = http.client.HTTPConnection("127.0.0.1", host.mgmt_port, timeout=10)
    headers["Authorization"] = f"Bearer {host.token()}"
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < ROUND_S:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        count += 1
    took_s = time.perf_counter() - began
    connection.close()
    return count / took_s


def test_an_answer_costs_little_more_than_saying_that_one_is_well(streaming):
    host, _ = streaming
    paths = ("/api/v1/health", "/api/v1/status", "/api/v1/stats/capture/status", "/metrics")
    rounds = {path: [] for path in paths}
    for _ in range(ROUNDS):
        for path in paths:
            rounds[path].append(requests_per_s(host, path))

    medians = {path: statistics.median(found) for path, found in rounds.items()}
    print(f"\nrequests a second, one at a time (load average {os.getloadavg()[0]:.2f})")
    for path, median in medians.items():
        share = median / medians[paths[0]]
        print(f"  {path}: {median:.0f} = {share:.2f} x health  ({_listed(rounds[path])})")
    assert medians["/api/v1/status"] > 0.2 * medians["/api/v1/health"]


@pytest.fixture(scope="module")
def with_games(tmp_path_factory):
    """A host whose only store lists so many games."""
    folder = tmp_path_factory.mktemp("roms")
    for number in range(GAMES):
        (folder / f"A game of some renown, part {number}.sfc").write_bytes(b"rom")
    settings = (
        '[plugins]\nallow = ["builtin", "roms"]\n'
        f'[plugin.roms]\nfolders = ["snes={folder}"]\nemulators = ["snes=/bin/true {{rom}}"]\n'
    )
    with HostProcess(settings) as host:
        eventually(lambda: len(host.api("GET", "/library")[1]) == GAMES, 60, "the games are listed")
        yield host


def test_a_library_of_2000_titles_is_told_nearly_as_fast(with_games):
    health, library = "/api/v1/health", "/api/v1/library"
    rounds = {"health": [], "library": [], "library, gzip accepted": []}
    for _ in range(ROUNDS):
        rounds["health"].append(requests_per_s(with_games, health))
        rounds["library"].append(requests_per_s(with_games, library))
        packed = requests_per_s(with_games, library, **{"Accept-Encoding": "gzip"})
        rounds["library, gzip accepted"].append(packed)

    medians = {name: statistics.median(found) for name, found in rounds.items()}
    print(f"\nrequests a second, {GAMES} titles (load average {os.getloadavg()[0]:.2f})")
    for name, median in medians.items():
        share = median / medians["health"]
        print(f"  {name}: {median:.1f} = {share:.4f} x health  ({_listed(rounds[name], 1)})")
    for encoding in ("identity", "gzip"):
        print(f"  {encoding}: {_size(with_games, library, encoding)}")
    assert medians["library"] > 0.1 * medians["health"]


def _size(host, path, encoding):
    """How long the answer is, and whether it was packed."""
    connection = http.client.HTTPConnection("127.0.0.1", host.mgmt_port, timeout=10)
    headers = {"Authorization": f"Bearer {host.token()}", "Accept-Encoding": encoding}
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    length = len(answer.read())
    connection.close()
    return f"{length:,} bytes, {answer.headers.get('Content-Encoding', 'plain')}"


@contextmanager
def requests(host):
    """So many a second, by a process of its own; yields what it says at the end."""
    said = {}
    arguments = [sys.executable, str(REQUESTER), str(host.mgmt_port), str(REQUESTS_PER_S)]
    child = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with child:
        child.stdin.write(f"{host.token()}\n")
        child.stdin.flush()
        assert child.stdout.readline() == "ready\n"
        try:
            yield said
        finally:
            child.stdin.close()
            said.update(json.loads(child.stdout.readline()))


def pace_ms(client):
    """The time between two frames' arrivals: its 99th percentile and its median."""
    client.stats(reset=True)
    client.wait_frames(PACE_FRAMES, timeout_s=30)
    interval_ms = client.stats()["video"]["interval_ms"]
    return interval_ms["p99"], interval_ms["p50"]


def test_requests_do_not_disturb_a_stream(streaming):
    host, client = streaming
    quiet, busy, rates = [], [], []
    for _ in range(PACE_ROUNDS):
        quiet.append(pace_ms(client))
        with requests(host) as said:
            busy.append(pace_ms(client))
        rates.append(said["per_s"])

    p99s = [[p99 for p99, _ in rounds] for rounds in (quiet, busy)]
    without, beside = map(statistics.median, p99s)
    print(f"\nms between frames, 720p60 (load average {os.getloadavg()[0]:.2f})")
    print(f"  p99 without requests: {without:.2f}  ({_listed(p99s[0], 2)})")
    print(f"  p99 beside {statistics.median(rates):.0f} a second: {beside:.2f}", end="")
    print(f" = {beside / without:.2f} x (goal 1.1)  ({_listed(p99s[1], 2)})")
    for words, rounds in (("without", quiet), ("beside", busy)):
        print(f"  median {words}: {statistics.median(median for _, median in rounds):.2f}")
    assert statistics.median(rates) > REQUESTS_PER_S / 4
    assert beside < 2 * without + 10


def _listed(values, digits=0):
    return ", ".join(f"{value:.{digits}f}" for value in values)
