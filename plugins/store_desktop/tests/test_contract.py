from punktfunk.testing import PluginContract


class TestDesktopPlugin(PluginContract):
    name = "desktop"
