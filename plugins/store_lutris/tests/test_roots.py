"""What is found, what is said about it, and what is watched."""

from pathlib import Path

import attrs
import pytest
from punktfunk_store_lutris import library_games, library_paths, plugin_status

from punktfunk.plugin import HostFacts


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def found(host: HostFacts, programs: Path):
    environment = {**host.environment, "PATH": str(programs)}
    return plugin_status(attrs.evolve(host, environment=environment))


def test_a_home_without_lutris_is_told_so(host: HostFacts, programs: Path) -> None:
    status = found(host, programs)

    assert not status.available
    assert "no database of Lutris" in status.reason
    assert status.hint


def test_native_and_flatpak_are_named_with_their_databases(
    lutris, flatpak, host: HostFacts, programs: Path
) -> None:
    lutris.create()
    flatpak.create()
    (programs / "flatpak").touch(mode=0o755)

    status = found(host, programs)

    assert status.available
    assert f"native ({lutris.database}), Flatpak ({flatpak.database})" in status.reason


def test_games_that_cannot_be_started_are_said_to_be_so(
    lutris, host: HostFacts, programs: Path
) -> None:
    lutris.create()

    status = found(host, programs)

    assert not status.available
    assert "not the program lutris" in status.reason
    assert "[plugin.lutris] command" in status.hint


def test_a_host_without_a_home_finds_nothing() -> None:
    assert library_games(HostFacts()) == []
    assert library_paths(HostFacts()) == []
    assert not plugin_status(HostFacts()).available


def test_the_xdg_variables_are_followed(lutris, home: Path, host: HostFacts) -> None:
    type(lutris)(home / "data/lutris", home / "cache/lutris").add("a")
    environment = {**host.environment, "XDG_DATA_HOME": str(home / "data")}

    assert len(library_games(attrs.evolve(host, environment=environment))) == 1


def test_database_log_and_pictures_are_watched(lutris, home: Path, host: HostFacts) -> None:
    lutris.create()
    lutris.picture(lutris.cache, "coverart/a.jpg")

    paths = library_paths(host)

    assert {lutris.database, lutris.data / "pga.db-wal", lutris.cache / "coverart"} <= set(paths)
    assert home / ".var" in paths
    assert [path for path in paths if not path.parent.is_dir()] == []
