from punktfunk.testing import PluginContract


class TestSteamPlugin(PluginContract):
    name = "steam"
