"""A bug report beside the real host and a paired client: what is in its folder stays there."""

import os
import re
import socket
import stat
import subprocess
from pathlib import Path

import pytest
from host_process import PROGRAM, HostProcess
from proof import Hosts, Player, play

pytestmark = [pytest.mark.e2e, pytest.mark.unhurried, pytest.mark.timeout(180)]

SETTINGS = """
[[hook]]
on = ["client.*"]
command = ["/bin/false", "--key", "CANARY-argument"]
[[webhook]]
on = ["client.*", "session.*"]
url = "http://127.0.0.1:1/T0/CANARY-path"
secret_file = "{secret_file}"
[plugin.wlroots]
sway = "CANARY-plugin"
"""


@pytest.fixture
def told(own_host: Hosts, player: Player, tmp_path: Path) -> tuple[HostProcess, str]:
    """A host with a secret of every kind, while its client plays, and a token it gave away."""
    secret_file = tmp_path / "webhook-secret"
    secret_file.write_text("CANARY-signing-secret")
    secret_file.chmod(0o600)
    host = own_host(SETTINGS.format(secret_file=secret_file))
    client = player(host, "alice")
    status, made = host.api("POST", "/tokens", {"name": "CANARY-token", "scope": "read"})
    assert status == 201, made
    entry = {"title": "CANARY-title", "launch": {"kind": "command", "value": "echo CANARY-command"}}
    status, answer = host.api("POST", "/library/custom", entry)
    assert status == 201, answer
    play(client, bitrate_kbps=2_000)
    return host, made["token"]


def report(host: HostProcess, name: str) -> str:
    """As its user makes one."""
    output = host.folder / name
    done = subprocess.run(
        [str(PROGRAM), "report", "--config-dir", str(host.config), "--output", str(output)],
        env={"PATH": os.environ["PATH"], "HOME": str(host.folder / "home")},
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    assert str(output) in done.stdout
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    return output.read_text()


def test_threat_37_a_report_has_none_of_the_secrets_of_a_host_that_streams(
    told: tuple[HostProcess, str],
) -> None:
    host, token = told
    (device,) = host.api("GET", "/clients")[1]

    text = report(host, "with.md")

    assert "video streaming: true" in text
    assert re.search(r'session \d+: \{.*"width": 1280.*"codec"', text)
    assert re.search(r"T\S+ info punktfunk\.\S+: ", text), "lines of the log"
    assert f"({device['fingerprint'][:8]}…)" in text
    assert re.search(r"0600 +\d+ identity\.pem", text)
    for secret in (token, host.token(), device["fingerprint"], "CANARY", str(host.folder / "home")):
        assert secret not in text, secret
    for path in host.config.rglob("*"):
        if path.is_file() and path.name not in ("config.toml", "runtime.json"):
            for word in re.findall(r"[\w+=-]{24,}", path.read_text("utf-8", "replace")):
                assert word not in text, f"{path.name}: {word}"
    assert socket.gethostname() in ("localhost", "punktfunk") or socket.gethostname() not in text


def test_a_report_without_and_with_what_a_dead_host_left_behind(own_host: Hosts) -> None:
    host = own_host()
    host.kill()
    damaged = host.config / "clients.json"
    damaged.write_text("{CANARY")
    damaged.chmod(0o600)

    text = report(host, "dead.md")

    assert "cannot be asked: no host runs with" in text
    assert "clients.json cannot be used" in text
    assert "CANARY" not in text
