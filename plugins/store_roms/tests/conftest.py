"""A home with folders of games, and a PATH with emulators that are only names."""

from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from punktfunk.plugin import HostFacts


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


@pytest.fixture
def install(programs: Path) -> Callable[..., None]:
    """Put programs on the PATH."""

    def install(*names: str) -> None:
        for name in names:
            (programs / name).write_text("#!/bin/true\n")
            (programs / name).chmod(0o755)

    return install


@pytest.fixture
def host(home: Path, programs: Path) -> HostFacts:
    return HostFacts(environment={"HOME": str(home), "PATH": str(programs)})


@pytest.fixture
def configured(host: HostFacts) -> Callable[..., HostFacts]:
    """The same host with these settings."""

    def configured(folders: list[str], emulators: list[str] | None = None) -> HostFacts:
        table = {"folders": folders, "emulators": emulators or []}
        return attrs.evolve(host, settings={"roms": table})

    return configured


@pytest.fixture
def rom(home: Path) -> Callable[..., Path]:
    """Make files below `games` in the home; nobody looks into most of them."""

    def rom(name: str, content: str = "") -> Path:
        path = home / "games" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    return rom
