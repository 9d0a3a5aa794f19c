from punktfunk.testing import PluginContract


class TestKwinPlugin(PluginContract):
    name = "kwin"
