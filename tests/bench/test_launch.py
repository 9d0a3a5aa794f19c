"""From a launch request to the picture, by the real host and a real client, worker warm.

The client counts from sending `/launch` to its first whole frame, a little more than the first
packet. Where the time goes: the answer to `/launch` (the display and the app are up), the end
of the RTSP handshake (encoder and sound are open), the first frame.
"""

import os
import shutil
import statistics
import time

import pytest
from harness import ClientError, MoonlightClient, create_identities
from host_process import HostProcess, eventually
from machine import cpu_s, describe

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(os.environ.get("PUNKTFUNK_BENCH") != "1", reason="PUNKTFUNK_BENCH=1 only"),
    pytest.mark.timeout(120),
]

LAUNCHES = 5
STEPS = ("answered", "connected", "first_frame", "first_decoded")


def workers(host):
    return [pid for pid in host.processes() if "punktfunk.session.worker" in describe(pid)]


def wait_until_warm(host):
    """One spare, and nothing that still computes."""

    def idle():
        before = sum(map(cpu_s, workers(host)))
        time.sleep(0.3)
        return len(workers(host)) == 1 and sum(map(cpu_s, workers(host))) == before

    eventually(idle, 20, "a warm worker")


@pytest.fixture(scope="module")
def paired(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    create_identities([folder / "identity"])
    with (
        HostProcess() as host,
        MoonlightClient(folder / "identity", "127.0.0.1", host.base_port) as client,
    ):
        host.pair(client, folder / "identity")
        yield host, client


@pytest.mark.parametrize(("app", "goal_ms"), [("Test pattern", 400), ("Desktop", 1_000)])
def test_a_picture_comes_soon_after_the_launch(paired, app, goal_ms):
    host, client = paired
    if app == "Desktop" and not shutil.which("sway"):
        pytest.skip("sway is not installed")
    load_before = os.getloadavg()[0]
    launches = []
    for _ in range(LAUNCHES):
        wait_until_warm(host)
        try:
            client.launch(app, width=1_280, height=720, fps=60)
        except ClientError as error:
            if "503" in str(error):
                pytest.skip(f"no desktop here: {error}")
            raise
        client.start(codec="h264", bitrate_kbps=10_000)
        client.wait_frames(5)
        launches.append(client.stats()["since_launch_ms"])
        client.stop()
        client.quit()

    medians = {step: statistics.median(one[step] for one in launches) for step in STEPS}
    print(f"\n{app}, ms since the launch request (load average {load_before:.2f})")
    for step, value in medians.items():
        print(f"  {step}: {value:.0f}  ({', '.join(f'{one[step]:.0f}' for one in launches)})")
    print(f"  goal for the first packet: {goal_ms}")
    assert medians["first_frame"] < 5 * goal_ms
