from pathlib import Path

from punktfunk_store_steam.roots import status, steam_roots

from punktfunk.plugin import HostFacts


def install_steam(root: Path) -> Path:
    (root / "steamapps").mkdir(parents=True)
    (root / "steamapps" / "libraryfolders.vdf").write_text('"libraryfolders"\n{\n}\n')
    return root


def host_at(home: Path) -> HostFacts:
    return HostFacts(environment={"HOME": str(home)})


def test_a_home_without_steam_is_told_so(tmp_path: Path) -> None:
    found = status(host_at(tmp_path))

    assert not found.available
    assert "no Steam was found" in found.reason
    assert found.hint


def test_links_to_one_installation_count_once(tmp_path: Path) -> None:
    root = install_steam(tmp_path / ".local/share/Steam")
    (tmp_path / ".steam").mkdir()
    (tmp_path / ".steam/steam").symlink_to(root)
    (tmp_path / ".steam/root").symlink_to(root)

    assert steam_roots(host_at(tmp_path)) == [("native", root)]


def test_native_flatpak_and_snap_are_told_apart(tmp_path: Path) -> None:
    install_steam(tmp_path / ".steam/debian-installation")
    install_steam(tmp_path / ".var/app/com.valvesoftware.Steam/.local/share/Steam")
    install_steam(tmp_path / "snap/steam/common/.local/share/Steam")

    found = status(host_at(tmp_path))

    assert [kind for kind, _ in steam_roots(host_at(tmp_path))] == ["native", "Flatpak", "Snap"]
    assert not found.available
    assert "not in this version" in found.reason


def test_an_empty_folder_left_behind_is_not_steam(tmp_path: Path) -> None:
    (tmp_path / ".local/share/Steam").mkdir(parents=True)

    assert steam_roots(host_at(tmp_path)) == []


def test_a_host_without_a_home_finds_nothing() -> None:
    assert steam_roots(HostFacts()) == []
