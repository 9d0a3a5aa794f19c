from collections.abc import Callable
from pathlib import Path

import pytest

from punktfunk.plugin import HostFacts
from punktfunk.testing import PluginContract, StoreContract


class TestRomsPlugin(PluginContract):
    name = "roms"


class TestRomsStore(StoreContract):
    name = "roms"

    @pytest.fixture
    def host(
        self,
        configured: Callable[..., HostFacts],
        rom: Callable[..., Path],
        install: Callable[..., None],
        home: Path,
    ) -> HostFacts:
        install("snes9x", "duckstation-qt")
        rom("snes/Legend, The (USA) [!].sfc")
        cover = rom("snes/media/covers/Legend, The (USA) [!].png")
        cover.write_bytes(b"\x89PNG\r\n\x1a\n")
        rom("psx/Saga.m3u", "Saga (Disc 1).cue\nSaga (Disc 2).cue\n")
        rom("psx/Saga (Disc 1).cue", 'FILE "Saga (Disc 1).bin" BINARY\n')
        rom("psx/Saga (Disc 1).bin")
        return configured([str(home / "games")])
