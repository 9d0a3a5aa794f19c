import asyncio
import socket
from pathlib import Path

import pytest

from punktfunk.config import load_config
from punktfunk.host import checks
from punktfunk.host.doctor import DoctorReport, examine
from punktfunk.host.runtime import Runtime, RuntimeFile
from punktfunk.model.offers import Kind
from punktfunk.registry.discovery import PluginFilter
from punktfunk.trust.identity import load_or_make_identity

BUILTIN = PluginFilter(allow=frozenset({"builtin"}))


def look(folder: Path, wanted: PluginFilter = BUILTIN, base_port: int = 41_000) -> DoctorReport:
    """What doctor finds with this folder."""
    environment = {
        "PUNKTFUNK_HOST__BIND": "127.0.0.1",
        "PUNKTFUNK_HOST__BASE_PORT": str(base_port),
        "PUNKTFUNK_MGMT__BIND": "127.0.0.1:0",
    }
    loaded = load_config(folder, environment=environment)
    return asyncio.run(examine(loaded, folder, wanted, {}))


def test_with_the_built_in_drivers_the_test_pattern_can_be_streamed(tmp_path: Path) -> None:
    report = look(tmp_path)

    apps = {app.name: app for app in report.apps}
    assert apps["Test pattern"].ok
    assert not apps["Desktop"].ok
    assert "no compositor for Desktop" in apps["Desktop"].remark
    assert {choice.kind for choice in report.choices} == set(Kind)
    assert report.can_stream


def test_without_any_plugin_nothing_can_be_streamed(tmp_path: Path) -> None:
    report = look(tmp_path, PluginFilter(allow=frozenset()))

    assert not report.can_stream
    assert report.to_json()["can_stream"] is False
    assert "This machine cannot stream." in report.to_text()


def test_a_taken_port_is_in_the_way_and_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        report = look(tmp_path, base_port=port)

    assert not report.can_stream
    assert f"TCP port {port} is taken" in report.to_text()


def test_a_host_of_this_folder_is_not_in_the_way(tmp_path: Path) -> None:
    with RuntimeFile(tmp_path) as held:
        held.publish(Runtime(pid=1, mgmt_url="http://127.0.0.1:1", http_port=2))
        (ports,) = (check for check in look(tmp_path).checks if check.name == "ports")

    assert ports.ok
    assert "a host runs with this folder" in ports.remark


@pytest.mark.parametrize("part", ["Apps", "Machine", "Compositor", "testcard", "configuration"])
def test_the_text_has_every_part(tmp_path: Path, part: str) -> None:
    assert part in look(tmp_path).to_text()


@pytest.mark.parametrize("name", [name for name, _ in checks._STATE])
def test_a_damaged_state_file_is_in_the_way(tmp_path: Path, name: str) -> None:
    load_or_make_identity(tmp_path)
    (tmp_path / name).write_text("neither a key nor JSON")
    (tmp_path / name).chmod(0o600)

    report = look(tmp_path)

    assert not report.can_stream
    assert f"{name}: " in report.to_text()


def test_a_desktop_whose_program_is_missing_cannot_be_launched(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[desktop]\ncommand = ["no-such-program"]\n')

    report = look(tmp_path, PluginFilter(allow=frozenset({"builtin", "wlroots"})))

    (desktop,) = (app for app in report.apps if app.name == "Desktop")
    assert not desktop.ok
    if "no compositor" not in desktop.remark:
        assert "no-such-program" in desktop.remark


def test_a_plugins_word_on_this_machine_is_passed_on(tmp_path: Path) -> None:
    text = look(tmp_path, PluginFilter(allow=frozenset({"builtin", "nvenc"}))).to_text()

    assert "\nPlugins\n  " in text
    assert "  nvenc: " in text


def test_names_that_nobody_has_are_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[drivers]\nencode = ["softwear"]\n[plugins]\ndeny = ["stem"]\n'
    )

    text = look(tmp_path).to_text()

    assert "drivers.encode names 'softwear', and no plugin offers" in text
    assert "plugins.deny names 'stem', and no such plugin is installed" in text


def test_a_wrong_setting_of_a_plugin_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[plugin.builtin]\npreset = 7\n")

    report = look(tmp_path)

    assert not report.can_stream
    assert "[plugin.builtin]" in report.to_text()
