import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from punktfunk_capture_gamescope.capture import GamescopeCapture
from punktfunk_capture_gamescope.compositor import GamescopeCompositor
from punktfunk_capture_gamescope.input import GamescopeInput

from punktfunk.plugin import Display
from punktfunk.testing import (
    CaptureDriverContract,
    CompositorDriverContract,
    FakeSeat,
    InputDriverContract,
    PluginContract,
)

desktop = pytest.mark.desktop
sweep = pytest.mark.skipif(
    os.environ.get("PUNKTFUNK_DESKTOPS") != "1", reason="slower: ./dev test --desktops"
)


class TestGamescopePlugin(PluginContract):
    name = "gamescope"


@pytest.fixture
def desk(request, gamescope) -> Iterator[tuple[FakeSeat, Display]]:
    """A display of the stand-in's, on a seat of its own."""
    compositor = GamescopeCompositor(gamescope())
    with FakeSeat("seat-desk") as seat:
        try:
            yield seat, compositor.open(seat, request.cls.mode)
        finally:
            compositor.close()


@desktop
@sweep
class TestCompositor(CompositorDriverContract):
    name = "gamescope"
    xfails: ClassVar = {
        "test_a_resized_display_has_the_new_mode": "gamescope has its size for good; "
        "the capture stretches its picture"
    }

    @pytest.fixture
    def driver(self, gamescope, tmp_path, monkeypatch) -> GamescopeCompositor:
        steam = tmp_path / "programs" / "steam"
        steam.parent.mkdir()
        steam.write_text("#!/bin/sh\n")
        steam.chmod(0o755)
        monkeypatch.setenv("PATH", f"{steam.parent}:{os.environ['PATH']}")
        return GamescopeCompositor(gamescope(steam=True))


@desktop
@sweep
class TestCapture(CaptureDriverContract):
    capabilities = frozenset({"animated"})

    @pytest.fixture
    def driver(self) -> GamescopeCapture:
        return GamescopeCapture()

    @pytest.fixture
    def display(self, desk) -> Display:
        return desk[1]


class TestInput(InputDriverContract):
    capabilities = frozenset({"pointer", "keyboard"})

    @pytest.fixture
    def driver(self, libei) -> GamescopeInput:
        return GamescopeInput()

    @pytest.fixture
    def display(self, eis_server) -> Display:
        server = eis_server()
        environment = {"XDG_RUNTIME_DIR": str(Path(server.socket).parent)}
        return Display(
            compositor="gamescope", mode=self.mode, output="gamescope-0", environment=environment
        )

    def held(self, driver: GamescopeInput) -> frozenset[int]:
        return driver.held
