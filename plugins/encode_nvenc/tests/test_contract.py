from punktfunk.testing import PluginContract


class TestNvencPlugin(PluginContract):
    name = "nvenc"
