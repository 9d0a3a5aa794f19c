"""A Heroic as it lies on a disk, written as Heroic and its helpers write it."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from punktfunk_store_heroic import library_games

from punktfunk.plugin import GameEntry, HostFacts

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
STAMP = "Sat Nov 21 2026 20:14:05 GMT+0100 (Central European Standard Time)"


class Heroic:
    """Writes one installation's files. Every method replaces the file it is about."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, value: object) -> Path:
        return self.put(name, json.dumps(value, indent="\t").encode())

    def put(self, name: str, data: bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def epic(self, *games: dict[str, object]) -> Path:
        installed = {
            str(game["app_name"]): {
                "base_urls": ["http://epicgames-download1.akamaized.net/Builds"],
                "can_run_offline": True,
                "egl_guid": "",
                "executable": "Game.exe",
                "install_path": f"/games/{game['app_name']}",
                "install_size": 1_048_576,
                "install_tags": [],
                "is_dlc": False,
                "launch_parameters": "",
                "manifest_path": None,
                "needs_verification": False,
                "platform": "Windows",
                "prereq_info": None,
                "requires_ot": False,
                "save_path": None,
                "title": game["app_name"],
                "version": "1.0",
                **game,
            }
            for game in games
        }
        return self.write("legendaryConfig/legendary/installed.json", installed)

    def gog(self, *games: dict[str, object]) -> Path:
        installed = [
            {
                "platform": "windows",
                "executable": "",
                "install_path": f"/games/gog {game['appName']}",
                "install_size": "2.1 GiB",
                "is_dlc": False,
                "version": "1.6.8",
                "installedDLCs": [],
                "language": "en-US",
                "versionEtag": "",
                "buildId": "56004433129443532",
                **game,
            }
            for game in games
        ]
        return self.write("gog_store/installed.json", {"installed": installed})

    def amazon(self, *games: dict[str, object]) -> Path:
        installed = [
            {"version": "a1", "path": "/games/amazon", "size": 5_000, **game} for game in games
        ]
        return self.write("nile_config/nile/installed.json", installed)

    def sideloaded(self, *games: dict[str, object]) -> Path:
        library = [
            {
                "runner": "sideload",
                "install": {"executable": "/games/a.exe", "platform": "Windows", "is_dlc": False},
                "folder_name": "/games",
                "art_cover": "fallback",
                "art_square": "fallback",
                "is_installed": True,
                "canRunOffline": True,
                **game,
            }
            for game in games
        ]
        return self.write("sideload_apps/library.json", {"games": library})

    def library(self, runner: str, *games: dict[str, object]) -> Path:
        key = "games" if runner == "gog" else "library"
        found = [{"runner": runner, "is_installed": False, "install": {}, **game} for game in games]
        return self.write(
            f"store_cache/{runner}_library.json", {key: found, "__timestamp": {key: STAMP}}
        )

    def hide(self, *app_names: str) -> Path:
        hidden = [{"appName": name, "title": name} for name in app_names]
        return self.write("store/config.json", {"games": {"hidden": hidden, "recent": []}})

    def cache_picture(self, address: str, data: bytes = PNG) -> Path:
        return self.put(f"images-cache/{sha256(address.encode()).hexdigest()}", data)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def host(home: Path) -> HostFacts:
    return HostFacts(environment={"HOME": str(home), "PATH": "/usr/bin:/bin"})


@pytest.fixture
def heroic(home: Path) -> Heroic:
    return Heroic(home / ".config/heroic")


@pytest.fixture
def flatpak(home: Path) -> Heroic:
    return Heroic(home / ".var/app/com.heroicgameslauncher.hgl/config/heroic")


@pytest.fixture
def listed(host: HostFacts) -> Callable[[], dict[str, GameEntry]]:
    """List the games, by the part of the id after the store's name."""

    def games() -> dict[str, GameEntry]:
        return {game.id.removeprefix("heroic:"): game for game in library_games(host)}

    return games
