from pathlib import Path

import pytest

from punktfunk.plugin import HostFacts
from punktfunk.testing import PluginContract, StoreContract


class TestSteamPlugin(PluginContract):
    name = "steam"


class TestSteamStore(StoreContract):
    name = "steam"

    @pytest.fixture
    def host(self, host: HostFacts, steam, home: Path) -> HostFacts:
        steam.libraries(home / "games")
        steam.app(570, "Dota 2")
        steam.app(220, "Half-Life 2", flags=1026, library=home / "games")
        steam.shortcuts({"appid": 3501819989, "AppName": "Foxit"})
        (steam.cache / "570").mkdir()
        (steam.cache / "570" / "library_600x900.jpg").write_bytes(b"\xff\xd8\xff")
        (steam.grid / "3501819989p.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        return host
