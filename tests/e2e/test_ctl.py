"""`punktfunk ctl` drives the real host through every verb, while a real client plays."""

import json
from collections.abc import Iterator
from typing import Any

import attrs
import click
import pytest
from click.testing import CliRunner, Result
from harness import ClientError, MoonlightClient
from host_process import HostProcess, eventually
from PIL import Image
from proof import Hosts, Player, play

from punktfunk.cli import main

pytestmark = [pytest.mark.e2e, pytest.mark.unhurried, pytest.mark.timeout(180)]

REFUSED, NOT_ALLOWED, NOT_FOUND = 1, 4, 5


@attrs.define
class Ctl:
    """Attributes:
    used: The verbs that were called.
    """

    host: HostProcess
    used: set[str] = attrs.field(factory=set)

    def __call__(self, verb: str, *words: str, code: int = 0) -> str:
        self.used.add(verb)
        done = self.run(*verb.split(), *words)
        assert done.exit_code == code, (verb, done.output, done.exception)
        return done.stdout

    def json(self, verb: str, *words: str) -> Any:
        return json.loads(self(verb, *words, "--json"))

    def run(self, *words: str) -> Result:
        runner = CliRunner(env={"PUNKTFUNK_MGMT_TOKEN": None})
        return runner.invoke(main, ["ctl", *words, "--config-dir", str(self.host.config)])


def verbs(group: Any, words: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from verbs(command, f"{words}{name} ")
        else:
            yield f"{words}{name}"


def test_every_verb_with_a_real_host(own_host: Hosts, player: Player) -> None:
    host = own_host("[test_pattern]\nenabled = true\n")
    ctl = Ctl(host)
    client = player(host, "alice", pair=False)
    pair_with_a_wrong_and_the_right_pin(ctl, client)
    look_around(ctl)
    keep_a_game(ctl)
    change_settings(ctl)
    record_a_stream(ctl, client)
    administer(ctl)

    told = [json.loads(line) for line in ctl("events", "--json").splitlines()]
    assert [event["id"] for event in told] == list(range(1, len(told) + 1))
    assert {"pairing.failed", "client.paired", "session.ended"} <= {it["type"] for it in told}
    assert ctl("clients unpair", ctl.json("clients list")[0]["fingerprint"][:8]) == ""
    assert ctl.json("clients list") == []
    assert ctl.used == set(verbs(main.commands["ctl"]))


def pair_with_a_wrong_and_the_right_pin(ctl: Ctl, client: MoonlightClient) -> None:
    ctl("pair enter", "1111", code=REFUSED)
    for pin, said in (("2222", "the PIN was wrong"), ("1111", "")):
        waiting = client.begin_pair("1111")
        eventually(lambda: ctl.json("pair status")["pin_pending"], 30, "a device asks")
        assert "127.0.0.1" in ctl("pair status")
        done = ctl.run("pair", pin)
        assert (done.exit_code, said in done.stderr) == (bool(said), True)
        if said:
            with pytest.raises(ClientError):
                waiting.result(30)
        else:
            waiting.result(30)
            assert done.stdout == "Paired as Moonlight.\n"
    assert ctl("clients list").splitlines()[1].split()[1] == "Moonlight"
    digits = ctl.json("clients list")[0]["fingerprint"][:8]
    assert "Penguin" in ctl("clients rename", digits, "Penguin")


def look_around(ctl: Ctl) -> None:
    assert ctl.json("health")["status"] == "ok"
    assert ctl.json("host")["ports"]["mgmt"] == ctl.host.mgmt_port
    assert ctl("status").startswith("picture")
    ctl("compositors")
    assert "builtin" in ctl("plugins")
    assert "builtin" in ctl("plugins", "--again")
    assert "paired" in ctl("logs", "--limit", "2000")
    assert "Test pattern" in ctl("doctor")
    assert ctl("undo list") == ctl("undo run") == ""
    ctl("undo forget", "nothing-of-this-name", code=NOT_FOUND)


def keep_a_game(ctl: Ctl) -> None:
    launch = ("--launch", "command", "true")
    number = ctl.json("library add", "My game", *launch)["id"]
    ctl("library edit", number, "--title", "Mine")
    assert f"custom:{number}  custom  yes        Mine" in ctl("library list", "--store", "custom")
    ctl("library art", f"custom:{number}", "portrait", code=NOT_FOUND)
    cover = ctl.host.folder / "cover.png"
    Image.new("RGB", (60, 90)).save(cover)
    ctl("library picture", number, "portrait", str(cover))
    ctl("library hide", f"custom:{number}")
    ctl("library unhide", f"custom:{number}")
    ctl("library stores")
    ctl("library refresh")
    ctl("library remove", number)
    ctl("library remove", number, code=NOT_FOUND)


def change_settings(ctl: Ctl) -> None:
    assert ctl.json("config set", "stream.max_fps", "60")["changed"] == ["stream.max_fps"]
    assert ctl.json("config get", "stream.max_fps")["value"] == 60
    assert "config.toml line" in ctl("config explain")
    assert ctl.json("config unset", "stream.max_fps")["changed"] == ["stream.max_fps"]
    assert ctl.json("config reload")["changed"] == []
    ctl("config set", "stream.max_fps", "many", code=REFUSED)
    ctl("config override", "--app", "steam:570", "max_fps=60")
    assert "max_fps = 60" in (ctl.host.config / "config.toml").read_text()


def record_a_stream(ctl: Ctl, client: MoonlightClient) -> None:
    assert ctl.json("stats start")["armed"] is True
    play(client, bitrate_kbps=5_000)
    eventually(lambda: ctl.json("stats status")["sample_count"] > 2, 50, "three samples")
    assert "Test pattern  Penguin" in ctl("sessions list")
    ctl("sessions idr")
    assert "ENCODE MS" in ctl("stats live", "--last", "2")
    assert "process_tree" in ctl("undo list")
    number = ctl.json("status")["sessions"][0]["id"]
    ctl("sessions stop", "99", code=NOT_FOUND)
    ctl("sessions drop", "99", code=NOT_FOUND)
    ctl("sessions stop", str(number))
    assert ctl.json("status")["sessions"] == []
    ctl("sessions idr", code=REFUSED)
    recording = ctl.json("stats stop")["id"]
    assert recording in ctl("stats recordings")
    assert "ENCODE MS" in ctl("stats show", recording)
    ctl("stats delete", recording)
    ctl("stats show", recording, code=NOT_FOUND)


def administer(ctl: Ctl) -> None:
    made = ctl.json("tokens create", "--scope", "read", "--name", "test")
    path = ctl.host.folder / "token"
    path.touch(mode=0o600)
    path.write_text(made["token"])
    url = ("--url", f"http://127.0.0.1:{ctl.host.mgmt_port}", "--token-file", str(path))
    ctl("status", *url)
    ctl("sessions stop", *url, code=NOT_ALLOWED)
    assert "test" in ctl("tokens list")
    ctl("tokens revoke", made["info"]["id"])
    ctl("tokens log-out")
    ctl("status", *url, code=NOT_ALLOWED)
    # The native protocol is not there yet, and its operations say so.
    assert ctl.json("native status")["enabled"] is False
    for verb in ("native arm", "native disarm"):
        ctl(verb, code=REFUSED)
    for verb in ("native approve", "native deny"):
        ctl(verb, "1", code=REFUSED)
    ctl("native rename", "0" * 64, "Penguin", code=NOT_FOUND)
    assert ctl.json("native clients") == ctl.json("native pending") == []
    ctl("native unpair", "ab" * 32, code=NOT_FOUND)
