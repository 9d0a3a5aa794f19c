from punktfunk.testing import PluginContract


class TestGamescopePlugin(PluginContract):
    name = "gamescope"
