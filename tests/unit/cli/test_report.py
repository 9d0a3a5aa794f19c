"""`punktfunk report` beside a real API, without a host, and with files that are of no use."""

import logging
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from punktfunk.cli import main

NO_PLUGINS = {"PUNKTFUNK_PLUGINS__ALLOW": "builtin", "PUNKTFUNK_MGMT__BIND": "127.0.0.1:0"}
SECTIONS = [
    *("## Versions", "## Running host", "## Doctor", "## Plugins", "## Configuration"),
    *("## Files in the configuration folder", "## Log"),
]


def write(folder: Path, output: Path) -> Result:
    arguments = ["report", "--config-dir", str(folder), "--output", str(output)]
    return CliRunner(env=NO_PLUGINS).invoke(main, arguments)


def sections(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("#")][1:]


def test_threat_37_what_the_host_logged_is_told_without_secrets(
    running: Any, deck: Any, tmp_path: Path
) -> None:
    (running.folder / "config.toml").write_text(
        '[[webhook]]\non = ["*"]\nurl = "https://hooks.example/T0/CANARY-path"\n'
        '[[hook]]\non = ["*"]\ncommand = ["notify", "--key", "CANARY-argument"]\n'
        '[plugin.builtin]\napi_token = "CANARY-plugin"\nlogin = "CANARY-login"\n'
    )
    for text in (
        "launch rikey=CANARY00 rikeyid=CANARY11",
        "pin=CANARY22",
        "Authorization: Bearer CANARY33",
        "posted to https://hooks.example/T0/CANARY-path: 404, also /T0/CANARY-path",
        "it said login CANARY-login and CANARY-argument",
        f"token {running.token}",
        f"{deck.name} is here with {deck.fingerprint}",
    ):
        record = logging.makeLogRecord({"msg": text, "levelname": "INFO", "name": "punktfunk.x"})
        running.host.operations.log.emit(record)
    output = tmp_path / "report.md"

    done = write(running.folder, output)

    text = output.read_text()
    assert (done.exit_code, sections(text)) == (0, SECTIONS)
    assert "CANARY" not in text
    assert running.token not in text
    assert "launch rikey=***" in text
    assert "it said login *** and ***" in text
    assert '["notify' not in text
    assert 'hook[0].command = "notify" and 2 arguments  # file config.toml line 6' in text
    assert 'webhook[0].url = "https://hooks.example/…"' in text
    assert "plugin.builtin.login = ***" in text
    assert f"Dec… ({deck.fingerprint[:8]}…)" in text
    assert deck.fingerprint not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_without_a_host_the_rest_is_there_and_nothing_is_made(tmp_path: Path) -> None:
    folder, output = tmp_path / "config", tmp_path / "report.md"

    done = write(folder, output)

    text = output.read_text()
    assert (done.exit_code, sections(text)) == (0, SECTIONS)
    assert "no host runs with" in text
    assert "builtin: loaded" in text
    assert not folder.exists()
    assert str(output) in done.stdout
    assert "Doctor" in done.stdout


def test_the_file_is_private_and_none_is_overwritten(tmp_path: Path) -> None:
    output = tmp_path / "report.md"
    link = tmp_path / "link.md"
    link.symlink_to(tmp_path / "elsewhere.md")

    first = write(tmp_path, output)
    written = output.read_text()
    again, through_link = write(tmp_path, output), write(tmp_path, link)
    nowhere = write(tmp_path, tmp_path / "not" / "there.md")

    assert (first.exit_code, stat.S_IMODE(output.stat().st_mode)) == (0, 0o600)
    assert (again.exit_code, through_link.exit_code, nowhere.exit_code) == (2, 2, 2)
    assert "is there already" in again.stderr
    assert output.read_text() == written
    assert not (tmp_path / "elsewhere.md").exists()


def test_without_a_name_it_is_written_here_and_named_after_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    done = CliRunner(env=NO_PLUGINS).invoke(main, ["report", "--config-dir", str(tmp_path / "c")])

    (made,) = tmp_path.glob("punktfunk-report-????????-??????.md")
    assert done.exit_code == 0
    assert made.name in done.stdout


@pytest.mark.parametrize("damage", [b"\xff\xfe\x00", b'{"version": 99}'])
def test_damaged_files_are_named_and_not_quoted(tmp_path: Path, damage: bytes) -> None:
    folder = tmp_path / "config"
    folder.mkdir(mode=0o700)
    names = ("identity.pem", "mgmt-token", "clients.json", "tokens.json", "library.json")
    for name in names:
        (folder / name).write_bytes(damage + b"CANARY")
        (folder / name).chmod(0o600)
    output = tmp_path / "report.md"

    done = write(folder, output)

    text = output.read_text()
    assert (done.exit_code, sections(text)) == (0, SECTIONS)
    assert "CANARY" not in text
    for name in names:
        assert f"0600 {len(damage) + 6:>9} {name}" in text
    assert "identity.pem cannot be used" in text or "identity.pem: " in text


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('host.base_port = "CANARY"', "host.base_port must be"),
        ('[plugin.x]\nkey = "CANARY"\n[host]\nnope = "CANARY"', "host.nope: no such setting"),
        ('[host]\nname = "CANARY', "not valid TOML"),
    ],
)
def test_a_configuration_that_is_of_no_use_is_not_quoted(
    tmp_path: Path, settings: str, said: str
) -> None:
    folder, output = tmp_path / "config", tmp_path / "report.md"
    folder.mkdir()
    (folder / "config.toml").write_text(settings)

    done = write(folder, output)

    text = output.read_text()
    assert done.exit_code == 0
    assert said in text
    assert "with the defaults, as the configuration cannot be used" in text
    assert "CANARY" not in text


def test_of_the_folder_only_names_modes_and_sizes_are_told_and_not_without_end(
    tmp_path: Path,
) -> None:
    folder, output = tmp_path / "config", tmp_path / "report.md"
    deep = folder / "a" / "b" / "c" / "too-deep"
    deep.mkdir(parents=True)
    secret = tmp_path / "elsewhere-CANARY"
    secret.write_text("CANARY")
    (folder / "0-link").symlink_to(secret)
    (folder / "0-line\nbreak").write_text("CANARY")
    for number in range(300):
        (folder / f"file-{number:03}").touch()

    assert write(folder, output).exit_code == 0

    text = output.read_text()
    assert "0-link (a link)" in text
    assert "0-line\\x0abreak" in text
    assert "a/b/c/" in text
    assert "too-deep" not in text
    assert "file-150" in text
    assert "file-299" not in text
    assert "    and more\n" in text
    assert "CANARY" not in text


def test_texts_of_settings_are_told_by_name_only(tmp_path: Path) -> None:
    folder, output = tmp_path / "config", tmp_path / "report.md"
    folder.mkdir()
    (folder / "config.toml").write_text(
        '[host]\nname = "CANARY"\nbase_port = 41000\n'
        '[mgmt]\nnames = ["CANARY.example"]\ntls_key = "/keys/CANARY"\ntls_cert = "/keys/CANARY"\n'
        '[stream]\nencryption = "always"\n'
        '[desktop]\ncommand = ["foot", "CANARY"]\n'
        '[[prep]]\nclient = "abcdef0123"\ndo = ["mount", "CANARY"]\n'
    )

    assert write(folder, output).exit_code == 0

    text = output.read_text()
    assert "host.name = ***  # file config.toml line 2" in text
    assert "host.base_port = 41000" in text
    assert 'stream.encryption = "always"' in text
    assert 'prep[0].do = "mount" and 1 arguments' in text
    assert "CANARY" not in text
    assert "abcdef0123" not in text
