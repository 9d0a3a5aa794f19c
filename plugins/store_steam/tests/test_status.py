from pathlib import Path

import pytest
from punktfunk_store_steam.roots import Packaging, Root, steam_roots
from punktfunk_store_steam.status import status

from punktfunk.plugin import HostFacts

NATIVE = ".local/share/Steam"
FLATPAK = ".var/app/com.valvesoftware.Steam/.local/share/Steam"
SNAP = "snap/steam/common/.local/share/Steam"


def test_a_home_without_steam_is_told_so(host: HostFacts) -> None:
    found = status(host)

    assert not found.available
    assert "no Steam was found" in found.reason
    assert found.hint


def test_what_was_found_is_counted(host: HostFacts, steam, home: Path) -> None:
    steam.libraries(home / "games")
    steam.app(570, "Dota 2")
    steam.app(220, "Half-Life 2", library=home / "games")

    found = status(host)

    assert found.available
    assert found.reason == f"native Steam in {steam.root}, libraries: 2, apps: 2"


def test_a_steam_that_cannot_be_started_is_told_so(host: HostFacts, home, another_steam) -> None:
    another_steam(home / FLATPAK)

    found = status(host)

    assert not found.available
    assert "not the program flatpak" in found.reason
    assert "PATH" in found.hint


def test_one_of_two_that_cannot_be_started_is_a_remark(
    host: HostFacts, home: Path, another_steam
) -> None:
    another_steam(home / NATIVE)
    another_steam(home / SNAP)

    found = status(host)

    assert found.available
    assert found.reason.endswith("not on the PATH: snap")


def test_links_to_one_installation_count_once(host: HostFacts, home: Path, steam) -> None:
    (home / ".steam").mkdir()
    (home / ".steam/steam").symlink_to(steam.root)
    (home / ".steam/root").symlink_to(steam.root)

    assert steam_roots(host) == [Root(Packaging.NATIVE, steam.root)]


def test_native_flatpak_and_snap_are_told_apart(host: HostFacts, home: Path, another_steam) -> None:
    for place in (".steam/debian-installation", FLATPAK, SNAP):
        another_steam(home / place)

    assert [root.packaging for root in steam_roots(host)] == ["native", "Flatpak", "Snap"]


def test_a_native_path_that_leads_into_the_flatpak_is_the_flatpak(
    host: HostFacts, home: Path, another_steam
) -> None:
    flatpak = another_steam(home / FLATPAK)
    (home / ".local/share").mkdir(parents=True)
    (home / NATIVE).symlink_to(flatpak.root)

    assert steam_roots(host) == [Root(Packaging.FLATPAK, flatpak.root)]


def test_xdg_data_home_is_looked_at_unless_it_is_relative(tmp_path: Path, another_steam) -> None:
    steam = another_steam(tmp_path / "data/Steam")

    for data_home, found in ((str(tmp_path / "data"), [steam.root]), ("data", [])):
        host = HostFacts(environment={"XDG_DATA_HOME": data_home})
        assert [root.folder for root in steam_roots(host)] == found


@pytest.mark.parametrize("left_behind", ["folder", "loop", "file"])
def test_what_is_left_behind_is_not_steam(host: HostFacts, home: Path, left_behind: str) -> None:
    place = home / NATIVE
    place.parent.mkdir(parents=True)
    if left_behind == "folder":
        place.mkdir()
    elif left_behind == "loop":
        place.symlink_to(place)
    else:
        place.write_text("")

    assert steam_roots(host) == []


def test_a_host_without_a_home_finds_nothing() -> None:
    assert steam_roots(HostFacts()) == []
