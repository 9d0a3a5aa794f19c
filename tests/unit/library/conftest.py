"""Stores that look installed, here and in children."""

import json
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from punktfunk.model.offers import HostFacts
from punktfunk.testing import write_distribution

HEAD = """
import json, logging, os, signal, sys, time
from pathlib import Path
from punktfunk.plugin import Artwork, GameEntry, LaunchSpec, LaunchTarget, Manifest, hookimpl

manifest = Manifest(api=1, title="A store for tests")

def entry(store, key, title=None, **more):
    launch = more.pop("launch", LaunchSpec(argv=("game", store, str(key))))
    target = LaunchTarget(kind=store, value=str(key))
    return GameEntry(
        id=f"{store}:{key}", title=title or f"Game {key}", target=target, launch=launch, **more
    )
"""

FROM_A_FILE = """
def catalog(host):
    return Path(host.environment["HOME"], "NAME", "games.json")

@hookimpl
def library_games(host):
    with Path(host.environment["HOME"], "scans.log").open("a") as log:
        log.write("NAME\\n")
    if not catalog(host).is_file():
        return []
    found = json.loads(catalog(host).read_text())
    return [entry("NAME", key, title) for key, title in found.items()]

@hookimpl
def library_paths(host):
    return [catalog(host), catalog(host).parent]
"""

Install = Callable[..., None]


@pytest.fixture
def install_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """`install_store(name, source)`; without a source it lists what `write_games` wrote."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))

    def install(name: str, source: str = FROM_A_FILE) -> None:
        (site / f"store_{name}_for_tests.py").write_text(HEAD + source.replace("NAME", name))
        write_distribution(
            site,
            f"store-{name}-for-tests",
            {"punktfunk.plugins": {name: f"store_{name}_for_tests"}},
        )

    yield install
    for module in [it for it in sys.modules if it.endswith("_for_tests")]:
        del sys.modules[module]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def facts(home: Path) -> HostFacts:
    return HostFacts(environment={"HOME": str(home)})


@pytest.fixture
def write_games(home: Path) -> Callable[..., None]:
    """`write_games("alpha", one="First")`: what the store's own program would write."""

    def write(store: str, **titles: str) -> None:
        path = home / store / "games.json"
        path.parent.mkdir(exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(titles))
        fresh.replace(path)

    return write


@pytest.fixture
def write_picture(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, kind: str = "PNG", size: tuple[int, int] = (60, 90)) -> Path:
        file = BytesIO()
        Image.effect_noise(size, 40).convert("RGB").save(file, kind)
        path = tmp_path / name
        path.write_bytes(file.getvalue())
        return path

    return write
