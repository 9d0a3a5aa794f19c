"""A program follows the host's events, and the host starts one, while a real client plays."""

import http.client
import json
import queue
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from host_process import HostProcess, eventually
from proof import STOP_LIMIT_S, Hosts, Player, play

pytestmark = [pytest.mark.e2e, pytest.mark.unhurried]

HOOK = """
[test_pattern]
enabled = true

[[hook]]
on = ["session.*", "host.stopping"]
command = ["sh", "-c", 'cat >> "$0"', "{file}"]
"""
LIMIT_S = 20


class Follower:
    """Reads `GET /events` in a thread, as `curl -N` does."""

    def __init__(self, host: HostProcess, last: str | None = None) -> None:
        self.told: queue.Queue[dict[str, Any]] = queue.Queue()
        self.last = ""
        self.ended = threading.Event()
        self._connection = http.client.HTTPConnection("127.0.0.1", host.mgmt_port, timeout=60)
        headers = {"Authorization": f"Bearer {host.token()}"}
        if last is not None:
            headers["Last-Event-ID"] = last
        self._connection.request("GET", "/api/v1/events", headers=headers)
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait_for(self, event_type: str) -> dict[str, Any]:
        """The next event of a type; those before it are passed over."""
        until = time.monotonic() + LIMIT_S
        while (left_s := until - time.monotonic()) > 0:
            event = self.told.get(timeout=left_s)
            if event["type"] == event_type:
                return event
        raise AssertionError(f"no {event_type}")

    def close(self) -> None:
        with suppress(OSError):  # to close it would wait for the thread that reads
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(LIMIT_S)
        self._connection.close()

    def _read(self) -> None:
        try:
            for line in self._answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "id":
                    self.last = value
                elif name == "data":
                    self.told.put(json.loads(value))
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass  # closed from the other thread
        self.ended.set()


@contextmanager
def follow(host: HostProcess, last: str | None = None) -> Iterator[Follower]:
    follower = Follower(host, last)
    try:
        yield follower
    finally:
        follower.close()


def test_everything_a_player_does_is_told_to_readers_and_hooks_and_nothing_stops_the_stop(
    own_host: Hosts, player: Player, tmp_path: Any
) -> None:
    file = tmp_path / "hook"
    host = own_host(HOOK.format(file=file))
    with follow(host) as events:
        client = player(host, "alice")
        waiting = events.wait_for("pairing.waiting")
        assert waiting["data"]["address"] == "127.0.0.1"
        paired = events.wait_for("client.paired")["data"]

        play(client, width=640, height=360, fps=30, bitrate_kbps=2_000)
        started = events.wait_for("session.started")["data"]
        assert (started["title"], started["client"]) == ("Test pattern", paired["client"])
        assert started["client_name"] == paired["name"]
        stream = events.wait_for("stream.started")["data"]
        assert (stream["width"], stream["height"], stream["fps"]) == (640, 360, 30)
        events.wait_for("stream.connected")
        here = events.last

    client.stop()
    client.quit()
    with follow(host, last=here) as events:
        assert events.wait_for("stream.ended")["data"]["session_id"] == started["session_id"]
        assert events.wait_for("session.ended")["data"]["title"] == "Test pattern"
        eventually(lambda: '"session.ended"' in file.read_text(), LIMIT_S, "the hook ran")

        began = time.monotonic()
        assert host._process is not None
        host._process.send_signal(signal.SIGTERM)
        assert host._process.wait(LIMIT_S) == 0
        took_s = time.monotonic() - began
        events.wait_for("host.stopping")
        assert events.ended.wait(LIMIT_S)
    assert took_s < STOP_LIMIT_S, f"SIGTERM took {took_s:.1f} s\n{host.log_tail()}"
    assert not host.leftovers()
    told = [json.loads(line)["type"] for line in file.read_text().splitlines()]
    assert told == ["session.started", "session.ended", "host.stopping"]
    assert " error " not in host.log_text()
