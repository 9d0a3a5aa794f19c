"""Menu entries on a disk, as packages, Flatpak and people write them."""

from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from punktfunk_store_desktop import folders, library_games

from punktfunk.plugin import GameEntry, HostFacts

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
REEF = """\
[Desktop Entry]
# A comment, and a key with spaces around it
Version=1.0
Type = Application
Name=Reef Racer
Name[de]=Riffrenner
Name[de_AT]=Riffrenna
GenericName=Kart racing
Comment=Race along the reef
Exec=reef-racer --fullscreen %f
Icon=reef-racer
Terminal=false
Categories=Game;ArcadeGame;
Keywords=race;kart;
Actions=editor;

[Desktop Action editor]
Name=Level editor
Exec=reef-racer --editor
"""
LANTERN = """\
[Desktop Entry]
Type=Application
Name=Lantern Bay
Exec=/usr/bin/flatpak run --branch=stable --arch=x86_64 --command=lantern \
--file-forwarding org.example.Lantern @@u %U @@
Icon=org.example.Lantern
Categories=Game;AdventureGame;
DBusActivatable=true
X-Flatpak=org.example.Lantern
"""


class Menu:
    """Writes menu entries and pictures into one `share` folder."""

    def __init__(self, share: Path, programs: Path) -> None:
        self.share, self.programs = share, programs

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.share / "applications" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def add(self, name: str, exec_line: str = "game", **keys: str) -> Path:
        """Write an entry of a game; `None` for a key leaves it out."""
        values = {"Type": "Application", "Name": name, "Exec": exec_line, "Categories": "Game;"}
        lines = [f"{key}={value}" for key, value in {**values, **keys}.items() if value is not None]
        return self.put(f"{name}.desktop", "\n".join(["[Desktop Entry]", *lines, ""]))

    def reef_racer(self, name: str = "reef-racer.desktop") -> Path:
        return self.put(name, REEF)

    def lantern(self, name: str, *, flatpak: str = "/usr/bin/flatpak") -> Path:
        return self.put(name, LANTERN.replace("/usr/bin/flatpak", flatpak))

    def icon(self, name: str, data: bytes = PNG) -> Path:
        path = self.share / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def install(self, *names: str) -> None:
        for name in names:
            (self.programs / name).touch(mode=0o755)


@pytest.fixture(autouse=True)
def _no_games_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "DEFAULT_DATA_DIRS", str(tmp_path / "nothing"))
    monkeypatch.setattr(folders, "SYSTEM_FLATPAKS", str(tmp_path / "flatpak/exports/share"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def host(home: Path, tmp_path: Path) -> HostFacts:
    environment = {
        "HOME": str(home),
        "PATH": str(tmp_path / "bin"),
        "XDG_DATA_DIRS": str(tmp_path / "system"),
    }
    return HostFacts(environment=environment)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The only folder of PATH; `game` is in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("env", "game", "reef-racer", "sh"):
        (folder / name).touch(mode=0o755)
    return folder


@pytest.fixture
def menu(home: Path, programs: Path) -> Menu:
    """The person's own entries."""
    return Menu(home / ".local/share", programs)


@pytest.fixture
def system(tmp_path: Path, programs: Path) -> Menu:
    """Entries of packages."""
    return Menu(tmp_path / "system", programs)


@pytest.fixture
def listed(host: HostFacts) -> Callable[..., dict[str, GameEntry]]:
    """List the games by key, with other variables or settings."""

    def games(
        environment: dict[str, str] | None = None, **settings: object
    ) -> dict[str, GameEntry]:
        facts = attrs.evolve(
            host,
            environment={**host.environment, **(environment or {})},
            settings={"desktop": settings},
        )
        return {game.id.removeprefix("desktop:"): game for game in library_games(facts)}

    return games


@pytest.fixture
def argv(menu: Menu, listed) -> Callable[..., tuple[str, ...] | None]:
    """Write an entry with this Exec line, and say what would be started: None for nothing."""

    def of(exec_line: str, **keys: str) -> tuple[str, ...] | None:
        menu.add("a", exec_line, **keys)
        game = listed().get("a")
        return game.launch.argv if game else None

    return of
