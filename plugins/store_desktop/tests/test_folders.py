"""Where entries are looked for, what is said about it, and what is watched."""

from pathlib import Path

import attrs
from punktfunk_store_desktop import folders, library_games, library_paths, plugin_status
from punktfunk_store_desktop.folders import data_folders

from punktfunk.plugin import HostFacts


def test_a_person_s_folders_come_first(home: Path, tmp_path: Path) -> None:
    environment = {"HOME": str(home), "XDG_DATA_DIRS": "/a/share:relative::/b/share:/a/share"}

    assert data_folders(HostFacts(environment=environment)) == [
        home / ".local/share",
        Path("/a/share"),
        Path("/b/share"),
        home / ".local/share/flatpak/exports/share",
        tmp_path / "flatpak/exports/share",
    ]


def test_the_xdg_variables_are_followed(home: Path, host: HostFacts, menu) -> None:
    type(menu)(home / "data", menu.programs).add("a")
    environment = {**host.environment, "XDG_DATA_HOME": str(home / "data")}

    assert len(library_games(attrs.evolve(host, environment=environment))) == 1


def test_the_folders_are_named(host: HostFacts, menu) -> None:
    assert not plugin_status(host).available
    assert plugin_status(host).hint

    menu.add("a")

    assert plugin_status(host).available
    assert str(menu.share) in plugin_status(host).reason


def test_folders_of_entries_are_watched_and_so_is_what_is_missing(
    home: Path, tmp_path: Path, host: HostFacts, menu
) -> None:
    top = menu.add("kde/a").parent.parent

    assert library_paths(host) == [
        top,
        top / "kde",
        tmp_path / "system",
        home / ".local/share/flatpak",
        tmp_path / "flatpak",
    ]


def test_there_is_a_limit_to_what_is_watched(host: HostFacts, menu) -> None:
    for number in range(folders.MAX_WATCHED + 50):
        (menu.share / f"applications/{number}").mkdir(parents=True)

    assert len(library_paths(host)) == folders.MAX_WATCHED


def test_there_is_a_limit_to_how_many_entries_are_read(host, menu, listed, monkeypatch) -> None:
    monkeypatch.setattr(folders, "MAX_ENTRIES", 3)
    for number in range(6):
        menu.add(f"game-{number}")

    assert len(listed()) == 3


def test_a_host_without_a_home_still_sees_the_system_s(system, programs, tmp_path) -> None:
    system.add("a")
    environment = {"XDG_DATA_DIRS": str(tmp_path / "system"), "PATH": str(programs)}

    assert len(library_games(HostFacts(environment=environment))) == 1
