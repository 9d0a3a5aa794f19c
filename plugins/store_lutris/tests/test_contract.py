import pytest

from punktfunk.plugin import HostFacts
from punktfunk.testing import PluginContract, StoreContract


class TestLutrisPlugin(PluginContract):
    name = "lutris"


class TestLutrisStore(StoreContract):
    name = "lutris"

    @pytest.fixture
    def host(self, host: HostFacts, lutris, flatpak) -> HostFacts:
        lutris.add("lantern-bay", name="Lantern Bay")
        lutris.add("lantern-bay", name="Lantern \u0007 Bay\n(copy) ")
        lutris.picture(lutris.cache, "coverart/lantern-bay.jpg")
        lutris.picture(lutris.data, "banners/lantern-bay.png")
        flatpak.add("reef", name="Reef")
        flatpak.run("PRAGMA journal_mode = WAL")
        return host
