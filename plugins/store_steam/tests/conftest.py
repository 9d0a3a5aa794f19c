"""Writes files as Steam does: tabs, quotes, order of keys and all."""

import struct
from pathlib import Path
from typing import Any

import pytest

from punktfunk.plugin import HostFacts

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
PNG = b"\x89PNG\r\n\x1a\n"


def as_text(node: dict[str, Any], depth: int = 0) -> str:
    """Two tabs between key and value, braces on lines of their own."""
    tabs = "\t" * depth
    lines = []
    for key, value in node.items():
        if isinstance(value, dict):
            lines.append(f'{tabs}"{key}"\n{tabs}{{\n{as_text(value, depth + 1)}{tabs}}}\n')
        else:
            escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f'{tabs}"{key}"\t\t"{escaped}"\n')
    return "".join(lines)


def as_binary(node: dict[str, Any]) -> bytes:
    out = b""
    for key, value in node.items():
        name = key.encode() + b"\0"
        if isinstance(value, dict):
            out += b"\x00" + name + as_binary(value)
        elif isinstance(value, int):
            out += b"\x02" + name + struct.pack("<I", value)
        else:
            out += b"\x01" + name + str(value).encode() + b"\0"
    return out + b"\x08"


class SteamFiles:
    """One installation, with one user."""

    user = "12345678"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "userdata" / self.user / "config"
        self.grid = self.config / "grid"
        self.cache = root / "appcache" / "librarycache"
        for folder in (root / "steamapps" / "common", self.grid, self.cache):
            folder.mkdir(parents=True)
        self.libraries()

    @property
    def folders_file(self) -> Path:
        return self.root / "steamapps" / "libraryfolders.vdf"

    def libraries(self, *more: Path) -> None:
        listed = {
            str(number): {
                "path": folder,
                "label": "",
                "contentid": 4886718345 + number,
                "totalsize": 0 if number == 0 else 1000204886016,
                "update_clean_bytes_tally": 2147559708,
                "time_last_update_verified": 1731157009,
                "apps": {"228980": 131},
            }
            for number, folder in enumerate((self.root, *more))
        }
        self.folders_file.write_text(as_text({"libraryfolders": listed}))

    def app(
        self,
        app_id: int,
        name: str,
        *,
        flags: int = 4,
        library: Path | None = None,
        folder: str = "",
    ) -> Path:
        steamapps = (library or self.root) / "steamapps"
        steamapps.mkdir(parents=True, exist_ok=True)
        path = steamapps / f"appmanifest_{app_id}.acf"
        state = {
            "appid": app_id,
            "Universe": 1,
            "name": name,
            "StateFlags": flags,
            "installdir": folder or name,
            "LastUpdated": 1731157009,
            "SizeOnDisk": 41503957013,
            "buildid": 16214122,
            "LastOwner": 76561198000000001,
            "InstalledDepots": {"373301": {"manifest": 5485481450200467014, "size": 2516}},
            "UserConfig": {"language": "english"},
            "MountedConfig": {"language": "english"},
        }
        path.write_text(as_text({"AppState": state}), encoding="utf-8")
        return path

    def shortcuts(self, *entries: dict[str, Any]) -> Path:
        """Each entry replaces what Steam would write by itself; None leaves a key out."""
        listed = {}
        for number, changes in enumerate(entries):
            entry: dict[str, Any] = {
                "appid": 0,
                "AppName": "",
                "Exe": '"/usr/bin/true"',
                "StartDir": '"/usr/bin/"',
                "icon": "",
                "ShortcutPath": "",
                "LaunchOptions": "",
                "IsHidden": 0,
                "AllowDesktopConfig": 1,
                "AllowOverlay": 1,
                "OpenVR": 0,
                "Devkit": 0,
                "DevkitGameID": "",
                "DevkitOverrideAppID": 0,
                "LastPlayTime": 1731157009,
                "FlatpakAppID": "",
                "tags": {"0": "favorite"},
            } | changes
            listed[str(number)] = {key: value for key, value in entry.items() if value is not None}
        path = self.config / "shortcuts.vdf"
        path.write_bytes(as_binary({"shortcuts": listed}))
        return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def host(home: Path, tmp_path: Path) -> HostFacts:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "steam").write_text("#!/bin/true\n")
    (programs / "steam").chmod(0o755)
    return HostFacts(environment={"HOME": str(home), "PATH": str(programs)})


@pytest.fixture
def steam(home: Path) -> SteamFiles:
    return SteamFiles(home / ".local/share/Steam")


@pytest.fixture
def another_steam() -> type[SteamFiles]:
    return SteamFiles
