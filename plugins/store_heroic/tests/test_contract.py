import pytest

from punktfunk.plugin import GameEntry, HostFacts
from punktfunk.testing import PluginContract, StoreContract


class TestHeroicPlugin(PluginContract):
    name = "heroic"


class TestHeroicStore(StoreContract):
    name = "heroic"

    @pytest.fixture
    def host(self, host: HostFacts, heroic, flatpak) -> HostFacts:
        heroic.epic({"app_name": "Quail", "title": "Lantern Bay"})
        cover = "https://cdn1.epicgames.com/item/quail/cover.jpg"
        heroic.library(
            "legendary", {"app_name": "Quail", "title": "Lantern Bay", "art_square": cover}
        )
        heroic.cache_picture(cover)
        heroic.gog({"appName": "1207658930"})
        heroic.library("gog", {"app_name": "1207658930", "title": "Ash \u0007 and\nEmber "})
        heroic.hide("nothing")
        flatpak.amazon({"id": "amzn1.adg.product.0a1b"})
        flatpak.sideloaded({"app_name": "bPx7", "title": "My own"})
        return host

    def test_all_four_kinds_are_in_the_fixture(self, games: list[GameEntry]) -> None:
        assert {game.id.split(":")[1] for game in games} == {"legendary", "gog", "nile", "sideload"}
