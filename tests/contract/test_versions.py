"""The distributions of this repository belong together."""

import re
import tomllib
from pathlib import Path

import pytest

import punktfunk

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(ROOT.glob("plugins/*/pyproject.toml"))


def project(path: Path) -> dict[str, object]:
    found: dict[str, object] = tomllib.loads(path.read_text())["project"]
    return found


CORE = project(ROOT / "pyproject.toml")


def test_there_are_plugins() -> None:
    assert len(PLUGINS) >= 4


def test_the_package_knows_its_version() -> None:
    assert CORE["version"] == punktfunk.__version__


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.parent.name)
def test_a_plugin_has_the_version_and_terms_of_the_core(path: Path) -> None:
    plugin = project(path)

    for field in ("version", "requires-python", "license"):
        assert plugin[field] == CORE[field], field


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.parent.name)
def test_a_plugin_is_called_after_its_folder_and_needs_this_core(path: Path) -> None:
    plugin = project(path)
    folder = path.parent.name

    assert plugin["name"] == f"punktfunk-{folder}".replace("_", "-")
    assert f"punktfunk>={CORE['version']},<2" in plugin["dependencies"]  # type: ignore[operator]
    assert (path.parent / f"punktfunk_{folder}" / "py.typed").exists()


def test_every_plugin_can_be_had_as_an_extra() -> None:
    extras: dict[str, list[str]] = CORE["optional-dependencies"]  # type: ignore[assignment]
    names = sorted(str(project(path)["name"]) for path in PLUGINS)

    assert sorted(extras["all"]) == names
    assert (
        sorted(
            name
            for extra, plugins in extras.items()
            if extra not in ("all", "testing")
            for name in plugins
        )
        == names
    )


def test_every_package_is_held_to_the_layers() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    packages = {f"punktfunk_{path.parent.name}" for path in PLUGINS}

    assert set(settings["root_packages"]) == packages | {"punktfunk"}
    for contract in settings["contracts"]:
        if re.match("Plugins ", contract["name"]):
            assert set(contract.get("source_modules", contract.get("modules"))) == packages
