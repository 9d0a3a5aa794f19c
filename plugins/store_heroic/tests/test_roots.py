"""What is found, what is said about it, and what is watched."""

from pathlib import Path

import attrs
import pytest
from punktfunk_store_heroic import library_games, library_paths, plugin_status

from punktfunk.plugin import HostFacts


@pytest.fixture
def programs(tmp_path: Path, host: HostFacts) -> Path:
    """An empty folder to put programs in; `host` has it as its only PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def found(host: HostFacts, programs: Path):
    return plugin_status(
        attrs.evolve(host, environment={**host.environment, "PATH": str(programs)})
    )


def install(programs: Path, name: str) -> None:
    (programs / name).touch(mode=0o755)


def test_a_home_without_heroic_is_told_so(host: HostFacts, programs: Path) -> None:
    status = found(host, programs)

    assert not status.available
    assert "no Heroic was found" in status.reason
    assert status.hint


def test_native_and_flatpak_are_named_with_their_folders(
    heroic, flatpak, host: HostFacts, programs: Path
) -> None:
    heroic.epic()
    flatpak.epic()
    install(programs, "heroic")

    status = found(host, programs)

    assert status.available
    assert f"native ({heroic.root}), Flatpak ({flatpak.root})" in status.reason


def test_games_that_cannot_be_started_are_said_to_be_so(
    heroic, host: HostFacts, programs: Path
) -> None:
    heroic.epic()

    status = found(host, programs)

    assert not status.available
    assert "not the program heroic" in status.reason
    assert "[plugin.heroic] command" in status.hint


def test_a_host_without_a_home_finds_nothing() -> None:
    assert library_games(HostFacts()) == []
    assert library_paths(HostFacts()) == []
    assert not plugin_status(HostFacts()).available


def test_every_file_that_was_read_is_watched(heroic, host: HostFacts) -> None:
    files = {heroic.epic(), heroic.gog(), heroic.amazon(), heroic.sideloaded(), heroic.hide()}
    files |= {heroic.library(runner) for runner in ("legendary", "gog", "nile")}

    assert files <= set(library_paths(host))


def test_the_first_missing_folder_is_watched(home: Path, heroic, host: HostFacts) -> None:
    heroic.epic()

    paths = library_paths(host)

    assert heroic.root / "gog_store" in paths
    assert home / ".local" in paths
    assert home / ".var" in paths
    assert [path for path in paths if not path.parent.is_dir()] == []
