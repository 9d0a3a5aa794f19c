from punktfunk.testing import PluginContract


class TestHeroicPlugin(PluginContract):
    name = "heroic"
