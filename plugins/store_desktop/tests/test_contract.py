import pytest

from punktfunk.plugin import HostFacts
from punktfunk.testing import PluginContract, StoreContract


class TestDesktopPlugin(PluginContract):
    name = "desktop"


class TestDesktopStore(StoreContract):
    name = "desktop"

    @pytest.fixture
    def host(self, host: HostFacts, menu) -> HostFacts:
        menu.reef_racer()
        menu.lantern("kde/lantern.desktop", flatpak="game")
        menu.add("odd", Name="Odd \u0007 name ", Path="/srv/games", Icon="odd")
        menu.icon("icons/hicolor/128x128/apps/reef-racer.png")
        menu.icon("pixmaps/odd.png")
        return host
