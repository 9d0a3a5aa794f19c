"""Commands as programs: exit codes, what goes where, and no tracebacks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from punktfunk.cli.serve import Greeting, program_name
from punktfunk.cli.service import UNIT, install_unit, remove_unit
from punktfunk.errors import Refused
from punktfunk.mgmt.contract import spec_text


def run(*args: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PUNKTFUNK_")}
    return subprocess.run(
        [sys.executable, "-m", "punktfunk.cli", *args],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )


def test_the_openapi_document_comes_out_byte_by_byte() -> None:
    done = run("openapi")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.encode() == spec_text()


def test_root_is_told_once_that_nothing_needs_root(tmp_path: Path) -> None:
    nobodys_address = "203.0.113.1"  # so it ends by itself

    done = run("serve", "--config-dir", str(tmp_path), "--bind", nobodys_address)

    assert done.returncode == 2
    assert done.stderr.count("warning cli.serve: running as root") == (os.geteuid() == 0)


def test_the_configuration_shows_where_each_value_came_from(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[host]\nname = "box"\n')

    done = run("config", "--json", "--config-dir", str(tmp_path), PUNKTFUNK_HOST__MDNS="off")

    settings = {entry["key"]: entry for entry in json.loads(done.stdout)["settings"]}
    assert done.returncode == 0
    assert settings["host.name"]["place"] == "config.toml line 2"
    assert settings["host.mdns"]["source"] == "environment"


@pytest.mark.parametrize("command", [["config"], ["doctor"], ["plugins"], ["serve"]])
def test_a_wrong_setting_is_misuse_and_one_line(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "config.toml").write_text("[host]\nnope = 1\n")

    done = run(*command, PUNKTFUNK_CONFIG_DIR=str(tmp_path))

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"punktfunk: {tmp_path}/config.toml line 2: host.nope: no such setting "
        "(did you mean host.name?)\n"
    )


@pytest.mark.parametrize(
    "command",
    [["clients"], ["clients", "list", "--json"], ["clients", "unpair", "ab"], ["pair", "1"]],
)
def test_without_a_host_there_is_nobody_to_ask(tmp_path: Path, command: list[str]) -> None:
    done = run(*command, "--config-dir", str(tmp_path))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"punktfunk: no host runs with {tmp_path}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("args", [["nonsense"], ["pair"], ["serve", "--base-port", "x"]])
def test_misuse_is_two(args: list[str]) -> None:
    done = run(*args)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_flag_out_of_range_is_named(tmp_path: Path) -> None:
    done = run("serve", "--config-dir", str(tmp_path), "--base-port", "80")

    assert done.returncode == 2
    assert "--base-port must be a whole number from 1029 to 65000, not 80" in done.stderr


def test_the_plugins_are_shown_and_the_built_in_ones_are_well(tmp_path: Path) -> None:
    done = run(
        *("plugins", "--json", "--config-dir", str(tmp_path)), PUNKTFUNK_PLUGINS__ALLOW="builtin"
    )

    states = {
        entry["record"]["name"]: entry["record"]["state"] for entry in json.loads(done.stdout)
    }
    assert done.returncode == 0
    assert states.pop("builtin") == "loaded"
    assert set(states.values()) <= {"disabled"}


def test_the_greeting_says_all_that_is_needed_but_not_the_token(tmp_path: Path) -> None:
    (tmp_path / "mgmt-token").write_text("PUNKTFUNK_MGMT_TOKEN=5ec4e7\n")
    greeting = Greeting(
        name="box",
        bind="127.0.0.1",
        base_port=47_989,
        tcp_ports=(47_984, 47_989, 48_010),
        udp_ports=(47_998, 47_999, 48_000),
        mgmt_url="http://127.0.0.1:47990",
        folder=tmp_path,
    )

    text = "\n".join(greeting.lines())

    for part in ("47989", "48010", "http://127.0.0.1:47990", str(tmp_path / "mgmt-token")):
        assert part in text
    assert f"punktfunk pair PIN --config-dir {tmp_path}" in text
    assert "--bind 0.0.0.0" in text
    assert "5ec4e7" not in text


def test_the_unit_starts_this_very_program_with_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / 'odd "100%" $HOME'

    path = install_unit(tmp_path / "units", folder)

    text = path.read_text()
    assert f'ExecStart="{sys.executable}" "-m" "punktfunk.cli" "serve" "--config-dir"' in text
    assert r'odd \"100%%\" $$HOME"' in text
    assert "@" not in text
    assert install_unit(tmp_path / "units", folder) == path
    assert remove_unit(path)
    assert not remove_unit(path)


def test_a_unit_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / UNIT
    path.write_text("[Service]\n")

    with pytest.raises(Refused):
        install_unit(tmp_path, tmp_path)
    with pytest.raises(Refused):
        remove_unit(path)
    assert path.read_text() == "[Service]\n"


def test_installing_the_service_enables_nothing(tmp_path: Path) -> None:
    done = run("service", "install", XDG_CONFIG_HOME=str(tmp_path))

    assert done.returncode == 0
    assert "systemctl --user enable --now punktfunk.service" in done.stdout
    assert [path.name for path in (tmp_path / "systemd" / "user").iterdir()] == [UNIT]


def test_removing_the_service_removes_what_enabled_it_too(tmp_path: Path) -> None:
    path = install_unit(tmp_path, tmp_path)
    wants = tmp_path / "default.target.wants"
    wants.mkdir()
    (wants / UNIT).symlink_to(path)

    assert remove_unit(path)

    assert [it.name for it in tmp_path.rglob("*")] == ["default.target.wants"]


@pytest.mark.parametrize(
    ("started_as", "on_path", "typed"),
    [
        ("/usr/bin/punktfunk", "/usr/bin/punktfunk", "punktfunk"),
        ("/home/me/pf/.venv/bin/punktfunk", None, ".venv/bin/punktfunk"),
        ("/home/me/pf/.venv/bin/punktfunk", "/usr/bin/punktfunk", ".venv/bin/punktfunk"),
        ("/opt/pf/bin/punktfunk", None, "/opt/pf/bin/punktfunk"),
    ],
)
def test_the_greeting_names_a_program_that_can_be_typed(started_as, on_path, typed):
    assert program_name(started_as, on_path, Path("/home/me/pf")) == typed
